"""What a camera is, and the sampling that all cameras on a virtual clock share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Frame

__all__ = ["Camera", "Outage", "SampledCamera"]


@dataclass(frozen=True, slots=True)
class Outage:
    """A camera that gives no frames for the time being, and looks after that itself.

    Attributes:
        since_ns: Monotonic time at which it was given up [ns].
        reason: Why, as one line.
        hangs_since_ns: Since when its driver has not come back from a call, which nothing but the end of the process
            can change; None if it does come back [ns].
    """

    since_ns: int
    reason: str
    hangs_since_ns: int | None = None


class Camera(Protocol):
    """A source of frames that are pulled, never pushed.

    Attributes:
        size_px: Width and height of every frame [px].
        fps: Capture instants per second.
    """

    size_px: tuple[int, int]
    fps: float

    @property
    def finished(self) -> bool:
        """Whether no frame will ever come again."""
        ...

    @property
    def outage(self) -> Outage | None:
        """Why no frames come, as of the last capture; None while they do."""
        ...

    def capture(self, now_ns: int) -> Frame | None:
        """Return the newest frame due at a time, or None if there is none since the last call.

        Args:
            now_ns: Monotonic time [ns]; the camera starts at the first call.

        Raises:
            CameraError: The camera broke down.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...


class SampledCamera(ABC):
    """A camera whose pictures are a function of the time since its first capture.

    Frame k is due k / fps after the first call of `capture`. A caller that comes late gets the newest frame
    that is due and misses those between, as with a real camera.
    """

    def __init__(self, size_px: tuple[int, int], fps: float) -> None:
        self.size_px = size_px
        self.fps = fps
        self._start_ns: int | None = None
        self._last_index = -1
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether no frame will ever come again."""
        return self._finished

    @property
    def outage(self) -> Outage | None:
        """None: what breaks down here ends the camera."""
        return None

    def capture(self, now_ns: int) -> Frame | None:
        """Return the newest frame due at ``now_ns``; see `Camera.capture`."""
        if self._start_ns is None:
            self._start_ns = now_ns
        index = self._due_index(now_ns)
        if self._finished or index <= self._last_index:
            return None
        pixels = self._picture(index)
        if pixels is None:
            self._finished = True
            return None
        self._last_index = index
        return Frame(index, self._start_ns + self._elapsed_ns(index), pixels)

    def close(self) -> None:
        """Let go of the file, if there is one."""
        self._finished = True

    @abstractmethod
    def _picture(self, index: int) -> NDArray[np.uint8] | None:
        """Return picture ``index`` as (H, W, 3) uint8 RGB in the camera's size, None after the last."""

    def _elapsed_ns(self, index: int) -> int:
        """Return when frame ``index`` is due [ns since the start]."""
        return round(index * 1e9 / self.fps)

    def _due_index(self, now_ns: int) -> int:
        """Return the last index that is due, the inverse of `_elapsed_ns` (hence the half nanosecond)."""
        elapsed_ns = now_ns - self._start_ns if self._start_ns is not None else 0
        return int((elapsed_ns + 0.5) * self.fps // 1e9)
