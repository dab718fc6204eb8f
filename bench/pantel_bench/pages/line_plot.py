"""Line plots as inline SVG: sharp at any size, and in the colours of the page around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

__all__ = ["Curve", "line_plot"]

_WIDTH, _HEIGHT = 640, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 40
_MOST_POINTS = 600


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot.

    Attributes:
        label: For the legend.
        points: (x, y) by rising x; y is None where the line is interrupted.
        style: CSS class of the line: ``ours``, ``second`` or ``limit``.
    """

    label: str
    points: Sequence[tuple[float, float | None]]
    style: str = "ours"


def line_plot(curves: Sequence[Curve], *, x_label: str, y_label: str, y_range: tuple[float, float]) -> str:
    """Return an SVG element.

    Args:
        curves: At least one, with at least one point.
        x_label: Of the horizontal axis.
        y_label: Of the vertical axis, for screen readers and the legend's title.
        y_range: Lowest and highest value of the vertical axis; lines beyond it are cut.
    """
    x_range = 0.0, max(x for curve in curves for x, _ in curve.points) or 1.0
    parts = [
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(y_label, quote=True)}'>",
        *(_y_tick(value, y_range) for value in _ticks(*y_range, count=5)),
        *(_x_tick(value, x_range) for value in _ticks(*x_range, count=7)),
        f"<text class='axis' x='{_WIDTH - _RIGHT}' y='{_HEIGHT - 6}' text-anchor='end'>{escape(x_label)}</text>",
        *(_line(curve, x_range, y_range) for curve in curves),
        "</svg>",
    ]
    return "".join(parts) + _legend(curves)


def _line(curve: Curve, x_range: tuple[float, float], y_range: tuple[float, float]) -> str:
    """Return the path of a curve, thinned to as many points as can be seen."""
    step = ceil(len(curve.points) / _MOST_POINTS)
    commands, pen = [], "M"
    for x, y in curve.points[::step]:
        if y is None:
            pen = "M"
            continue
        inside = min(max(y, y_range[0]), y_range[1])
        commands.append(f"{pen}{_x(x, x_range):.1f} {_y(inside, y_range):.1f}")
        pen = "L"
    return f"<path class='line {curve.style}' d='{''.join(commands)}'/>"


def _legend(curves: Sequence[Curve]) -> str:
    entries = (f"<span class='{curve.style}'>{escape(curve.label)}</span>" for curve in curves)
    return f"<p class='legend'>{''.join(entries)}</p>"


def _y_tick(value: float, y_range: tuple[float, float]) -> str:
    y = _y(value, y_range)
    return (
        f"<path class='grid' d='M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}'/>"
        f"<text class='tick' x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end'>{value:g}</text>"
    )


def _x_tick(value: float, x_range: tuple[float, float]) -> str:
    x = _x(value, x_range)
    return f"<text class='tick' x='{x:.1f}' y='{_HEIGHT - _BOTTOM + 18}' text-anchor='middle'>{value:g}</text>"


def _x(value: float, x_range: tuple[float, float]) -> float:
    return _LEFT + (value - x_range[0]) / (x_range[1] - x_range[0]) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, y_range: tuple[float, float]) -> float:
    return _HEIGHT - _BOTTOM - (value - y_range[0]) / (y_range[1] - y_range[0]) * (_HEIGHT - _TOP - _BOTTOM)


def _ticks(low: float, high: float, *, count: int) -> list[float]:
    """Return round values between two, about as many as asked for."""
    rough = (high - low) / count
    magnitude = 10.0 ** floor(log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    return [round(k * step, 10) for k in range(ceil(low / step), floor(high / step + 1e-9) + 1)]
