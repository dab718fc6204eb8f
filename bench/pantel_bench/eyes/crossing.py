"""Objects of known identity that cross each other's way: how often the tracker takes one for another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Box, Track
from pantel_device.observer import Detector, MotionDetector, Observer

__all__ = [
    "CROSSING_OBJECTS",
    "OBSERVED_PX",
    "SETTLING_S",
    "CrossingScores",
    "TrueBoxes",
    "counted_frames",
    "score_crossing",
]

CROSSING_OBJECTS = 8
_FRAME_NS = 100_000_000
OBSERVED_PX = (320, 240)
"""Width and height of the pictures that an observer is tried with."""

_SAME_IOU = 0.5  # the MOT Challenge's
SETTLING_S = 5.0
"""Until the background is known; what happens before does not count."""

_SETTLING_FRAMES = round(SETTLING_S * 1e9) // _FRAME_NS
_SEEN_SHARE = 0.4  # of an object, from which on a faultless detector finds it


@dataclass(frozen=True, slots=True)
class CrossingScores:
    """What became of the objects' identities.

    Attributes:
        detector: What found the objects.
        detect_every: Frames from one run of it to the next.
        seed: Of the camera.
        seconds: Over how long.
        switches: How often an object in view was followed under another number than before.
        switches_per_minute: The same per minute of the camera, all objects together.
        followed: Share of the instants at which an object in view is followed at all.
    """

    detector: str
    detect_every: int
    seed: int
    seconds: float
    switches: int
    switches_per_minute: float
    followed: float


def counted_frames(seconds: float) -> int:
    """Return how many frames of a run of so many seconds count; none, or less, if it is too short."""
    return _frames(seconds) - _SETTLING_FRAMES


class TrueBoxes:
    """A detector without fault: it finds every object of a test camera that is not mostly hidden, whole."""

    def __init__(self, camera: SyntheticCamera) -> None:
        """Look at what a camera shows."""
        self._camera = camera
        self.now_ns = 0

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the true boxes at `now_ns`; the picture does not matter."""
        del pixels
        truth = self._camera.identified(self.now_ns)
        return tuple(
            replace(box, score=1.0, source="detector")
            for number, box in truth.items()
            if sum(box.intersection_px(other) for nearer, other in truth.items() if nearer > number)
            <= (1 - _SEEN_SHARE) * box.area_px
        )


def score_crossing(
    name: str,
    eyes: Callable[[SyntheticCamera], Detector | None],
    seconds: float,
    seed: int,
    done: Callable[[], None],
    *,
    detect_every: int,
) -> CrossingScores:
    """Follow the eight objects of a test camera.

    Matched as in CLEAR MOT (Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance", 2008) by the
    rules of the MOT Challenge (Milan et al., "MOT16", 2016): pairs of the frame before stay together while they overlap
    enough, and a switch is another track than the last one the object had.

    An object that leaves the picture and comes back may have another number.

    Args:
        name: Of the detector, for the report.
        eyes: Returns the observer's detector for a camera; None for motion alone.
        seconds: Length of the run, so long that `counted_frames` has some.
        seed: Of the camera.
        done: Called after each frame.
        detect_every: Frames from one run of the detector to the next.
    """
    camera = SyntheticCamera(OBSERVED_PX, 1e9 / _FRAME_NS, seed=seed, objects=CROSSING_OBJECTS)
    detector = eyes(camera)
    observer = Observer(MotionDetector(), detector, detect_every=detect_every)
    known: dict[int, int] = {}
    matched: dict[int, int] = {}
    switches = seen = followed = 0
    for k in range(_frames(seconds)):
        frame = camera.capture(k * _FRAME_NS)
        if frame is None:
            raise AssertionError("the test camera has a frame for every instant")
        if isinstance(detector, TrueBoxes):
            detector.now_ns = frame.time_ns
        tracks = observer.observe(frame).tracks
        truth = camera.identified(k * _FRAME_NS)
        known = {number: track_id for number, track_id in known.items() if number in truth}
        if k >= _SETTLING_FRAMES:
            matched = _matched(truth, tracks, matched)
            switches += sum(number in known and known[number] != track_id for number, track_id in matched.items())
            known |= matched
            seen += len(truth)
            followed += len(matched)
        done()
    counted_s = counted_frames(seconds) * _FRAME_NS / 1e9
    return CrossingScores(
        detector=name,
        detect_every=detect_every,
        seed=seed,
        seconds=counted_s,
        switches=switches,
        switches_per_minute=60 * switches / counted_s,
        followed=followed / max(seen, 1),
    )


def _frames(seconds: float) -> int:
    return round(seconds * 1e9) // _FRAME_NS


def _matched(truth: dict[int, Box], tracks: tuple[Track, ...], before: dict[int, int]) -> dict[int, int]:
    """Return which track follows which object: that of the frame before while it fits, then the best."""
    boxes = {track.track_id: track.box.clipped(OBSERVED_PX) for track in tracks}
    pairs = ((box.iou(other), number, track_id) for number, box in truth.items() for track_id, other in boxes.items())
    fitting = [
        (before.get(number) == track_id, iou, number, track_id) for iou, number, track_id in pairs if iou >= _SAME_IOU
    ]
    matched: dict[int, int] = {}
    for _, _, number, track_id in sorted(fitting, reverse=True):
        if number not in matched and track_id not in matched.values():
            matched[number] = track_id
    return matched
