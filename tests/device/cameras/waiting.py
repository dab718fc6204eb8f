"""Waiting for a thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from pantel_device.cameras import Camera
from pantel_device.frame import Frame

__all__ = ["next_frame", "until"]

_PATIENCE_S = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds, and fail if it never does."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


def next_frame(camera: Camera) -> Frame:
    """Return a frame that is newer than those seen before."""
    frames: list[Frame] = []

    def seen() -> bool:
        frame = camera.capture(time.monotonic_ns())
        frames.extend([frame] if frame is not None else [])
        return frame is not None

    until(seen)
    return frames[0]
