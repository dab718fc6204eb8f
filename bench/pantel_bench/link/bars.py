"""Groups of bars as inline SVG, in the colours of the page around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["BarGroup", "bar_plot"]

_WIDTH, _HEIGHT = 640, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 18, 44
_STYLES = ("ours", "second", "limit")
_GROUP_SHARE = 0.78  # of its place that a group fills


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Bars side by side.

    Attributes:
        labels: Two lines below them.
        values: Height of each bar, 0 to 1; None for no bar.
        mark: Height of a line across them; None for none.
    """

    labels: tuple[str, str]
    values: Sequence[float | None]
    mark: float | None = None


def bar_plot(title: str, groups: Sequence[BarGroup], names: Sequence[str], mark: str) -> str:
    """Return a plot with a title and a legend.

    Args:
        title: In plain text.
        groups: At least one; all have a bar for each name.
        names: Of the bars of a group, at most three.
        mark: What the lines across mean; empty without lines.
    """
    place = (_WIDTH - _LEFT - _RIGHT) / len(groups)
    parts = [
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(title, quote=True)}'>",
        *(_tick(tenths / 10) for tenths in range(0, 11, 2)),
        *(_group(group, _LEFT + k * place, place) for k, group in enumerate(groups)),
        "</svg>",
    ]
    legend = "".join(
        f"<span class='{style}'>{escape(name)}</span>" for name, style in zip(names, _STYLES, strict=False)
    )
    if mark:
        legend += f"<span>{escape(mark)}</span>"
    return f"<div class='plot'><h3>{escape(title)}</h3>{''.join(parts)}<p class='legend'>{legend}</p></div>"


def _tick(value: float) -> str:
    y = _y(value)
    return (
        f"<path class='grid' d='M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}'/>"
        f"<text class='tick' x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end'>{value:g}</text>"
    )


def _group(group: BarGroup, left: float, place: float) -> str:
    width = _GROUP_SHARE * place / max(len(group.values), 1)
    first = left + (1 - _GROUP_SHARE) / 2 * place
    bars = [
        f"<rect x='{first + k * width:.1f}' y='{_y(value):.1f}' width='{width - 1:.1f}' "
        f"height='{_y(0.0) - _y(value):.1f}' style='fill:var(--{_STYLES[k]})'/>"
        for k, value in enumerate(group.values)
        if value is not None
    ]
    if group.mark is not None:
        right = left + (1 + _GROUP_SHARE) / 2 * place
        bars.append(
            f"<path d='M{first:.1f} {_y(group.mark):.1f}H{right:.1f}' style='stroke:var(--ink);stroke-width:2'/>"
        )
    labels = [
        f"<text x='{left + place / 2:.1f}' y='{_HEIGHT - _BOTTOM + 18 + 16 * k}' text-anchor='middle'>"
        f"{escape(label)}</text>"
        for k, label in enumerate(group.labels)
    ]
    return "".join(bars + labels)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - min(value, 1.0) * (_HEIGHT - _TOP - _BOTTOM)
