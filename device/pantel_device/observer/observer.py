"""The observer: from a frame to what matters in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.frame import Box, CameraPlace, Frame, Observation, Track
from pantel_device.observer.alarms import AlarmWatch
from pantel_device.observer.camera_motion import moved_place
from pantel_device.observer.detector import Detector
from pantel_device.observer.detector_outage import DetectorOutage
from pantel_device.observer.motion import MotionDetector
from pantel_device.observer.pace import DetectorPace
from pantel_device.observer.regions import RegionRules, Regions
from pantel_device.observer.roi import roi_mask
from pantel_device.observer.tracker import SURE_SCORE, Tracker
from pantel_device.rendering.exposure import exposed, exposure_between

__all__ = ["Observer"]

_SAME_OBJECT_IOU = 0.5  # at least half, or two walkers would both take the box of the pair
_COVERED_SHARE = 0.5
_ABSORBED_AFTER_S = 60.0  # an object that has stood so long belongs to the background
_RIM_PX = 3  # moving pixels that a box just misses


class Observer:
    """Joins motion, and a detector if there is one.

    The detector is slow, so it runs on every n-th frame. On the frames between, what it recognized goes with the
    moving box that overlaps it best, and stays in place where nothing moves. While the detector fails, motion alone
    decides.
    """

    def __init__(
        self,
        motion: MotionDetector,
        detector: Detector | None = None,
        *,
        detect_every: int | DetectorPace = 5,
        margin_px: float = 4.0,
        region_of_interest: bool = True,
        rules: RegionRules | None = None,
    ) -> None:
        """Put an observer together.

        Args:
            motion: Of this camera; it learns the camera's background.
            detector: Names objects, moving or not; None leaves it at motion.
            detect_every: Frames from one run of the detector to the next, at least 1, or what finds that out.
            margin_px: By how much the region of interest is wider than the boxes [px].
            region_of_interest: False makes the whole picture the region, whatever moves in it; for comparing.
            rules: What the operator decided of objects and zones.
        """
        self._motion = motion
        self._detector = detector
        self._pace = detect_every if isinstance(detect_every, DetectorPace) else None
        self._detect_every = 1 if isinstance(detect_every, DetectorPace) else detect_every
        self._margin_px = margin_px
        self._region_of_interest = region_of_interest
        rules = rules or RegionRules()
        self._regions = Regions(rules)
        self._alarms = AlarmWatch(rules.zones)
        self._tracker = Tracker()
        self._still = _Standstill()
        self._recognized: tuple[Box, ...] = ()
        self._until_detection = 0
        self._camera = CameraPlace()
        self._outage = DetectorOutage()

    def observe(self, frame: Frame) -> Observation:
        """Return what moves or is recognized in a frame.

        Where nothing is, the whole picture is the region of interest: a still photograph is all of interest.
        """
        if self._pace is None:
            return self._observe(frame, self._detected(frame))
        began_s = self._pace.clock()
        found = self._detected(frame)
        detected_s = self._pace.clock()
        observation = self._observe(frame, found)
        self._pace.note(None if found is None else detected_s - began_s, self._pace.clock() - detected_s)
        self._detect_every = self._pace.every_frames
        return observation

    def _detected(self, frame: Frame) -> tuple[Box, ...] | None:
        """Return what the detector finds; None if it does not look at this frame, or fails."""
        if self._detector is None:
            return None
        self._until_detection -= 1
        if self._until_detection > 0 or self._outage.bars(frame.time_ns):
            return None
        self._until_detection = self._detect_every
        try:
            found = self._detector.detect(frame.pixels)
        except DetectorError as error:
            self._outage.failed(error, frame.time_ns)
            self._recognized = ()  # nobody would say when it has gone
            return None
        self._outage.worked(frame.time_ns)
        return found

    def _observe(self, frame: Frame, found: tuple[Box, ...] | None) -> Observation:
        motion = self._motion.detect(frame)
        if found is None:
            self._recognized = tuple(_carried(box, motion.boxes) for box in self._recognized)
        else:
            self._recognized = tuple(box for box in found if box.score >= SURE_SCORE)
        height, width = frame.pixels.shape[:2]
        moved = motion.since_rest or motion.camera
        if moved is not None:
            self._camera = moved_place(self._camera, moved, (width, height))
        background = self._motion.background
        exposure = exposure_between(frame.pixels, background)
        difference = cv2.absdiff(frame.pixels, exposed(background, exposure)).max(axis=2)
        tracks = self._tracker.update(frame.time_ns, difference, motion.mask, motion.boxes, found, camera=motion.camera)
        darker, hidden = (-exposure[0], -exposure[1], -exposure[2]), self._hidden(tracks, motion.mask, frame.time_ns)
        self._motion.learn(exposed(frame.pixels, darker), frame.time_ns, hidden)
        events = self._alarms.look(tracks, (width, height), frame.time_ns)
        tracks = self._regions.choose(tracks, (width, height), frame.time_ns)
        boxes = self._regions.worth_boxing(_joined(self._recognized, motion.boxes), (width, height))
        mask = roi_mask(boxes if self._region_of_interest else (), (width, height), self._margin_px)
        return Observation(
            frame=frame,
            boxes=boxes,
            mask=mask,
            motion=motion.mask,
            background=self._motion.background,
            exposure=exposure,
            difference=np.asarray(difference, np.uint8),
            tracks=tracks,
            events=tuple(events),
            camera=self._camera,
        )

    def _hidden(self, tracks: Sequence[Track], moving: NDArray[np.bool_], now_ns: int) -> NDArray[np.bool_]:
        """Return (H, W) bool: where objects hide the background, those left out that seem to belong to it by now."""
        hidden = np.zeros(moving.shape, np.bool_)
        for track in tracks:
            still_s = self._still.update(track, now_ns)
            if (track.label or track.travelled) and still_s < _ABSORBED_AFTER_S:
                box = track.box
                rows = slice(max(int(box.y0) - _RIM_PX, 0), max(int(box.y1) + _RIM_PX, 0))
                columns = slice(max(int(box.x0) - _RIM_PX, 0), max(int(box.x1) + _RIM_PX, 0))
                hidden[rows, columns] |= moving[rows, columns]
        self._still.keep(track.track_id for track in tracks)
        return cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


class _Standstill:
    """How long each object has stood where it is."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float, float]] = {}

    def update(self, track: Track, now_ns: int) -> float:
        """Take note of where an object is and return for how long it has stood there [s]."""
        now = track.history[-1]
        since = self._since.get(track.track_id)
        if since is None or max(abs(now.x - since[1]), abs(now.y - since[2])) > 0.25 * max(now.width, now.height):
            since = self._since[track.track_id] = now_ns, now.x, now.y
        return (now_ns - since[0]) / 1e9

    def keep(self, track_ids: Iterable[int]) -> None:
        """Forget all other objects."""
        self._since = {track_id: self._since[track_id] for track_id in track_ids}


def _carried(recognized: Box, moving: Sequence[Box]) -> Box:
    """Return a recognized box at the place of the moving box that it has become, if there is one."""
    nearest = max(moving, key=recognized.iou, default=recognized)
    if recognized.iou(nearest) < _SAME_OBJECT_IOU:
        return recognized
    return replace(recognized, x0=nearest.x0, y0=nearest.y0, x1=nearest.x1, y1=nearest.y1)


def _joined(recognized: Sequence[Box], moving: Sequence[Box]) -> tuple[Box, ...]:
    """Return all recognized boxes and the moving ones that they do not explain, largest first.

    A group of walkers is often one moving box but several recognized ones.
    """
    unexplained = (
        box for box in moving if sum(box.intersection_px(other) for other in recognized) < _COVERED_SHARE * box.area_px
    )
    return tuple(sorted((*recognized, *unexplained), key=lambda box: -box.area_px))
