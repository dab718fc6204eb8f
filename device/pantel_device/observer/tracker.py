"""Follows objects from frame to frame, so that each keeps its identity and has a trajectory."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Track, TrackPoint

__all__ = ["Tracker"]

_NS_PER_S = 1e9
_MIN_SCORE = 0.35  # of a detection that begins a track; weaker ones only continue one
_MIN_IOU = 0.25
_MIN_BLOB_IOU = 0.5  # of a moving region with a track: regions merge and fall apart
_COVERED_SHARE = 0.5  # of a moving region that known objects explain
_HIDDEN_SHARE = 0.5  # of an object, by others that are nearer; then it cannot be followed
_SAME_IOU = 0.7  # of two tracks that follow one object
_CONFIRMED_HITS = 3
_PATIENCE_S = 1.0  # without a detection or a moving region of its own; then a track ends
_LONG_PATIENCE_S = 3.0  # as long as much of the box still moves
_MOTION_SHARE = 0.35
_HISTORY = 64
_SMOOTHED_FRAMES = 6
_SEARCH_PX = 5
_BORDER_PX = 2.0

# Standard deviations, as shares of the object's size (of its sides' geometric mean).
_DETECTION_NOISE = 0.03
_BLOB_NOISE = 0.07
_SHIFT_NOISE = 0.1
_SIZE_NOISE_WHEN_SHIFTED = 0.5
_ACCELERATION = 2.0  # per s²
_SIZE_ACCELERATION = 0.7
_GROWTH_LASTS_S = 0.5  # without a measurement a size settles within that time
_MOST_GROWTH = 1.5  # and changes at most by that factor


class Tracker:
    """Joins detections and moving regions over time.

    Detections are associated in two stages, the sure ones first and then the weak ones with the tracks that are left
    (Zhang et al., "ByteTrack", ECCV 2022); moving regions stand in for what the detector does not know. In between each
    object is followed by matching its difference from the background, of which the background itself is no part. A
    Kalman filter of constant velocity smooths the boxes, and what comes later corrects where objects were before.
    """

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._tracks: list[_Track] = []
        self._before: tuple[int, NDArray[np.uint8]] | None = None

    def update(
        self,
        time_ns: int,
        difference: NDArray[np.uint8],
        moving: NDArray[np.bool_],
        blobs: Sequence[Box],
        detections: Sequence[Box] | None,
    ) -> tuple[Track, ...]:
        """Take one frame and return the objects in it that have been seen often enough.

        Args:
            time_ns: Capture time; rises from call to call.
            difference: (H, W) uint8, by how much each pixel differs from the background.
            moving: (H, W) bool, pixels that differ significantly.
            blobs: Around connected parts of `moving`.
            detections: What the detector found; None if it did not look at this frame.
        """
        size_px = (moving.shape[1], moving.shape[0])
        if self._before is not None:
            hidden = self._hidden()
            for track in self._tracks:
                before = None if track.track_id in hidden else self._before[1]
                track.follow(before, difference, (time_ns - self._before[0]) / _NS_PER_S)
        self._before = time_ns, difference
        free = list(self._tracks)
        if detections is not None:
            sure = [box for box in detections if box.score >= _MIN_SCORE]
            weak = [box for box in detections if box.score < _MIN_SCORE]
            unknown = self._associate(free, sure, _MIN_IOU, size_px)
            self._associate(free, weak, _MIN_IOU, size_px)
            self._begin(time_ns, unknown)
        seen = [track for track in free if not track.label or detections is not None]
        loose = [blob for blob in blobs if self._explained(blob, free) < _COVERED_SHARE * blob.area_px]
        self._begin(time_ns, self._associate(seen, loose, _MIN_BLOB_IOU, size_px))
        for track in self._tracks:
            track.note(time_ns, moving)
        self._tracks = [track for track in self._tracks if track.alive(time_ns, size_px)]
        self._drop_doubles()
        return tuple(track.published() for track in self._tracks if track.confirmed)

    def _hidden(self) -> set[int]:
        """Return the objects that are hardly to be seen behind nearer ones, which they would be mistaken for."""
        boxes = {track.track_id: track.box for track in self._tracks}
        known = [boxes[track.track_id] for track in self._tracks if track.confirmed]
        return {
            track_id
            for track_id, box in boxes.items()
            if sum(box.intersection_px(other) for other in known if other.y1 > box.y1) > _HIDDEN_SHARE * box.area_px
        }

    def _associate(
        self, free: list[_Track], boxes: Sequence[Box], min_iou: float, size_px: tuple[int, int]
    ) -> list[Box]:
        """Give boxes to the tracks they overlap best, which are then no longer free; return the boxes left over."""
        pairs = sorted(
            ((track.box.iou(box), i, j) for i, track in enumerate(free) for j, box in enumerate(boxes)), reverse=True
        )
        used: set[int] = set()
        matched: set[int] = set()
        for iou, i, j in pairs:
            if iou >= min_iou and i not in matched and j not in used:
                free[i].correct(boxes[j], size_px)
                matched.add(i)
                used.add(j)
        free[:] = [track for i, track in enumerate(free) if i not in matched]
        return [box for j, box in enumerate(boxes) if j not in used]

    def _explained(self, blob: Box, free: Iterable[_Track]) -> float:
        """Return how much of a moving region tracks cover that are not looking for a region themselves [px²]."""
        looking = {id(track) for track in free if not track.label}
        return sum(blob.intersection_px(track.box) for track in self._tracks if id(track) not in looking)

    def _begin(self, time_ns: int, boxes: Iterable[Box]) -> None:
        for box in boxes:
            if box.source == "detector" or all(box.iou(track.box) < _MIN_IOU for track in self._tracks):
                self._tracks.append(_Track(next(self._ids), time_ns, box))

    def _drop_doubles(self) -> None:
        """Drop the younger of two tracks that have become one, and regions that are made of known objects."""
        kept: list[_Track] = []
        for track in sorted(self._tracks, key=lambda track: (not track.label, -track.hits)):
            if all(track.box.iou(other.box) < _SAME_IOU for other in kept) and not _made_of(track, kept):
                kept.append(track)
        self._tracks = kept


def _made_of(track: _Track, others: Iterable[_Track]) -> bool:
    """Tell whether a track without a name covers little more than tracks with one."""
    covered = sum(track.box.intersection_px(other.box) for other in others if other.label)
    return not track.label and covered > _COVERED_SHARE * track.box.area_px


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One step of a filter.

    Attributes:
        state: (4, 2) before the step.
        gain: (4, 2, 2), by which a later correction changes the state before the step.
        predicted: (4, 2) after the step, before any correction.
    """

    state: NDArray[np.float64]
    gain: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(slots=True, eq=False)
class _Filter:
    """Kalman filters of centre x, centre y, width and height, each of constant velocity.

    Attributes:
        state: (4, 2) values and their change per second.
        covariance: (4, 2, 2).
        past: What smoothing needs of some frames, the newest last.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    past: deque[_Step] = field(default_factory=lambda: deque(maxlen=_SMOOTHED_FRAMES))

    @classmethod
    def at(cls, values: NDArray[np.float64], size: float) -> _Filter:
        spread = np.array([_DETECTION_NOISE * size, 1.5 * size])
        return cls(np.stack([values, np.zeros(4)], axis=1), np.tile(np.diag(spread**2), (4, 1, 1)))

    def predict(self, elapsed_s: float, size: float) -> None:
        step = np.array([[1.0, elapsed_s], [0.0, 1.0]])
        noise = np.array([[elapsed_s**3 / 3, elapsed_s**2 / 2], [elapsed_s**2 / 2, elapsed_s]])
        strength = size * np.array([_ACCELERATION, _ACCELERATION, _SIZE_ACCELERATION, _SIZE_ACCELERATION])
        before = self.state, self.covariance
        self.state = self.state @ step.T
        self.state[2:, 1] *= np.exp(-elapsed_s / _GROWTH_LASTS_S)
        self.covariance = step @ self.covariance @ step.T + noise * (strength**2)[:, None, None]
        gain = before[1] @ step.T @ np.linalg.inv(self.covariance)
        self.past.append(_Step(before[0], gain, self.state))

    def smoothed(self) -> Iterator[NDArray[np.float64]]:
        """Yield values (4,) of the last frames in the light of what came after, the newest frame first.

        Rauch, Tung, Striebel: "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 1965.
        """
        later = self.state
        yield later[:, 0]
        for step in reversed(self.past):
            later = step.state + np.einsum("aij,aj->ai", step.gain, later - step.predicted)
            yield later[:, 0]

    def correct(self, values: NDArray[np.float64], spread: NDArray[np.float64]) -> None:
        """Take in measured values (4,) of given standard deviations (4,)."""
        total = self.covariance[:, 0, 0] + spread**2
        gain = self.covariance[:, :, 0] / total[:, None]
        self.state = self.state + gain * (values - self.state[:, 0])[:, None]
        self.covariance = self.covariance - gain[:, :, None] * self.covariance[:, None, 0, :]


@dataclass(slots=True, eq=False)
class _Track:
    """One object that is followed."""

    track_id: int
    began_ns: int
    first: Box
    label: str = ""
    hits: int = 1
    measured_ns: int = 0
    seen_ns: int = 0
    filter: _Filter = field(init=False)
    history: deque[TrackPoint] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    travelled: bool = False
    confirmed: bool = False
    _matched: bool = True
    _measured: Box = field(init=False)

    def __post_init__(self) -> None:
        self.label = self.first.label
        self.seen_ns = self.measured_ns = self.began_ns
        self._measured = self.first
        self.filter = _Filter.at(_values(self.first), _size(self.first))

    @property
    def box(self) -> Box:
        x, y, width, height = self.filter.state[:, 0].tolist()
        width = _near(width, self._measured.x1 - self._measured.x0)
        height = _near(height, self._measured.y1 - self._measured.y0)
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, self.label)

    def follow(self, before: NDArray[np.uint8] | None, now: NDArray[np.uint8], elapsed_s: float) -> None:
        """Move to where the object probably is, then to where its difference from the background matches best.

        Args:
            before: (H, W) uint8, the difference when the object was where it is; None if it was not to be seen.
            now: (H, W) uint8, the difference now.
            elapsed_s: Time between the two [s].
        """
        old = self.box
        self.filter.predict(elapsed_s, _size(old))
        self._matched = False
        expected = self.box
        if before is None:
            return
        shift = _shift(before, now, old, (expected.x0 - old.x0, expected.y0 - old.y0))
        if shift is not None:
            values = _values(old) + np.array([*shift, 0.0, 0.0])
            size = _size(old)
            spread = size * np.array([_SHIFT_NOISE] * 2 + [_SIZE_NOISE_WHEN_SHIFTED] * 2) + 0.3
            self.filter.correct(values, spread)

    def correct(self, box: Box, size_px: tuple[int, int]) -> None:
        """Take in a box that was measured."""
        noise = _DETECTION_NOISE if box.source == "detector" else _BLOB_NOISE
        self._measured = self._completed(box, size_px)
        self.filter.correct(_values(self._measured), np.full(4, noise * _size(box) + 0.5))
        self.label = box.label or self.label
        self.hits += 1
        self._matched = True

    def _completed(self, box: Box, size_px: tuple[int, int]) -> Box:
        """Return a box as large as the object is known to be where the picture's border cuts it off."""
        known = self.box
        x0, x1 = _completed(box.x0, box.x1, known.x1 - known.x0, size_px[0])
        y0, y1 = _completed(box.y0, box.y1, known.y1 - known.y0, size_px[1])
        return Box(x0, y0, x1, y1)

    def note(self, time_ns: int, moving: NDArray[np.bool_]) -> None:
        """Remember where the object is, and whether anything speaks for its being there."""
        box = self.box
        self.history.append(TrackPoint(time_ns, *_values(box).tolist()))
        for index, values in enumerate(itertools.islice(self.filter.smoothed(), len(self.history))):
            point = self.history[-1 - index]
            x, y, width, height = values.tolist()
            if index:  # the newest is where the object is taken to be
                self.history[-1 - index] = TrackPoint(point.time_ns, x, y, max(width, 2.0), max(height, 2.0))
        window = _window(box, moving.shape)
        moves = moving[window].mean() > _MOTION_SHARE
        # Two witnesses are enough at once: a detector that names it, and motion.
        self.confirmed |= self.hits >= _CONFIRMED_HITS or bool(moves and self.label)
        if self._matched:
            self.measured_ns = self.seen_ns = time_ns
        elif moves and time_ns - self.measured_ns < _LONG_PATIENCE_S * _NS_PER_S:
            self.seen_ns = time_ns
        start = self.first
        distance = np.hypot(box.x0 + box.x1 - start.x0 - start.x1, box.y0 + box.y1 - start.y0 - start.y1) / 2
        self.travelled |= bool(distance > 0.5 * _size(box))

    def alive(self, time_ns: int, size_px: tuple[int, int]) -> bool:
        box = self.box
        inside = Box(0, 0, *size_px).intersection_px(box)
        return time_ns - self.seen_ns <= _PATIENCE_S * _NS_PER_S and inside > 0.1 * box.area_px

    def published(self) -> Track:
        return Track(self.track_id, self.label, self.began_ns, tuple(self.history), self.travelled)


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


def _window(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of a box inside a picture, at least one of each."""
    (y0, y1), (x0, x1) = (
        (int(np.clip(low, 0, limit - 1)), int(np.clip(np.ceil(high), 1, limit)))
        for low, high, limit in ((box.y0, box.y1, shape[0]), (box.x0, box.x1, shape[1]))
    )
    return slice(y0, max(y1, y0 + 1)), slice(x0, max(x1, x0 + 1))


def _shift(
    before: NDArray[np.uint8], now: NDArray[np.uint8], box: Box, expected: tuple[float, float]
) -> tuple[float, float] | None:
    """Return by how much the difference picture has moved inside a box; None where too little is to be seen."""
    dx, dy = round(expected[0]), round(expected[1])
    rows, columns = (
        _staying(part, shift, side)
        for part, shift, side in zip(_window(box, before.shape), (dy, dx), before.shape, strict=True)
    )
    template = before[rows, columns]
    if min(template.shape) < 4 or template.mean() < 4:
        return None
    searched = now[
        rows.start + dy - _SEARCH_PX : rows.stop + dy + _SEARCH_PX,
        columns.start + dx - _SEARCH_PX : columns.stop + dx + _SEARCH_PX,
    ]
    scores = np.asarray(cv2.matchTemplate(searched, template, cv2.TM_SQDIFF), np.float32)
    row, column = divmod(int(scores.argmin()), scores.shape[1])
    y = row + _parabola(scores[:, column], row)
    x = column + _parabola(scores[row], column)
    return x + dx - _SEARCH_PX, y + dy - _SEARCH_PX


def _staying(part: slice, shift: int, side: int) -> slice:
    """Return what of an interval will still lie in the picture after any shift that is looked for.

    Else an object that leaves the picture would match best where it is cut off, and so seem to stay.
    """
    start = min(max(part.start, _SEARCH_PX - shift), side)
    return slice(start, max(min(part.stop, side - _SEARCH_PX - shift), start))


def _parabola(scores: NDArray[np.float32], index: int) -> float:
    """Return where between its neighbours the minimum lies, -0.5 to 0.5."""
    if not 0 < index < len(scores) - 1:
        return 0.0
    before, here, after = (float(score) for score in scores[index - 1 : index + 2])
    curvature = before - 2 * here + after
    return float(np.clip((before - after) / (2 * curvature), -0.5, 0.5)) if curvature > 0 else 0.0
