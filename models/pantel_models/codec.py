"""The scene codec of one artefact: entropy model, quantizer and networks together."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, VALUE_ONE, CodecError, EntropyModel, Surface
from pantel_models.artefact import Artefact
from pantel_models.errors import ManifestError
from pantel_models.quantizer import Quantizer
from pantel_models.sessions import AnalysisTransform, Generator
from pantel_models.thumbnails import ThumbnailCodec

__all__ = ["SceneCodec", "View", "load_scene_codec"]


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

    def synthesise_block(self, values: NDArray[np.int64], quality: int, levels: int) -> NDArray[np.uint8]:
        """Return the pixels (16 rows, 16 columns, 3) uint8 of cells of one quality that all hold `levels` levels."""
        side = np.zeros((len(self.entropy.groups) + 1, *values.shape[1:]), np.float32)
        side[:levels] = 1
        side[-1] = quality / (self.entropy.qualities - 1)
        return self._generator(self.quantizer.dequantize(values, quality), side)

    def synthesise(self, surface: Surface) -> NDArray[np.uint8]:
        """Return the pixels (16 rows, 16 columns, 3) uint8 of a surface, with missing cells painted."""
        groups = self.entropy.groups
        steps = (self.quantizer.steps / VALUE_ONE)[surface.quality]  # (rows, columns, channels)
        y_hat = np.multiply(surface.values, steps.transpose(2, 0, 1), dtype=np.float32)
        side = np.empty((len(groups) + 1, surface.rows, surface.columns), np.float32)
        side[:-1] = surface.level > np.arange(len(groups))[:, None, None]
        side[-1] = surface.quality / (self.entropy.qualities - 1)
        return self._generator(y_hat, side)


@cache
def load_scene_codec(artefact: Artefact, *, view: View = View.FAITHFUL) -> SceneCodec:
    """Return the codec of an artefact; the same object for the same artefact.

    Raises:
        ManifestError: A file does not match its hash or cannot be used.
    """
    return SceneCodec(artefact, view=view)
