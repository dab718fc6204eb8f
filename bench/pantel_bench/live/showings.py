"""What would have been on show, by the capture of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import ready_at
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link.captures import CaptureEvent
from pantel_models import View

__all__ = ["replayed_showings"]


def replayed_showings(events: Sequence[CaptureEvent], instants: int, view: View) -> list[NDArray[np.uint8] | None]:
    """Return what is on show at each instant of a replay; None before the first picture.

    Args:
        events: The capture of one run, on a clock that began with the first frame.
        instants: How many there are, ten a second.
        view: Who paints.
    """
    wall = _Wall()
    for _ in replay(events, [wall], view=view):
        pass
    showings: list[NDArray[np.uint8] | None] = []
    for k in range(instants):
        showings.append(wall.by_instant.get(k, showings[-1] if showings else None))
    return showings


class _Wall:
    """A sink that keeps every picture by the display instant at which it is ready."""

    def __init__(self) -> None:
        self.by_instant: dict[int, NDArray[np.uint8]] = {}

    def on_picture(self, picture: Picture) -> None:
        """Keep a picture."""
        self.by_instant[ready_at(picture.time_ns)] = picture.pixels

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""
