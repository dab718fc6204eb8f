"""For how long a sender that says nothing counts as alive."""

from __future__ import annotations

from collections.abc import Iterable

from pantel_device.config.line import LineConfig
from pantel_link.sender import ident_interval_ns

__all__ = ["alive_ns"]


def alive_ns(lines: Iterable[LineConfig], *, acknowledges: bool) -> int:
    """Return the longest silence of a sender that is well [ns]: a few times that between two introductions.

    Args:
        lines: On which it may be heard; the slowest decides.
        acknowledges: Whether the sender is told what was heard, so that it introduces itself more rarely.
    """
    interval_ns = ident_interval_ns(min(line.bitrate_bps for line in lines))
    return 5 * interval_ns if acknowledges else 5 * interval_ns // 2
