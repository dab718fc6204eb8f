"""One object that is followed: where it is, and what speaks for its being there."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Track, TrackPoint
from pantel_device.observer.camera_motion import CameraMotion
from pantel_device.observer.crowd import fitted, neighbours
from pantel_device.observer.displacement import displacement, pixels_of
from pantel_device.observer.kalman import BoxFilter

__all__ = ["EVIDENT_S", "TrackedObject"]

_NS_PER_S = 1e9
_CONFIRMED_HITS = 3
_STILL_SCORE = 0.5
_PATIENCE_S = 1.0  # without a detection or a moving region of its own; then a track ends
_LONG_PATIENCE_S = 2.0  # as long as much of the box still moves
_MOTION_SHARE = 0.35
EVIDENT_S = 0.5
"""What has no name is shown for so long after its last measurement."""
_NAMED_EVIDENT_S = 0.8  # the detector looks only now and then
_WELL_KNOWN_HITS = 10  # unless it was known well and something hides it
_HIDDEN_PATIENCE_S = 2.0  # behind a nearer object
_LIKE_AREA = 2.5  # most that areas of one object differ by when it is found again
_HISTORY = 64
_BORDER_PX = 2.0
_OUTSIDE_PX = 2.0
_MOST_GROWTH = 1.5  # and changes at most by that factor

# Standard deviations, as shares of the object's size (of its sides' geometric mean).
_DETECTION_NOISE = 0.03
_BLOB_NOISE = 0.07
_GROUP_NOISE = 0.15
_SHIFT_NOISE = 0.1
_UNTOLD_NOISE = 10.0
_MOST_MISFITS = 5
_SIZE_NOISE_WHEN_SHIFTED = 0.5


@dataclass(slots=True, eq=False)
class TrackedObject:
    """One object that is followed.

    Attributes:
        track_id: Unique in its tracker.
        began_ns: When it was first seen.
        first: Where that was.
        label: What the detector calls it; "" while only motion is known.
        hits: How often it was measured.
        measured_ns: When it was measured last.
        seen_ns: When anything spoke for its being there last.
        filter: Of its place and size.
        history: Where it was, the newest last.
        travelled: Whether it has left the place where it was first seen.
        moved: Whether much of its box ever moved.
        confirmed: Whether it was measured often enough to be told.
        hidden: Whether nearer objects hide most of it.
        grouped: Whether it is part of a moving region that several have joined.
        lost_ns: When it was given up.
        matched: Whether it was measured in this frame.
    """

    track_id: int
    began_ns: int
    first: Box
    label: str = ""
    hits: int = 1
    measured_ns: int = 0
    seen_ns: int = 0
    filter: BoxFilter = field(init=False)
    history: deque[TrackPoint] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    travelled: bool = False
    moved: bool = False
    confirmed: bool = False
    hidden: bool = False
    grouped: bool = False
    lost_ns: int = 0
    matched: bool = True
    _misfits: int = 0
    _surest: float = 0.0
    _measured: Box = field(init=False)

    def __post_init__(self) -> None:
        self.label = self.first.label
        self.seen_ns = self.measured_ns = self.began_ns
        self._measured = self.first
        self._surest = self.first.score
        self.filter = BoxFilter.at(_values(self.first), _size(self.first))

    @property
    def box(self) -> Box:
        """Where it is taken to be; may reach beyond the picture."""
        x, y, width, height = self.filter.state[:, 0].tolist()
        width = _near(width, self._measured.x1 - self._measured.x0)
        height = _near(height, self._measured.y1 - self._measured.y0)
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, self.label)

    @property
    def well_known(self) -> bool:
        """Whether it was measured so often that it is no mistake."""
        return self.hits >= _WELL_KNOWN_HITS

    def follow(
        self,
        before: NDArray[np.uint8] | None,
        now: NDArray[np.uint8],
        elapsed_s: float,
        nearer: Sequence[Box] = (),
        camera: CameraMotion | None = None,
    ) -> None:
        """Move to where the object probably is, then to where its difference from the background matches best.

        Args:
            before: (H, W) uint8, the difference when the object was where it is; None if it was not to be seen.
            now: (H, W) uint8, the difference now.
            elapsed_s: Time between the two [s].
            nearer: What hid parts of the object when it was where it is.
            camera: How the picture has moved with the camera; None if it has not.
        """
        old = self.box
        if camera is not None:
            self.filter.carry(camera.matrix, camera.scale)
            self.first = camera.carried(self.first)
        self.filter.predict(elapsed_s, _size(old))
        self.matched = self.grouped = False
        expected = self.box
        if before is None:
            return
        shift = displacement(before, now, old, (expected.x0 - old.x0, expected.y0 - old.y0), nearer)
        if shift is not None:
            values = _values(old) + np.array([*shift, 0.0, 0.0])
            size = _size(old)
            spread = size * np.array([_SHIFT_NOISE] * 2 + [_SIZE_NOISE_WHEN_SHIFTED] * 2) + 0.3
            self.filter.correct(values, spread)

    def correct(self, box: Box, size_px: tuple[int, int], others: Sequence[Box] = ()) -> None:
        """Take in a box that was measured, of this object and perhaps of others beside it."""
        noise = (_DETECTION_NOISE if box.source == "detector" else _BLOB_NOISE) * _size(box) + 0.5
        measured = self._completed(box, size_px)
        values, told = fitted(self.box, measured)
        # Where somebody with a name ends motion does not know, and beside others a detector at times takes two for one.
        doubtful = (self.label and box.source != "detector") or neighbours(box, others)
        if told.all() or not self.well_known or not doubtful:
            self._misfits = 0
        elif box.source == "detector":
            self._misfits += 1
        if told.all() or not self.well_known or not doubtful or self._misfits > _MOST_MISFITS:
            self._measured, values, told = measured, _values(measured), np.ones(4, np.bool_)
        self.filter.correct(values, np.where(told, noise, _UNTOLD_NOISE * _size(box)))
        self.label = box.label or self.label
        self._surest = max(self._surest, box.score)
        self.hits += 1
        self.matched = True

    def align(self, centres: Sequence[tuple[int, float]]) -> None:
        """Take in where its centre is on some axes, as edges of a region tell that it shares with others."""
        size = _size(self.box)
        for axis, centre in centres:
            values, spread = _values(self.box), np.full(4, _UNTOLD_NOISE * size)
            values[axis], spread[axis] = centre, _BLOB_NOISE * size + 0.5
            self.filter.correct(values, spread)

    def join(self, group: Box) -> None:
        """Take note that the object is part of a moving region that several have joined: it lies within."""
        self.grouped = True
        box = self.box
        x0, x1 = _pushed(box.x0, box.x1, group.x0, group.x1)
        y0, y1 = _pushed(box.y0, box.y1, group.y0, group.y1)
        inside = _values(Box(x0, y0, x1, y1))
        size = _size(box)
        if np.abs(inside - _values(box)).max() > _OUTSIDE_PX:
            noise = size * np.array([_GROUP_NOISE, _GROUP_NOISE, _SIZE_NOISE_WHEN_SHIFTED, _SIZE_NOISE_WHEN_SHIFTED])
            self.filter.correct(inside, noise)

    def may_be(self, box: Box, size_px: tuple[int, int]) -> bool:
        """Tell whether a box may be of this object, by its size as far as it is in the picture, and by its name."""
        areas = box.area_px, self._completed(box, size_px).area_px, self.box.area_px
        like = areas[0] < _LIKE_AREA * areas[2] and areas[2] < _LIKE_AREA * areas[1]
        return like and (not box.label or not self.label or box.label == self.label)

    def _completed(self, box: Box, size_px: tuple[int, int]) -> Box:
        """Return a box as large as the object is known to be where the picture's border cuts it off."""
        known = self.box
        x0, x1 = _completed(box.x0, box.x1, known.x1 - known.x0, size_px[0])
        y0, y1 = _completed(box.y0, box.y1, known.y1 - known.y0, size_px[1])
        return Box(x0, y0, x1, y1)

    def note(self, time_ns: int, moving: NDArray[np.bool_], others: Sequence[Box]) -> None:
        """Remember where the object is, and whether anything speaks for its being there.

        Args:
            time_ns: Of the frame.
            moving: (H, W) bool, pixels that move.
            others: Where other objects have been measured, so that what moves there is theirs.
        """
        box = self.box
        self.history.append(TrackPoint(time_ns, *_values(box).tolist()))
        for index, values in enumerate(itertools.islice(self.filter.smoothed(), len(self.history))):
            point = self.history[-1 - index]
            x, y, width, height = values.tolist()
            if index:  # the newest is where the object is taken to be
                self.history[-1 - index] = TrackPoint(point.time_ns, x, y, max(width, 2.0), max(height, 2.0))
        window = pixels_of(box, moving.shape)
        moves = _share_moving(moving, window, others) > _MOTION_SHARE
        # Two witnesses are enough at once: a detector that names it, and motion. What never moves must be certain.
        self.moved |= moves
        if self.hits >= _CONFIRMED_HITS and (self.moved or self._surest >= _STILL_SCORE):
            self.confirmed = True
        self.confirmed |= bool(moves and self.label)
        if self.matched:
            self.measured_ns = self.seen_ns = time_ns
        elif (moves or self.grouped) and time_ns - self.measured_ns < _LONG_PATIENCE_S * _NS_PER_S:
            self.seen_ns = time_ns
        start = self.first
        distance = np.hypot(box.x0 + box.x1 - start.x0 - start.x1, box.y0 + box.y1 - start.y0 - start.y1) / 2
        self.travelled |= bool(distance > 0.5 * _size(box))

    def alive(self, time_ns: int, size_px: tuple[int, int]) -> bool:
        """Tell whether it is worth following further: seen not long ago, and not out of the picture."""
        box = self.box
        inside = Box(0, 0, *size_px).intersection_px(box)
        patience_s = _HIDDEN_PATIENCE_S if self.hidden else _PATIENCE_S
        return time_ns - self.seen_ns <= patience_s * _NS_PER_S and inside > 0.1 * box.area_px

    def evident(self, time_ns: int) -> bool:
        """Tell whether the object is there as far as one can tell: it was measured lately, or has reason not to be."""
        if not self.confirmed:
            return False
        if (self.hidden or self.grouped) and self.well_known:
            return time_ns - self.measured_ns <= _HIDDEN_PATIENCE_S * _NS_PER_S
        seen_ns = self.seen_ns if self.label else self.measured_ns
        return time_ns - seen_ns <= (_NAMED_EVIDENT_S if self.label else EVIDENT_S) * _NS_PER_S

    def published(self) -> Track:
        """Return what others may know of it."""
        return Track(self.track_id, self.label, self.began_ns, tuple(self.history), self.travelled)


def _share_moving(moving: NDArray[np.bool_], window: tuple[slice, slice], others: Sequence[Box]) -> float:
    """Return which share of a window moves that is not the others'."""
    part = moving[window]
    if others:
        part = part.copy()
        for other in others:
            rows, columns = pixels_of(other, moving.shape)
            top, left = window[0].start, window[1].start
            part[
                max(rows.start - top, 0) : max(rows.stop - top, 0),
                max(columns.start - left, 0) : max(columns.stop - left, 0),
            ] = False
    return float(part.mean())


def _pushed(low: float, high: float, first: float, last: float) -> tuple[float, float]:
    """Return an interval, moved into another one if it is shorter than that."""
    if high - low >= last - first:
        return low, high
    shift = max(first - low, 0.0) - max(high - last, 0.0)
    return low + shift, high + shift


def _near(size: float, measured: float) -> float:
    """Return a size, kept near the one that was measured last."""
    return float(np.clip(size, max(measured / _MOST_GROWTH, 2.0), max(measured * _MOST_GROWTH, 2.0)))


def _values(box: Box) -> NDArray[np.float64]:
    return np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.x1 - box.x0, box.y1 - box.y0])


def _size(box: Box) -> float:
    return float(max(np.sqrt(box.area_px), 4.0))


def _completed(low: float, high: float, known: float, limit: float) -> tuple[float, float]:
    """Return the ends of an interval, lengthened to what is known where it ends at the picture's border."""
    missing = max(known - (high - low), 0.0)
    at_low, at_high = low <= _BORDER_PX, high >= limit - _BORDER_PX
    if at_low == at_high:
        return low, high
    return (low - missing, high) if at_low else (low, high + missing)
