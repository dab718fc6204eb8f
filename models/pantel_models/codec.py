"""The scene codec of one artefact: entropy model, quantizer and networks together."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, VALUE_ONE, Background, CodecError, EntropyModel
from pantel_models.artefact import Artefact
from pantel_models.errors import ManifestError
from pantel_models.flat_areas import without_grain
from pantel_models.quantizer import Quantizer
from pantel_models.scaling import enlarged
from pantel_models.sessions import AnalysisTransform, Enlarger, Generator
from pantel_models.thumbnails import ThumbnailCodec

__all__ = ["SceneCodec", "View", "load_scene_codec"]


_PERCEPTUAL_ENLARGER = "perceptual_enlarger"


class View(StrEnum):
    """Which generator paints the pictures; the bitstream is the same."""

    FAITHFUL = "faithful"
    """The least squared error: for measuring."""
    PERCEPTUAL = "perceptual"
    """The likest to a photograph: for looking at."""


class SceneCodec:
    """What a sender or a receiver needs of an artefact; the networks are loaded when first used.

    Attributes:
        artefact: Where it comes from.
        view: Which generator paints; an artefact that has no perceptual one paints faithfully.
        entropy: The integer probability model.
        quantizer: Steps and prices.
        thumbnails: The appearance of sprites.

    Raises:
        ManifestError: A file does not match its hash or cannot be used; on first use also those of the networks.
    """

    def __init__(self, artefact: Artefact, *, view: View = View.FAITHFUL) -> None:
        self.artefact = artefact
        self.view = view if view in artefact.files else View.FAITHFUL
        try:
            arrays = dict(np.load(io.BytesIO(artefact.read("tables")), allow_pickle=False))
            self.entropy = EntropyModel(arrays)
            self.quantizer = Quantizer(arrays["steps"], arrays["rate_weight"], arrays["sensitivity"])
            self.thumbnails = ThumbnailCodec(arrays, artefact, generator=self._thumbnail_generator())
            self._check_shapes()
        except (CodecError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ManifestError(
                f"the tables of {artefact.name} cannot be used ({error}); install pantel again"
            ) from error

    def _thumbnail_generator(self) -> str:
        """Return the role of the generator that paints sprites."""
        perceptual = "thumbnail_perceptual"
        return (
            perceptual if self.view is View.PERCEPTUAL and perceptual in self.artefact.files else "thumbnail_generator"
        )

    def _check_shapes(self) -> None:
        qualities, channels = self.entropy.qualities, self.entropy.channels
        quantizer = self.quantizer
        shapes = (quantizer.steps.shape, quantizer.rate_weight.shape, quantizer.sensitivity.shape)
        if shapes != ((qualities, channels), (qualities,), (channels,)):
            raise ValueError("the quantizer does not fit the entropy model")

    @cached_property
    def _analysis(self) -> AnalysisTransform:
        return AnalysisTransform(self.artefact)

    @cached_property
    def _generator(self) -> Generator:
        return Generator(self.artefact, self.view)

    @cached_property
    def _enlarger(self) -> Enlarger | None:
        return Enlarger(self.artefact) if "enlarger" in self.artefact.files else None

    @cached_property
    def _perceptual_enlarger(self) -> Enlarger | None:
        if self.view is View.FAITHFUL or _PERCEPTUAL_ENLARGER not in self.artefact.files:
            return None
        return Enlarger(self.artefact, _PERCEPTUAL_ENLARGER)

    def analyse(self, pixels: NDArray[np.uint8], contours: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the latents (channels, rows, columns) of a picture of any size.

        Args:
            pixels: (H, W, 3) uint8, RGB; its last row and column are repeated to fill cells.
            contours: (H, W) uint8, 0 or 1.
        """
        height, width = contours.shape
        down, right = -height % CELL_PX, -width % CELL_PX
        if down or right:
            pixels = np.pad(pixels, ((0, down), (0, right), (0, 0)), mode="edge")
            contours = np.pad(contours, ((0, down), (0, right)))
        return self._analysis(pixels, contours)

    def synthesise(self, background: Background, scale: int = 0) -> NDArray[np.uint8]:
        """Return what is held of a background, at a scale: (H, W, 3) uint8 RGB.

        Cells that are missing show what is held of them at coarser scales. Where nothing at all is held, the generator
        paints what the neighbours suggest. In the perceptual view flat areas have no grain.
        """
        pixels = self._synthesised(background, scale)
        return without_grain(pixels) if self.view is View.PERCEPTUAL else pixels

    def _synthesised(self, background: Background, scale: int) -> NDArray[np.uint8]:
        surface = background.scales[scale]
        width, height = background.size_px(scale)
        missing = surface.level == 0
        if scale == 0 and missing.all() and self._perceptual_enlarger and background.scales[1].level.all():
            # A whole picture of half the resolution: it is painted, and what enlarges it adds the texture.
            return _cut(self._perceptual_enlarger(self._synthesised(background, 1)), (width, height))
        below = self._enlarged(background, scale) if missing.any() else None
        if below is not None and missing.all() and self.view is View.FAITHFUL:
            return below  # painting again would only cost time; the perceptual generator adds texture
        groups = self.entropy.groups
        steps = (self.quantizer.steps / VALUE_ONE)[surface.quality]  # (rows, columns, channels)
        y_hat = np.multiply(surface.values, steps.transpose(2, 0, 1), dtype=np.float32)
        side = np.empty((len(groups) + 1, surface.rows, surface.columns), np.float32)
        side[:-1] = surface.level > np.arange(len(groups))[:, None, None]
        side[-1] = surface.quality / (self.entropy.qualities - 1)
        if below is not None:
            y_hat[:, missing] = self._latents_of(below)[:, missing]
            side[:, missing] = 1  # all of it is known, of the picture below
        return np.ascontiguousarray(self.paint(y_hat, side)[:height, :width])

    def paint(self, y_hat: NDArray[np.float32], side: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return what the generator makes of latents; see `Generator`."""
        return self._generator(y_hat, side)

    def underlying(self, background: Background) -> NDArray[np.float32]:
        """Return latents (channels, rows, columns) of what missing cells of the finest scale show; zeros if nothing."""
        below = self._enlarged(background, 0)
        return np.zeros_like(background.scales[0].values, np.float32) if below is None else self._latents_of(below)

    def _enlarged(self, background: Background, scale: int) -> NDArray[np.uint8] | None:
        """Return what coarser scales hold as a picture of this one; None if nothing."""
        if not any(surface.level.any() for surface in background.scales[scale + 1 :]):
            return None
        return self.enlarge(self._synthesised(background, scale + 1), background.size_px(scale))

    def enlarge(self, pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        """Return a picture (H, W, 3) with the width and height of the next finer scale.

        By the artefact's enlarger; it is interpolated if there is none.
        """
        return enlarged(pixels, size_px) if self._enlarger is None else _cut(self._enlarger(pixels), size_px)

    def _latents_of(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the latents of a picture that is too coarse for contours."""
        return self.analyse(pixels, np.zeros(pixels.shape[:2], np.uint8))


def _cut(pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size_px
    return np.ascontiguousarray(pixels[:height, :width])


def load_scene_codec(artefact: Artefact, *, view: View = View.FAITHFUL) -> SceneCodec:
    """Return the codec of an artefact; the same object for the same artefact.

    Raises:
        ManifestError: A file does not match its hash or cannot be used.
    """
    return _load(artefact, view)


@cache
def _load(artefact: Artefact, view: View) -> SceneCodec:
    return SceneCodec(artefact, view=view)
