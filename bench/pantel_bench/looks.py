"""Which way of coding an object's look takes fewer bits: the thumbnail, or latent cells under the thumbnail's mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, Background, Block, Part, size_code
from pantel_codec.thumbnail import THUMBNAIL_QUALITIES, shape_of
from pantel_device.frame import Box, Frame
from pantel_device.observer import Detector, MotionDetector, Observer
from pantel_device.observer.coco import class_id_of
from pantel_device.rendering.composition import place, raster_box
from pantel_device.rendering.exposure import exposed
from pantel_device.scene_encoding.cell_coding import Way, coded
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models import SceneCodec
from pantel_models.thumbnails import Cutting, Look

__all__ = ["LARGE_PX", "LookRow", "compare_looks"]

LARGE_PX = 64
"""An object is large from this geometric mean of its sides on."""

_EVERY_FRAMES = 40
_SETTLING_FRAMES = 30  # until the background is known
_CELL_QUALITIES = (2, 6, 10, 14, 18, 22)
_CELL_SCALES = (0.5, 1.0, 2.0)  # pixels of the picture for one of the raster
_MASK_QUALITY = 2  # of the thumbnail that lends the cells its mask
_RASTER_BITS = 9.0  # what a sprite of cells would have to tell besides: its size and quality


@dataclass(frozen=True, slots=True)
class LookRow:
    """One way of coding, over all objects of a kind.

    Attributes:
        size: `small` or `large`.
        codec: `thumbnail` or `cells`.
        setting: Quality, and for cells the pixels of the picture for one of their raster.
        objects: How many there were.
        bits: Mean bits of an object.
        error_share: Squared error that remains, of that which the bare background would leave; 0 is perfect.
    """

    size: str
    codec: str
    setting: str
    objects: int
    bits: float
    error_share: float


@dataclass(frozen=True, slots=True, eq=False)
class _Specimen:
    """An object that is seen whole.

    Attributes:
        kind: `small` or `large`.
        shape: See `shape_of`.
        class_id: What the detector took it for, see `pantel_codec.Sprite`.
        frame: (H, W, 3) float32, RGB: the rectangle of its raster.
        background: (H, W, 3) float32: what is behind it.
        cutting: The same on the raster.
    """

    kind: str
    shape: int
    class_id: int
    frame: NDArray[np.float32]
    background: NDArray[np.float32]
    cutting: Cutting

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the rectangle."""
        return self.frame.shape[1], self.frame.shape[0]

    def error(self, colour: NDArray[np.float32], alpha: NDArray[np.float32]) -> float:
        """Return the squared error of colours (H, W, 3) laid over the background by alpha (H, W, 1)."""
        return float(((self.background + alpha * (colour - self.background) - self.frame) ** 2).sum())

    def bare_error(self) -> float:
        """Return the squared error of the background alone."""
        return float(((self.background - self.frame) ** 2).sum())

    def filled(self) -> NDArray[np.uint8]:
        """Return the rectangle with the object's mean colour around it, which costs cells the least."""
        mask = cv2.resize(self.cutting.mask, self.size_px, interpolation=cv2.INTER_AREA)[..., None]
        mean = (self.frame * mask).sum((0, 1)) / max(float(mask.sum()), 1.0)
        return np.asarray(np.clip(np.rint(self.frame * mask + (1 - mask) * mean), 0, 255), np.uint8)


def compare_looks(clips: Sequence[NDArray[np.uint8]], codec: SceneCodec, detector: Detector | None) -> list[LookRow]:
    """Code the objects of some clips in both ways and return what that takes and brings.

    Args:
        clips: Frames (N, H, W, 3) uint8, RGB, ten a second.
        codec: Of the artefact.
        detector: Names objects; None goes by motion alone.
    """
    specimens = [specimen for frames in clips for specimen in _specimens(frames, detector)]
    rows = []
    for size in ("small", "large"):
        chosen = [specimen for specimen in specimens if specimen.kind == size]
        if not chosen:
            continue
        bare = sum(specimen.bare_error() for specimen in chosen)
        for quality in range(THUMBNAIL_QUALITIES):
            for parts in ("core", "core + detail"):
                costs = [_thumbnail(specimen, codec, quality, detail="detail" in parts) for specimen in chosen]
                rows.append(_row(size, "thumbnail", f"quality {quality}, {parts}", costs, bare))
        for scale in _CELL_SCALES:
            for quality in _CELL_QUALITIES:
                costs = [_cells(specimen, codec, quality, scale) for specimen in chosen]
                rows.append(_row(size, "cells", f"quality {quality}, 1:{scale:g}", costs, bare))
    return rows


def _row(size: str, codec: str, setting: str, costs: Sequence[tuple[float, float]], bare: float) -> LookRow:
    bits, errors = np.array(costs).sum(axis=0)
    return LookRow(size, codec, setting, len(costs), round(bits / len(costs), 1), round(errors / bare, 4))


def _specimens(frames: NDArray[np.uint8], detector: Detector | None) -> Iterator[_Specimen]:
    """Yield the objects of some frames, each where it is seen whole."""
    observer = Observer(MotionDetector(), detector)
    for k, pixels in enumerate(frames):
        observation = observer.observe(Frame(k, k * 100_000_000, pixels))
        if k < _SETTLING_FRAMES or k % _EVERY_FRAMES:
            continue
        for track in observation.tracks:
            view = ObjectView(observation, track, [track.box])
            box = raster_box(track.box, view.margins(track.box))
            window = slice(round(box.y0), round(box.y1)), slice(round(box.x0), round(box.x1))
            cutting = view.cut(box)
            if cutting is None or min(box.x0, box.y0) < 0 or not cutting.known.all():
                continue
            frame = pixels[window].astype(np.float32)
            if frame.shape[:2] == (window[0].stop - window[0].start, window[1].stop - window[1].start):
                background = exposed(observation.background, observation.exposure)[window].astype(np.float32)
                kind = "large" if track.box.area_px >= LARGE_PX**2 else "small"
                shape = shape_of(size_code(track.box.x1 - track.box.x0), size_code(track.box.y1 - track.box.y0))
                yield _Specimen(kind, shape, class_id_of(track.label), frame, background, cutting)


def _thumbnail(specimen: _Specimen, codec: SceneCodec, quality: int, *, detail: bool) -> tuple[float, float]:
    """Return bits and error of a thumbnail."""
    thumbnails, shape = codec.thumbnails, specimen.shape
    latents = thumbnails.analyse(specimen.cutting, shape, specimen.class_id)
    core, bits = thumbnails.quantize(latents, shape, Part.CORE, quality, 0)
    more = None
    if detail:
        more, more_bits = thumbnails.quantize(latents, shape, Part.DETAIL, quality, 0)
        bits += more_bits
    look = thumbnails.decode(core, more, shape, specimen.class_id)
    return bits, specimen.error(*_scaled(look, specimen.size_px))


def _cells(specimen: _Specimen, codec: SceneCodec, quality: int, scale: float) -> tuple[float, float]:
    """Return bits and error of latent cells on a raster of their own, under the mask of a thumbnail."""
    thumbnails, shape = codec.thumbnails, specimen.shape
    latents = thumbnails.analyse(specimen.cutting, shape, specimen.class_id)
    core, mask_bits = thumbnails.quantize(latents, shape, Part.CORE, _MASK_QUALITY, 0)
    _, alpha = _scaled(thumbnails.decode(core, None, shape, specimen.class_id), specimen.size_px)
    columns, rows = (CELL_PX * max(1, round(side / CELL_PX / scale)) for side in specimen.size_px)
    pixels = cv2.resize(specimen.filled(), (columns, rows), interpolation=cv2.INTER_AREA)
    latents = codec.analyse(np.asarray(pixels, np.uint8), np.zeros((rows, columns), np.uint8))
    element, bits = coded(codec, latents, Block(0, 0, *latents.shape[:0:-1]), Way(0, quality))
    background = Background(columns, rows, codec.entropy.groups)
    background.apply(element.update, 0)
    decoded = codec.synthesise(background).astype(np.float32)
    colour = np.asarray(cv2.resize(decoded, specimen.size_px, interpolation=cv2.INTER_AREA), np.float32)
    return mask_bits + bits + _RASTER_BITS, specimen.error(colour, alpha)


def _scaled(look: Look, size_px: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return colour (H, W, 3) and alpha (H, W, 1) of a look at a size."""
    placed = place(look, Box(0, 0, *size_px), size_px)
    return placed.colour, placed.alpha
