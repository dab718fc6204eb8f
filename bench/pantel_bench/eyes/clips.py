"""The observer on clips: what of the people and vehicles is a region while it moves, and what else is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics.recall import kind_of
from pantel_device.cameras import open_camera
from pantel_device.errors import CameraNameError
from pantel_device.frame import Box, Frame
from pantel_device.observer import Detector, MotionDetector, Observer

__all__ = ["ClipScores", "score_clip"]

_EVERY = 5  # instants; the judge looks twice a second
_SETTLING_FRAMES = 20  # until the background is known
_LEAST_HEIGHT = 0.08  # of the picture
_MOVING_SHARE = 0.2  # of a box, that belongs to the moving region
_SAME_IOU = 0.3
_MOVER_PX = 60  # area from which on a part of the moving region is a mover


@dataclass(frozen=True, slots=True)
class ClipScores:
    """What the observer makes of a clip.

    Attributes:
        clip: File name.
        seconds: Length.
        wanted: Moving people and vehicles that the judge found in the full-size source, over all instants.
        matched: Share of them that a track covers with an IoU of at least 0.3; None without any.
        needless: Regions per picture that hold neither one of the judge's boxes nor a mover.
        tracks: How many tracks there were.
        fragments_per_object: Tracks that followed a moving object of the judge's, over how many there must have been at
            least: the most in view at a time.
        observer_ms: Mean time of the observer for a frame [ms].
        observer_p95_ms: The time that 95 % of the frames keep to [ms].
    """

    clip: str
    seconds: float
    wanted: int
    matched: float | None
    needless: float
    tracks: int
    fragments_per_object: float | None
    observer_ms: float
    observer_p95_ms: float


def score_clip(
    clip: Path,
    seconds: float,
    detector: Detector | None,
    judge: Detector,
    done: Callable[[], None],
    *,
    detect_every: int,
) -> ClipScores:
    """Let the observer look at a clip at ten frames a second and 320x240, and compare with a judge.

    Args:
        clip: Video file; one that is too short is played forwards and backwards.
        seconds: Length of the run.
        detector: Of the observer; None for motion alone.
        judge: Looks at the source in full size.
        done: Called after each frame.
        detect_every: Frames from one run of the detector to the next.

    Raises:
        CameraError: The clip cannot be read.
    """
    source = ClipSource(f"file:{clip}", seconds)
    large_px = _size_of(clip)
    scale = source.size_px[0] / large_px[0], source.size_px[1] / large_px[1]
    large = open_camera(f"file:{clip}", large_px, 1e9 / FRAME_INTERVAL_NS)
    observer = Observer(MotionDetector(), detector, detect_every=detect_every)
    wanted = matched = needless = judged = most = 0
    followers: set[int] = set()
    seen: set[int] = set()
    times_ms = []
    for k in range(len(source)):
        frame = Frame(k, k * FRAME_INTERVAL_NS, source.frames[k].copy())
        whole = large.capture(k * FRAME_INTERVAL_NS)
        began_s = time.perf_counter()
        observation = observer.observe(frame)
        times_ms.append(1e3 * (time.perf_counter() - began_s))
        seen |= {track.track_id for track in observation.tracks}
        if whole is not None and k % _EVERY == _EVERY - 1 and k >= _SETTLING_FRAMES:
            judged += 1
            moving = source.moving(k)
            found = [_scaled(box, scale) for box in judge.detect(whole.pixels) if kind_of(box.label) in _KINDS]
            movers = [box for box in found if _is_tall(box, source) and _moves(box, moving)]
            boxes = {track.track_id: track.box.clipped(source.size_px) for track in observation.tracks}
            wanted += len(movers)
            most = max(most, len(movers))
            for mover in movers:
                fits = [track_id for track_id, box in boxes.items() if box.iou(mover) >= _SAME_IOU]
                matched += bool(fits)
                followers.update(fits)
            needless += sum(not _holds_any(box, found) and not _holds_mover(box, moving) for box in boxes.values())
        done()
    large.close()
    return ClipScores(
        clip=clip.name,
        seconds=seconds,
        wanted=wanted,
        matched=matched / wanted if wanted else None,
        needless=needless / max(judged, 1),
        tracks=len(seen),
        fragments_per_object=len(followers) / most if most else None,
        observer_ms=float(np.mean(times_ms)),
        observer_p95_ms=float(np.percentile(times_ms, 95)),
    )


_KINDS = ("person", "vehicle")


def _size_of(clip: Path) -> tuple[int, int]:
    """Return width and height of a clip [px]."""
    try:
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            return stream.width, stream.height
    except (av.FFmpegError, IndexError) as error:
        raise CameraNameError(f"{clip} is no clip; name another file") from error


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return Box(box.x0 * scale[0], box.y0 * scale[1], box.x1 * scale[0], box.y1 * scale[1], box.label, box.score)


def _is_tall(box: Box, source: ClipSource) -> bool:
    return box.y1 - box.y0 > _LEAST_HEIGHT * source.size_px[1]


def _part(box: Box, picture: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, columns = (
        slice(max(int(low), 0), max(int(np.ceil(high)), 0)) for low, high in ((box.y0, box.y1), (box.x0, box.x1))
    )
    return picture[rows, columns]


def _moves(box: Box, moving: NDArray[np.bool_]) -> bool:
    inside = _part(box, moving)
    return inside.size > 0 and float(inside.mean()) >= _MOVING_SHARE


def _holds_any(region: Box, boxes: Sequence[Box]) -> bool:
    """Tell whether at least half of one of the boxes lies in a region, or half of the region in it."""
    return any(region.intersection_px(box) >= 0.5 * min(box.area_px, region.area_px) for box in boxes)


def _holds_mover(region: Box, moving: NDArray[np.bool_]) -> bool:
    """Tell whether a fifth of a region moves, or a connected part of what moves lies in it that is large by itself."""
    inside = np.ascontiguousarray(_part(region, moving)).astype(np.uint8)
    if inside.size == 0 or _moves(region, moving):
        return inside.size > 0
    _, _, statistics, _ = cv2.connectedComponentsWithStats(inside)
    return bool((statistics[1:, cv2.CC_STAT_AREA] >= _MOVER_PX).any())
