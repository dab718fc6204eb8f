"""The values that travel from the camera through the observer to the scene encoder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "CameraPlace", "Frame", "Observation", "Track", "TrackPoint", "ZoneEvent"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One captured picture.

    Attributes:
        index: Number of the capture instant since the camera started; instants nobody asked for leave gaps.
        time_ns: Monotonic capture time [ns].
        pixels: (H, W, 3) uint8, RGB, read-only.
        full: The same view as finely as the camera sees it, of any size, likewise; None where nobody keeps it, or it is
            not finer.
    """

    index: int
    time_ns: int
    pixels: NDArray[np.uint8]
    full: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False
        if self.full is not None:
            self.full.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle around something worth sending.

    Attributes:
        x0: Left edge [px], pixel edges at integers.
        y0: Upper edge [px].
        x1: Right edge [px], exclusive.
        y1: Lower edge [px], exclusive.
        label: What is inside, as the detector's class list names it; "" where only motion is known.
        score: Confidence, 0 to 1; 1 for boxes from motion.
        source: Who found it.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    label: str = ""
    score: float = 1.0
    source: Literal["motion", "detector"] = "motion"

    @property
    def area_px(self) -> float:
        """Area [px²], 0 for an empty box."""
        return max(self.x1 - self.x0, 0.0) * max(self.y1 - self.y0, 0.0)

    def intersection_px(self, other: Box) -> float:
        """Return the area that both boxes cover [px²]."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    def clipped(self, size_px: tuple[int, int]) -> Box:
        """Return what of the box lies in a picture of that width and height."""
        (x0, x1), (y0, y1) = (
            (min(max(low, 0.0), float(side)), min(max(high, 0.0), float(side)))
            for low, high, side in ((self.x0, self.x1, size_px[0]), (self.y0, self.y1, size_px[1]))
        )
        return replace(self, x0=x0, y0=y0, x1=x1, y1=y1)

    def iou(self, other: Box) -> float:
        """Return intersection over union, 0 to 1."""
        both = self.intersection_px(other)
        either = self.area_px + other.area_px - both
        return both / either if either > 0 else 0.0


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """Where an object was at a time: centre and size [px]; may reach beyond the picture."""

    time_ns: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Track:
    """An object that has been followed.

    Attributes:
        track_id: Unique in its tracker.
        label: What it is, as the detector's class list names it; "" where only motion is known.
        began_ns: When it was first seen.
        history: Where it was, in order of time, the newest last; not empty.
        travelled: Whether it has left the place where it was first seen.
        weight: How much it matters compared with other objects.
    """

    track_id: int
    label: str
    began_ns: int
    history: tuple[TrackPoint, ...]
    travelled: bool
    weight: float = 1.0

    @property
    def box(self) -> Box:
        """Where it is now."""
        now = self.history[-1]
        half = now.width / 2, now.height / 2
        return Box(now.x - half[0], now.y - half[1], now.x + half[0], now.y + half[1], self.label)


@dataclass(frozen=True, slots=True)
class ZoneEvent:
    """Something has begun to be in an alarm zone, or has left it.

    Attributes:
        zone: Name of the zone.
        track_id: Of the object.
        began: Whether it came; False if it left.
        time_ns: Capture time of the first frame, or the last, in which it is there.
        box: Where the object is, or was last.
    """

    zone: str
    track_id: int
    began: bool
    time_ns: int
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class CameraPlace:
    """Where the camera looks, compared with where it looked before.

    Attributes:
        era: Places of one era can be compared.
        matrix: (3, 3) float64, read-only: a similarity, from points of the era's first picture to points of this one,
            each less the picture's middle [px].
    """

    era: int = 0
    matrix: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        self.matrix.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the observer says about one frame.

    Attributes:
        frame: The frame observed.
        boxes: What moves or was recognized, largest first.
        mask: (H, W) bool, read-only: the region of interest.
        motion: (H, W) bool, read-only: pixels that differ from the background.
        background: (H, W, 3) uint8, RGB, read-only: the picture without what moves, as far as it is known, always
            exposed alike.
        exposure: By how many octaves the frame is exposed longer than the background, in red, green and blue.
        difference: (H, W) uint8, read-only: by how much the frame differs from the background, exposed as the frame is.
        tracks: Objects that are followed, as far as they are worth telling.
        events: What has come into an alarm zone in this frame, or has left one.
        camera: Where the camera looks.
    """

    frame: Frame
    boxes: tuple[Box, ...]
    mask: NDArray[np.bool_]
    motion: NDArray[np.bool_]
    background: NDArray[np.uint8]
    exposure: tuple[float, float, float]
    difference: NDArray[np.uint8]
    tracks: tuple[Track, ...] = ()
    events: tuple[ZoneEvent, ...] = ()
    camera: CameraPlace = field(default_factory=CameraPlace)

    def __post_init__(self) -> None:
        for array in (self.mask, self.motion, self.background, self.difference):
            array.flags.writeable = False
