"""Measures of all pictures of a codec at one rate together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics import Lpips, Moments, frechet_distance
from pantel_bench.metrics.recall import kind_of, recall_of, sum_of_recalls
from pantel_bench.still import StillRow
from pantel_device.frame import Box
from pantel_device.observer.detector import Detector

__all__ = ["SetScores", "measure_sets"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SetScores:
    """What a codec made of all pictures at one rate.

    Attributes:
        codec: Name of the codec.
        target_bpp: Rate asked for [bit/pixel].
        images: Number of pictures.
        frechet_squeeze: Frechet distance on features of SqueezeNet; None without its weights.
        object_recall: Share of the people, vehicles and animals that the judge finds in the sources and again, with
            an IoU of at least 0.5, in the decoded pictures; None without a judge, or without any of them.
        objects: How many it finds in the sources; None without a judge.
    """

    codec: str
    target_bpp: float
    images: int
    frechet_squeeze: float | None
    object_recall: float | None
    objects: int | None


def measure_sets(
    rows: Sequence[StillRow],
    sources: Mapping[str, Pixels],
    lpips: Lpips | None,
    judge: Detector | None,
    done: Callable[[str], None] = lambda _: None,
) -> list[SetScores]:
    """Measure the decoded pictures of rows that have any, codec by codec and rate by rate.

    Args:
        rows: The rows; a peer's picture is that of its best LPIPS, or PSNR without the weights.
        sources: (H, W, 3) uint8 RGB of each picture by its name.
        lpips: Gives the features.
        judge: Looks for objects.
        done: Is told of each set that has been measured.
    """
    groups: dict[tuple[str, float], list[StillRow]] = {}
    for row in rows:
        if row.pixels is not None:
            groups.setdefault((row.codec, row.target_bpp), []).append(row)
    moments = {name: _moments(lpips, pixels) for name, pixels in sources.items()} if lpips else {}
    wanted = {name: _objects(judge, pixels) for name, pixels in sources.items()} if judge else {}
    found = []
    for (codec, target_bpp), group in groups.items():
        distance = recall = objects = None
        pictures = [(row.image, row.pixels) for row in group if row.pixels is not None]
        if lpips:
            before = _sum([moments[image] for image, _ in pictures])
            distance = frechet_distance(before, _sum([_moments(lpips, pixels) for _, pixels in pictures]))
        if judge:
            again = sum_of_recalls(recall_of(wanted[image], judge.detect(pixels)) for image, pixels in pictures)
            recall, objects = again.share, again.wanted
        found.append(SetScores(codec, target_bpp, len(group), distance, recall, objects))
        done(f"{codec} {target_bpp:g}")
    return found


def _moments(lpips: Lpips, pixels: Pixels) -> Moments:
    return Moments.of(lpips.features(pixels))


def _sum(moments: Sequence[Moments]) -> Moments:
    first, *others = moments
    for other in others:
        first = first + other
    return first


def _objects(judge: Detector, pixels: Pixels) -> list[Box]:
    return [box for box in judge.detect(pixels) if kind_of(box.label)]
