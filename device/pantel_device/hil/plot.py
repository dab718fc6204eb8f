"""Latency over time as inline SVG: a dot for each packet that arrived, a stroke for each that did not."""

from __future__ import annotations

from pantel_device.hil.measurements import Series

__all__ = ["latency_plot"]

_WIDTH, _HEIGHT = 960, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 40
_TICKS = 4
_ABOVE = 1.15  # room above the limit
_LOST_PX = 10


def latency_plot(series: Series, limit_s: float) -> str:
    """Return an SVG element.

    Args:
        series: Packets by time.
        limit_s: Where the limit is [s].
    """
    end_s = max(series.t_s, default=0.0) or 1.0
    top_s = _ABOVE * max(limit_s, *(latency_s for latency_s in series.latency_s if latency_s is not None))
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT

    def x(time_s: float) -> float:
        return _LEFT + time_s / end_s * (right - _LEFT)

    def y(latency_s: float) -> float:
        return bottom - latency_s / top_s * (bottom - _TOP)

    parts = [f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='Latency of each packet over time'>"]
    for tick in range(_TICKS + 1):
        latency_s, time_s = tick * top_s / _TICKS, tick * end_s / _TICKS
        parts += [
            f"<path class='grid' d='M{_LEFT} {y(latency_s):.1f}H{right}'/>",
            f"<text x='{_LEFT - 8}' y='{y(latency_s) + 4:.1f}' text-anchor='end'>{latency_s:.2f}</text>",
            f"<text x='{x(time_s):.1f}' y='{bottom + 18}' text-anchor='middle'>{time_s:.3g}</text>",
        ]
    parts.append(f"<path class='limit' d='M{_LEFT} {y(limit_s):.1f}H{right}'/>")
    for time_s, latency in zip(series.t_s, series.latency_s, strict=True):
        if latency is None:
            parts.append(f"<path class='lost' d='M{x(time_s):.1f} {bottom}V{bottom - _LOST_PX}'/>")
        else:
            parts.append(f"<circle class='arrived' cx='{x(time_s):.1f}' cy='{y(latency):.1f}' r='3'/>")
    return "".join([*parts, f"<text x='{right}' y='{_HEIGHT - 6}' text-anchor='end'>time [s]</text></svg>"])
