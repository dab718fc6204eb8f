"""Follows objects from frame to frame, so that each keeps its identity and has a trajectory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Track
from pantel_device.observer.camera_motion import CameraMotion
from pantel_device.observer.crowd import edge_owners
from pantel_device.observer.tracked_object import EVIDENT_S, TrackedObject

__all__ = ["SURE_SCORE", "WEAK_SCORE", "Tracker"]

SURE_SCORE = 0.35
"""Of a detection that begins a track; weaker ones only continue one."""

WEAK_SCORE = 0.15
"""Of a detection that is worth asking a detector for."""

_NS_PER_S = 1e9
_MIN_IOU = 0.25
_MIN_BLOB_IOU = 0.5  # of a moving region with a track: regions merge and fall apart
_MIN_SAME_BLOB_IOU = 0.6  # with a track that has a name and would wait for the detector else
_SHARE_OF_BLOB = 0.15  # from which on a track has a share of a moving region
_SHARE_IN_BLOB = 0.3  # of itself that it must have there
_INSIDE_SHARE = 0.8  # of a track in another one
_COVERED_SHARE = 0.5  # of a moving region that known objects explain
_HIDDEN_SHARE = 0.5  # of an object, by others that are nearer; then it cannot be followed
_SAME_IOU = 0.7  # of two tracks that follow one object
_MEMORY_S = 2.0  # in which an object that was given up may come back
_NEAR_IOU = 0.3  # of boxes that are widened
_WIDENED = 0.4  # by that share of their sides on each side
_WIDENED_PER_S = 0.4  # and more the longer an object was not seen


class Tracker:
    """Joins detections and moving regions over time.

    Detections are associated in two stages, the sure ones first and then the weak ones with the tracks that are left
    (Zhang et al., "ByteTrack", ECCV 2022); moving regions stand in for what the detector does not know. In between each
    object is followed by matching its difference from the background, of which the background itself is no part. A
    Kalman filter of constant velocity smooths the boxes, and what comes later corrects where objects were before.

    What is left over of boxes and tracks is then compared with boxes widened on all sides (Yang et al., "Hard to track
    objects with irregular motions and similar appearances? Make it easier by buffering the matching space", WACV 2023),
    and a track that was given up is remembered for two seconds, to be taken up again where it is expected by then.
    """

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._tracks: list[TrackedObject] = []
        self._lost: list[TrackedObject] = []
        self._now_ns = 0
        self._known: dict[int, Box] = {}
        self._before: tuple[int, NDArray[np.uint8]] | None = None

    def update(
        self,
        time_ns: int,
        difference: NDArray[np.uint8],
        moving: NDArray[np.bool_],
        blobs: Sequence[Box],
        detections: Sequence[Box] | None,
        *,
        camera: CameraMotion | None = None,
    ) -> tuple[Track, ...]:
        """Take one frame and return the objects in it that have been seen often enough.

        Args:
            time_ns: Capture time; rises from call to call.
            difference: (H, W) uint8, by how much each pixel differs from the background.
            moving: (H, W) bool, pixels that differ significantly.
            blobs: Around connected parts of `moving`.
            detections: What the detector found; None if it did not look at this frame.
            camera: How the camera has moved since the frame before; None if it stands still.
        """
        size_px = (moving.shape[1], moving.shape[0])
        if self._before is not None:
            elapsed_s = (time_ns - self._before[0]) / _NS_PER_S
            nearer = self._nearer()
            for track in self._tracks:
                box, covers = track.box, nearer[track.track_id]
                track.hidden = sum(box.intersection_px(other) for other in covers) > _HIDDEN_SHARE * box.area_px
                track.follow(None if track.hidden else self._before[1], difference, elapsed_s, covers, camera)
            for track in self._lost:
                track.follow(None, difference, elapsed_s, camera=camera)
        self._before = time_ns, difference
        self._now_ns = time_ns
        self._known = {track.track_id: track.box for track in self._tracks if track.evident(time_ns)}
        free = list(self._tracks)
        if detections is not None:
            sure = [box for box in detections if box.score >= SURE_SCORE]
            weak = [box for box in detections if box.score < SURE_SCORE]
            unknown = self._associate(free, sure, _MIN_IOU, size_px)
            self._associate(free, weak, _MIN_IOU, size_px)
            self._begin(time_ns, self._found_near(free, unknown, size_px))
        named = [track for track in free if track.label]
        own, shared = self._own_and_shared(blobs)
        own = self._associate(named, own, _MIN_SAME_BLOB_IOU, size_px)
        free = [track for track in free if not track.matched]
        seen = [track for track in free if not track.label or detections is not None]
        loose = self._loose(own, free)
        left = self._associate(seen, loose, _MIN_BLOB_IOU, size_px)
        self._begin(time_ns, self._found_near(seen, left, size_px))
        unmatched = [track for track in self._tracks if not track.matched]
        waiting = {track.track_id: track for track in unmatched}
        for blob in shared:
            for track_id, centres in edge_owners(blob, self._known).items():
                if track_id in waiting:
                    waiting[track_id].align(centres)
        for track in unmatched:
            for blob in shared:
                if track.box.intersection_px(blob) > _COVERED_SHARE * track.box.area_px:
                    track.join(blob)
        measured = [track.box for track in self._tracks if track.matched] if unmatched else []
        for track in self._tracks:
            track.note(time_ns, moving, () if track.matched or track.label else measured)
        self._give_up(time_ns, size_px)
        self._drop_doubles()
        return tuple(track.published() for track in self._tracks if track.evident(time_ns))

    def _nearer(self) -> dict[int, list[Box]]:
        """Return, of each object, what overlaps it and is nearer.

        Of two that overlap the one that was measured is nearer, and else the one that stands lower in the picture.
        """
        known = [(track.matched, track.box) for track in self._tracks if track.evident(self._now_ns)]
        found = {}
        for track in self._tracks:
            box = track.box
            found[track.track_id] = [
                other
                for seen, other in known
                if box.intersection_px(other) > 0 and (seen, other.y1) > (track.matched, box.y1)
            ]
        return found

    def _associate(
        self, free: list[TrackedObject], boxes: Sequence[Box], min_iou: float, size_px: tuple[int, int]
    ) -> list[Box]:
        """Give boxes to the tracks they overlap best, which are then no longer free; return the boxes left over."""
        tracked = [track.box.clipped(size_px) for track in free]
        pairs = sorted(
            ((known.iou(box), i, j) for i, known in enumerate(tracked) for j, box in enumerate(boxes)), reverse=True
        )
        used: set[int] = set()
        matched: set[int] = set()
        for iou, i, j in pairs:
            if iou >= min_iou and i not in matched and j not in used:
                free[i].correct(boxes[j], size_px, self._others(free[i]))
                matched.add(i)
                used.add(j)
        free[:] = [track for i, track in enumerate(free) if i not in matched]
        return [box for j, box in enumerate(boxes) if j not in used]

    def _others(self, track: TrackedObject) -> list[Box]:
        return [box for track_id, box in self._known.items() if track_id != track.track_id]

    def _found_near(self, free: list[TrackedObject], boxes: Sequence[Box], size_px: tuple[int, int]) -> list[Box]:
        """Give boxes to tracks of like size nearby, then to those that were given up; return the boxes left over."""
        left = _near_pairs(free, boxes, size_px, self._now_ns)
        free[:] = [track for track in free if not track.matched]
        left = _near_pairs(self._lost, left, size_px, self._now_ns)
        self._tracks += [track for track in self._lost if track.matched]
        self._lost = [track for track in self._lost if not track.matched]
        return left

    def _give_up(self, time_ns: int, size_px: tuple[int, int]) -> None:
        """Set tracks aside of which nothing has been seen for long; forget those that were set aside long ago."""
        self._lost = [track for track in self._lost if time_ns - track.lost_ns <= _MEMORY_S * _NS_PER_S]
        kept = []
        for track in self._tracks:
            if track.alive(time_ns, size_px):
                kept.append(track)
            elif track.confirmed:
                track.lost_ns = time_ns
                self._lost.append(track)
        self._tracks = kept

    def _own_and_shared(self, blobs: Sequence[Box]) -> tuple[list[Box], list[Box]]:
        """Return the moving regions that belong to one object at most, and those that several have a share of."""
        known = [track.box for track in self._tracks if track.evident(self._now_ns)]
        own: list[Box] = []
        shared: list[Box] = []
        for blob in blobs:
            owners = sum(
                blob.intersection_px(box) > max(_SHARE_OF_BLOB * blob.area_px, _SHARE_IN_BLOB * box.area_px)
                for box in known
            )
            (own if owners <= 1 else shared).append(blob)
        return own, shared

    def _loose(self, blobs: Sequence[Box], free: Iterable[TrackedObject]) -> list[Box]:
        """Return the moving regions that are hardly covered by tracks which are not looking for a region themselves."""
        looking = {id(track) for track in free if not track.label}
        settled = [track.box for track in self._tracks if id(track) not in looking]
        return [
            blob for blob in blobs if sum(blob.intersection_px(box) for box in settled) < _COVERED_SHARE * blob.area_px
        ]

    def _begin(self, time_ns: int, boxes: Iterable[Box]) -> None:
        for box in boxes:
            if box.source == "detector" or all(box.iou(track.box) < _MIN_IOU for track in self._tracks):
                self._tracks.append(TrackedObject(next(self._ids), time_ns, box))

    def _drop_doubles(self) -> None:
        """Drop the younger of two tracks that have become one, and regions that are made of known objects."""
        kept: list[TrackedObject] = []
        for track in sorted(self._tracks, key=lambda track: (not track.label, -track.hits)):
            if not any(_doubles(track, other) for other in kept) and not _made_of(track, kept, self._now_ns):
                kept.append(track)
        self._tracks = kept


def _doubles(track: TrackedObject, other: TrackedObject) -> bool:
    """Tell whether two tracks follow one object; two that are known well may be one behind the other."""
    apart = track.label and other.label and track.well_known and other.well_known
    return not apart and track.box.iou(other.box) >= _SAME_IOU


def _near_pairs(
    tracks: Sequence[TrackedObject], boxes: Sequence[Box], size_px: tuple[int, int], now_ns: int
) -> list[Box]:
    """Give boxes to tracks whose widened boxes they overlap best; return the boxes left over."""
    pairs = []
    for i, track in enumerate(tracks):
        share = _WIDENED + _WIDENED_PER_S * (now_ns - track.seen_ns) / _NS_PER_S
        around = _widened(track.box, share)
        for j, box in enumerate(boxes):
            if track.may_be(box, size_px):
                pairs.append((around.iou(_widened(box, share)), i, j))
    used: set[int] = set()
    for iou, i, j in sorted(pairs, reverse=True):
        if iou >= _NEAR_IOU and not tracks[i].matched and j not in used:
            tracks[i].correct(boxes[j], size_px)
            used.add(j)
    return [box for j, box in enumerate(boxes) if j not in used]


def _widened(box: Box, share: float) -> Box:
    x, y = share * (box.x1 - box.x0), share * (box.y1 - box.y0)
    return Box(box.x0 - x, box.y0 - y, box.x1 + x, box.y1 + y)


def _made_of(track: TrackedObject, others: Iterable[TrackedObject], now_ns: int) -> bool:
    """Tell whether a track covers little more than tracks with a name, or lies within one that is surer."""
    box = track.box
    if not track.label:
        covered = sum(box.intersection_px(other.box) for other in others if other.label)
        if covered > _COVERED_SHARE * box.area_px:
            return True
    vague = not track.matched and not track.hidden and now_ns - track.measured_ns > EVIDENT_S * _NS_PER_S
    return vague and any(
        box.intersection_px(other.box) > _INSIDE_SHARE * box.area_px for other in others if other.matched
    )
