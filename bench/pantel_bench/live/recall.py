"""What of the objects in the source can be found again: where they are shown, and by looking at the pictures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import ClipSource
from pantel_bench.metrics.recall import SAME_IOU, Recall, kind_of, recall_of, sum_of_recalls
from pantel_device.frame import Box
from pantel_device.observer.detector import Detector

__all__ = ["JudgedSource", "object_recall", "object_recall_ceiling", "pose_recall"]

_EVERY = 5  # instants; two a second
_MOVING_SHARE = 0.2
_MARGIN_PX = 4
_GROWTH = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_SOFTNESS_PX = 1.5


class JudgedSource:
    """The objects that a judge finds in a source, at two instants a second.

    People, vehicles and animals count, and only where something moves: at least a fifth of the box belongs to the
    moving region. A parked car is background, and whoever stands still for most of the run is, too.

    Args:
        source: The frames.
        judge: A detector of the caller's, not of the sender's.

    Attributes:
        source: As given.
        judge: As given.
    """

    def __init__(self, source: ClipSource, judge: Detector) -> None:
        self.source = source
        self.judge = judge
        self._boxes: dict[int, tuple[Box, ...]] = {}

    @property
    def instants(self) -> range:
        """The instants at which is looked."""
        return range(_EVERY - 1, len(self.source), _EVERY)

    def boxes(self, k: int) -> tuple[Box, ...]:
        """Return the boxes in frame k that count."""
        if k not in self._boxes:
            moving = self.source.moving(k)
            found = self.judge.detect(self.source.frames[k])
            self._boxes[k] = tuple(box for box in found if kind_of(box.label) and _moves(box, moving))
        return self._boxes[k]


def pose_recall(judged: JudgedSource, shown: Sequence[Sequence[Box]], delay_s: float) -> Recall:
    """Return how many boxes in the source the box of a shown sprite covers, with an IoU of at least 0.5.

    Args:
        judged: The source.
        shown: The boxes of the sprites on show at each instant; they may reach beyond the picture.
        delay_s: Play-out delay.
    """
    found = wanted = 0
    for k in judged.instants:
        sprites = [box.clipped(judged.source.size_px) for box in shown[k]]
        boxes = judged.boxes(judged.source.delayed(k, delay_s))
        wanted += len(boxes)
        found += sum(any(sprite.iou(box) >= SAME_IOU for sprite in sprites) for box in boxes)
    return Recall(found, wanted)


def object_recall(judged: JudgedSource, shown: Sequence[NDArray[np.uint8] | None], delay_s: float) -> Recall:
    """Return how many boxes in the source the judge finds again in the picture on show: same kind, IoU at least 0.5.

    Args:
        judged: The source.
        shown: (H, W, 3) uint8 for each instant; None before the first picture.
        delay_s: Play-out delay.
    """
    recalls = []
    seen: NDArray[np.uint8] | None = None
    found: tuple[Box, ...] = ()
    for k in judged.instants:
        boxes = judged.boxes(judged.source.delayed(k, delay_s))
        picture = shown[k]
        if picture is not seen and boxes:
            seen, found = picture, () if picture is None else judged.judge.detect(picture)
        recalls.append(recall_of(boxes, found if boxes else ()))
    return sum_of_recalls(recalls)


def object_recall_ceiling(judged: JudgedSource, delay_s: float) -> Recall:
    """Return the `object_recall` of ideal pictures: the true objects with soft edges on the true background.

    The background is the temporal median. Of the source, those pixels are laid over it that move and lie in a box that
    counts, or within 4 pixels of one.

    Args:
        judged: The source.
        delay_s: Play-out delay; as no picture is late, it only decides which instants are looked at.
    """
    recalls = []
    for k in judged.instants:
        compared = judged.source.delayed(k, delay_s)
        boxes = judged.boxes(compared)
        recalls.append(recall_of(boxes, judged.judge.detect(_ideal(judged, compared)) if boxes else ()))
    return sum_of_recalls(recalls)


def _ideal(judged: JudgedSource, k: int) -> NDArray[np.uint8]:
    """Return frame k as (H, W, 3) uint8 with nothing but its objects."""
    source = judged.source
    inside = np.zeros(source.median.shape[:2], np.uint8)
    for box in judged.boxes(k):
        rows = slice(max(int(box.y0) - _MARGIN_PX, 0), int(box.y1) + _MARGIN_PX + 1)
        columns = slice(max(int(box.x0) - _MARGIN_PX, 0), int(box.x1) + _MARGIN_PX + 1)
        inside[rows, columns] = 1
    solid = cv2.morphologyEx(source.moving(k).astype(np.uint8), cv2.MORPH_CLOSE, _GROWTH)
    mask = cv2.dilate(np.minimum(solid, inside), _GROWTH).astype(np.float32)
    alpha = np.asarray(cv2.GaussianBlur(mask, (0, 0), _SOFTNESS_PX), np.float32)[..., None]
    above = source.frames[k].astype(np.float32) - source.median
    return np.asarray(np.rint(source.median + alpha * above), np.uint8)


def _moves(box: Box, moving: NDArray[np.bool_]) -> bool:
    inside = moving[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))]
    return inside.size > 0 and float(inside.mean()) >= _MOVING_SHARE
