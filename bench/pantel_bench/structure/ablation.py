"""What contours bring in pictures, per byte: objects of clips, shown in as many bits with and without them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics import Lpips, contour_f1
from pantel_bench.metrics.recall import SAME_IOU, Recall, kind_of, recall_of, sum_of_recalls
from pantel_bench.structure.specimens import Specimen
from pantel_bench.structure.ways import WAYS, Candidates
from pantel_device.frame import Box
from pantel_device.observer import Detector
from pantel_device.rendering.composition import Window
from pantel_device.rendering.line_drawing import outline_area
from pantel_models import SceneCodec

__all__ = ["LARGE_PX", "AblationRow", "Instruments", "measure_ablation"]

LARGE_PX = 64
"""An object is large from this geometric mean of its sides on."""

_LEAST_SIDE_PX = 64  # of what LPIPS looks at
_RIM_PX = 8


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One way to spend so many bits on an object, over all objects of a size.

    Attributes:
        size: `small` or `large`.
        way: See `WAYS`.
        limit_bits: What an object may take.
        objects: How many there were.
        bits: Mean bits of an object.
        contour_f1: Mean agreement of contours in the object's box.
        lpips: Mean perceptual distance of the object's surroundings; None without weights.
        object_recall: Share of the objects that the judge finds again; None without a judge, or if it finds none.
        judged: How many the judge finds in the source; None without a judge.
    """

    size: str
    way: str
    limit_bits: float
    objects: int
    bits: float
    contour_f1: float
    lpips: float | None
    object_recall: float | None
    judged: int | None


@dataclass(frozen=True, slots=True)
class Instruments:
    """What objects are looked at with.

    Attributes:
        lpips: The perceptual metric; None without weights.
        judge: Finds objects in pictures; None without.
    """

    lpips: Lpips | None = None
    judge: Detector | None = None


@dataclass(frozen=True, slots=True)
class _Scores:
    """How one object is shown; see `AblationRow`."""

    bits: float
    contour_f1: float
    lpips: float | None
    recall: Recall | None


def measure_ablation(
    objects: Sequence[Specimen],
    codec: SceneCodec,
    limits: Sequence[float],
    instruments: Instruments,
    done: Callable[[str], None] = lambda _: None,
) -> list[AblationRow]:
    """Show objects in all ways and compare them with what they are.

    Args:
        objects: From clips.
        codec: Of the artefact, with the generator that is looked at.
        limits: Bits that an object may take.
        instruments: What is measured besides contours.
        done: Called after each object, with its number.
    """
    found: dict[tuple[str, float, str], list[_Scores]] = {}
    for number, specimen in enumerate(objects, start=1):
        size = "large" if specimen.box.area_px >= LARGE_PX**2 else "small"
        wanted = _wanted(specimen, instruments.judge)
        candidates = Candidates(specimen, codec)
        for limit_bits in limits:
            for way, show in WAYS.items():
                shown = show(candidates, limit_bits)
                scores = _scores(specimen, shown.pixels, shown.bits, wanted, instruments)
                found.setdefault((size, limit_bits, way), []).append(scores)
        done(f"{number} of {len(objects)} objects")
    keys = sorted(found, key=lambda key: (key[0], key[1], list(WAYS).index(key[2])))
    return [_row(*key, found[key]) for key in keys]


def _row(size: str, limit_bits: float, way: str, scores: Sequence[_Scores]) -> AblationRow:
    distances = [each.lpips for each in scores if each.lpips is not None]
    recalls = [each.recall for each in scores if each.recall is not None]
    recall = sum_of_recalls(recalls)
    return AblationRow(
        size=size,
        way=way,
        limit_bits=limit_bits,
        objects=len(scores),
        bits=round(fmean(each.bits for each in scores), 1),
        contour_f1=round(fmean(each.contour_f1 for each in scores), 4),
        lpips=round(fmean(distances), 4) if distances else None,
        object_recall=recall.share,
        judged=recall.wanted if recalls else None,
    )


def _scores(
    specimen: Specimen, pixels: NDArray[np.uint8], bits: float, wanted: Box | None, instruments: Instruments
) -> _Scores:
    """Compare a picture of an object with the frame.

    Args:
        specimen: The object.
        pixels: (H, W, 3) uint8, RGB: the picture.
        bits: What it took.
        wanted: The box that a judge finds in the frame; None if it finds none.
        instruments: What is measured besides contours.
    """
    height, width = pixels.shape[:2]
    inside = np.zeros((height, width), np.bool_)
    inside[_window(outline_area(specimen.box), (width, height), 0, 0)] = True
    region = inside & specimen.moving
    lpips = recall = None
    if instruments.lpips is not None:
        window = _window(specimen.raster, (width, height), _RIM_PX, _LEAST_SIDE_PX)
        lpips = instruments.lpips.distance(
            np.ascontiguousarray(specimen.frame[window]), np.ascontiguousarray(pixels[window])
        )
    if instruments.judge is not None:
        recall = recall_of([] if wanted is None else [wanted], instruments.judge.detect(pixels) if wanted else ())
    return _Scores(bits, contour_f1(specimen.frame, pixels, region), lpips, recall)


def _wanted(specimen: Specimen, judge: Detector | None) -> Box | None:
    """Return the box in which a judge finds the object in the frame; None if it does not."""
    boxes = [] if judge is None else [box for box in judge.detect(specimen.frame) if kind_of(box.label)]
    best = max(boxes, key=specimen.box.iou, default=None)
    return best if best is not None and specimen.box.iou(best) >= SAME_IOU else None


def _window(box: Box, size_px: tuple[int, int], rim_px: int, least_px: int) -> Window:
    """Return the pixels of a box and a rim around it, at least so many each way as far as the picture goes."""
    rows, columns = (
        _range(low - rim_px, high + rim_px, least_px, limit)
        for low, high, limit in ((box.y0, box.y1, size_px[1]), (box.x0, box.x1, size_px[0]))
    )
    return rows, columns


def _range(low: float, high: float, least_px: int, limit: int) -> slice:
    missing = max(least_px - (high - low), 0.0)
    start = min(max(math.floor(low - missing / 2), 0), limit)
    stop = min(max(math.ceil(high + missing / 2), start), limit)
    return slice(max(min(start, stop - least_px), 0), max(stop, min(least_px, limit)))
