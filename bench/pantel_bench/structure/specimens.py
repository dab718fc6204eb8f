"""Objects of clips, each where it is seen whole, with the contours that could be sent of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import size_code, size_px
from pantel_codec.thumbnail import shape_of
from pantel_device.frame import Box, Frame
from pantel_device.observer import ContourFinder, Detector, MotionDetector, Observer
from pantel_device.observer.coco import class_id_of
from pantel_device.rendering.composition import raster_box
from pantel_device.rendering.exposure import exposed
from pantel_device.scene_encoding.contours.line_view import LineView
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models import contour_map
from pantel_models.thumbnails import Cutting

__all__ = ["Specimen", "specimens"]

_EVERY_FRAMES = 40
_SETTLING_FRAMES = 30  # until the background is known


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """An object that is seen whole.

    Attributes:
        frame: (H, W, 3) uint8, RGB: the frame.
        background: (H, W, 3) uint8, RGB: what is behind the object, exposed as the frame is.
        moving: (H, W) bool: where the frame differs from that, with a rim.
        contours: (H, W) uint8, 0 or 1: of what moves.
        box: Of the object, centred where it is, as large as the codes say.
        codes: Its width and height.
        raster: Rectangle of its thumbnail's raster.
        cutting: The same on the raster.
        class_id: What the detector took it for, see `pantel_codec.Sprite`.
    """

    frame: NDArray[np.uint8]
    background: NDArray[np.uint8]
    moving: NDArray[np.bool_]
    contours: NDArray[np.uint8]
    box: Box
    codes: tuple[int, int]
    raster: Box
    cutting: Cutting
    class_id: int

    @property
    def shape(self) -> int:
        """See `shape_of`."""
        return shape_of(*self.codes)


def specimens(
    frames: NDArray[np.uint8], detector: Detector | None, find_contours: ContourFinder = contour_map
) -> Iterator[Specimen]:
    """Yield the objects of a clip every 4 s.

    Args:
        frames: (N, H, W, 3) uint8, RGB, ten a second.
        detector: Names objects; None goes by motion alone.
        find_contours: Says where contours are.
    """
    observer = Observer(MotionDetector(), detector)
    for k, pixels in enumerate(frames):
        observation = observer.observe(Frame(k, k * 100_000_000, pixels))
        if k < _SETTLING_FRAMES or k % _EVERY_FRAMES:
            continue
        background = exposed(observation.background, observation.exposure)
        view = LineView(observation, observation.frame.time_ns, find_contours=find_contours)
        for track in observation.tracks:
            seen = ObjectView(observation, track, [track.box])
            raster = raster_box(track.box, seen.margins(track.box))
            cutting = seen.cut(raster)
            whole = min(raster.x0, raster.y0) >= 0 and raster.x1 <= pixels.shape[1] and raster.y1 <= pixels.shape[0]
            if cutting is None or not whole or not cutting.known.all():
                continue
            codes = size_code(track.box.x1 - track.box.x0), size_code(track.box.y1 - track.box.y0)
            now = track.history[-1]
            half = size_px(codes[0]) / 2, size_px(codes[1]) / 2
            box = Box(now.x - half[0], now.y - half[1], now.x + half[0], now.y + half[1], track.label)
            yield Specimen(
                frame=pixels,
                background=background,
                moving=view.moving,
                contours=view.objects,
                box=box,
                codes=codes,
                raster=raster,
                cutting=cutting,
                class_id=class_id_of(track.label),
            )
