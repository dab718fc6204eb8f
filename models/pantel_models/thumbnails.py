"""Thumbnails as pixels: the networks between an object's crop and the symbols of a thumbnail.

Crop and mask are brought to a square raster, whatever the object's shape, and an encoder network makes latents of them,
of which the first are the core and the others the detail. A generator network makes colours and a soft mask of the
dequantized latents; it is told the object's shape and kind, so that even a few bits look like a person or a car. It is
a variational autoencoder with gain units (Cui et al., "Asymmetric gained deep image compression", 2021) and a
factorized entropy model, small enough to try a dozen thumbnails for every packet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, Part, Thumbnail, ThumbnailModel
from pantel_models.artefact import Artefact
from pantel_models.sessions import open_session

__all__ = [
    "CONDITIONS",
    "EFFECTS_PX",
    "RASTER_PX",
    "Cutting",
    "Kind",
    "Look",
    "ThumbnailCodec",
    "condition",
    "halved",
    "kind_of",
]

RASTER_PX = 64

EFFECTS_PX = 32
"""Width and height of the raster on which `ThumbnailCodec.effects` tells what latents do."""

_STRENGTH = 0.12  # of rate-distortion optimization: a bit is worth so many squared steps
_TAPER = 0.05  # share of the raster in which the mask ends, so that a sprite never ends in a straight line


class Kind(IntEnum):
    """What the networks know of an object's class."""

    UNKNOWN = 0
    PERSON = 1
    TWO_WHEELER = 2
    VEHICLE = 3
    ANIMAL = 4


_COCO_KINDS = {0: Kind.PERSON, 1: Kind.TWO_WHEELER, 3: Kind.TWO_WHEELER}
_COCO_KINDS |= dict.fromkeys((2, 4, 5, 6, 7, 8), Kind.VEHICLE) | dict.fromkeys(range(14, 24), Kind.ANIMAL)

CONDITIONS = THUMBNAIL_SHAPES + len(Kind)


def kind_of(class_id: int) -> Kind:
    """Return the kind of a sprite's class: 0 is unknown, others are the classes of COCO, from 1."""
    return _COCO_KINDS.get(class_id - 1, Kind.UNKNOWN)


def condition(shape: int, kind: Kind) -> NDArray[np.float32]:
    """Return (CONDITIONS,) float32: 1 at the object's shape and at its kind."""
    values = np.zeros(CONDITIONS, np.float32)
    values[shape] = values[THUMBNAIL_SHAPES + kind] = 1
    return values


def _window() -> NDArray[np.float32]:
    """Return (RASTER_PX, RASTER_PX) float32: 1, falling to 0 within some samples of the border."""
    place = (np.arange(RASTER_PX) + 0.5) / RASTER_PX
    edge = np.clip(np.minimum(place, 1 - place) / _TAPER, 0, 1)
    return np.outer(edge, edge).astype(np.float32)


_WINDOW = _window()


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a sprite looks, on a raster: a decoded thumbnail has RASTER_PX rows and columns.

    Attributes:
        colour: (rows, columns, 3) float32, RGB, 0..255.
        alpha: (rows, columns) float32, 0..1.
    """

    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """An object on the raster.

    Attributes:
        pixels: (RASTER_PX, RASTER_PX, 3) float32, RGB, 0..1.
        mask: (RASTER_PX, RASTER_PX) float32, 1 on the object.
        known: (RASTER_PX, RASTER_PX) float32, 0 where something hides it.
    """

    pixels: NDArray[np.float32]
    mask: NDArray[np.float32]
    known: NDArray[np.float32]

    @classmethod
    def from_pixels(
        cls, pixels: NDArray[np.uint8], mask: NDArray[np.float32], seen: NDArray[np.float32] | None = None
    ) -> Cutting:
        """Bring an object to the raster.

        Args:
            pixels: (H, W, 3) uint8, RGB: what the camera saw in the raster's rectangle.
            mask: (H, W) float32, 1 on the object.
            seen: (H, W) float32, 0 where something else hides it and nothing is known of it; all seen by default.
        """
        known = np.ones((RASTER_PX, RASTER_PX), np.float32)
        if seen is not None:
            known = (_to_raster(seen) > 0.5).astype(np.float32)
        return cls(_to_raster(pixels.astype(np.float32) / np.float32(255)), _to_raster(mask), known)


class ThumbnailCodec:
    """The thumbnails of one artefact; its networks are loaded when first used."""

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]], artefact: Artefact, *, generator: str = "thumbnail_generator"
    ) -> None:
        """Take the arrays of an artefact.

        Args:
            arrays: Those of `ThumbnailModel`, and `thumbnail_steps` (qualities, coefficients) float32.
            artefact: Where the networks come from.
            generator: Role of the one that paints.

        Raises:
            SymbolError: The integer arrays do not fit together.
            KeyError: One is missing.
            ValueError: The steps do not fit.
        """
        self.model = ThumbnailModel(arrays)
        self._steps = np.asarray(arrays["thumbnail_steps"], np.float32)
        self._artefact = artefact
        self._generator_role = generator
        self._effects: dict[tuple[int, Kind], NDArray[np.float32]] = {}
        if self._steps.shape != (THUMBNAIL_QUALITIES, self.model.coefficients):
            raise ValueError("the thumbnail arrays do not fit together")

    @cached_property
    def _encoder(self) -> Any:
        return open_session(self._artefact.read("thumbnail_encoder"), f"the thumbnail encoder of {self._artefact.name}")

    @cached_property
    def _generator(self) -> Any:
        return open_session(
            self._artefact.read(self._generator_role), f"the thumbnail generator of {self._artefact.name}"
        )

    def analyse(self, cutting: Cutting, shape: int, class_id: int) -> NDArray[np.float32]:
        """Return the latents (coefficients,) float32 of an object.

        Args:
            cutting: The object.
            shape: See `shape_of`.
            class_id: What it is, see `pantel_codec.Sprite`.

        Raises:
            ManifestError: The network does not match its hash or cannot be loaded.
        """
        inputs = {
            "pixels": np.ascontiguousarray(cutting.pixels.transpose(2, 0, 1)[None]),
            "mask": cutting.mask[None, None],
            "known": cutting.known[None, None],
            "condition": condition(shape, kind_of(class_id))[None],
        }
        return np.asarray(self._encoder.run(None, inputs)[0][0], np.float32)

    def quantize(
        self, latents: NDArray[np.float32], shape: int, part: Part, quality: int, version: int
    ) -> tuple[Thumbnail, float]:
        """Choose the symbols of a part: nearest, next towards zero, or zero, whatever is worth its bits.

        Args:
            latents: (coefficients,) float32, as `analyse` returned them.
            shape: See `shape_of`.
            part: Core or detail.
            quality: 0 to 7.
            version: 0 to 3; that of the core.

        Returns:
            The thumbnail and what its symbols cost [bit].
        """
        members = self.model.members[shape][part]
        exact = latents[members] / self.steps(shape, part, quality)
        nearest = np.rint(exact).astype(np.int32)
        candidates = np.stack([nearest, nearest - np.sign(nearest), np.zeros_like(nearest)])
        bits = self.model.bits(shape, part, quality, candidates)
        best = ((candidates - exact) ** 2 + _STRENGTH * bits).argmin(axis=0)[None]
        symbols = np.take_along_axis(candidates, best, axis=0)[0]
        cost = float(np.take_along_axis(bits, best, axis=0).sum())
        return Thumbnail(part, quality, version, symbols), cost

    def steps(self, shape: int, part: Part, quality: int) -> NDArray[np.float32]:
        """Return (symbols,) float32: what a symbol of a part stands for, in latents."""
        steps: NDArray[np.float32] = self._steps[quality, self.model.members[shape][part]]
        return steps

    def effects(self, shape: int, class_id: int) -> NDArray[np.float32]:
        """Return what each latent does to the look of an object of which nothing else is told, to first order.

        Args:
            shape: See `shape_of`.
            class_id: What it is, see `pantel_codec.Sprite`.

        Returns:
            (coefficients, EFFECTS_PX, EFFECTS_PX, 4) float32, read-only: the change of red, green, blue, 0..255, and of
            the mask, 0..1, for a unit of the latent. Made when first asked for.

        Raises:
            ManifestError: The network does not match its hash or cannot be loaded.
        """
        key = shape, kind_of(class_id)
        if key not in self._effects:
            steps = self._steps[THUMBNAIL_QUALITIES // 2]
            latents = np.concatenate([np.diag(steps), np.diag(-steps)])
            conditions = np.tile(condition(*key), (len(latents), 1))
            side = np.tile(np.array([0.5, 1], np.float32), (len(latents), 1))
            colour, alpha = self._generator.run(None, {"latents": latents, "condition": conditions, "side": side})
            look = np.concatenate([colour * 255, alpha * _WINDOW], 1)  # (2 coefficients, 4, RASTER_PX, RASTER_PX)
            effects = (look[: len(steps)] - look[len(steps) :]) / (2 * steps[:, None, None, None])
            self._effects[key] = halved(effects.transpose(0, 2, 3, 1))
            self._effects[key].flags.writeable = False
        return self._effects[key]

    def decode(self, core: Thumbnail, detail: Thumbnail | None, shape: int, class_id: int) -> Look:
        """Return how a thumbnail looks; as `decode_all`."""
        return self.decode_all([(core, detail)], shape, class_id)[0]

    def decode_all(
        self, thumbnails: Sequence[tuple[Thumbnail, Thumbnail | None]], shape: int, class_id: int
    ) -> list[Look]:
        """Return how some thumbnails of one object look.

        Args:
            thumbnails: Each a core with its detail, if that is known.
            shape: See `shape_of`.
            class_id: What it is, see `pantel_codec.Sprite`.

        Raises:
            ManifestError: The network does not match its hash or cannot be loaded.
        """
        latents = np.zeros((len(thumbnails), self.model.coefficients), np.float32)
        side = np.zeros((len(thumbnails), 2), np.float32)
        for row, (core, detail) in enumerate(thumbnails):
            for part in (core,) if detail is None else (core, detail):
                members = self.model.members[shape][part.part]
                latents[row, members] = self.steps(shape, part.part, part.quality) * part.symbols
            side[row] = core.quality / (THUMBNAIL_QUALITIES - 1), detail is not None
        conditions = np.tile(condition(shape, kind_of(class_id)), (len(thumbnails), 1))
        colour, alpha = self._generator.run(None, {"latents": latents, "condition": conditions, "side": side})
        colour = np.ascontiguousarray(np.clip(colour, 0, 1).transpose(0, 2, 3, 1) * np.float32(255))
        return [Look(*each) for each in zip(colour, np.clip(alpha[:, 0], 0, 1) * _WINDOW, strict=True)]


def halved(raster: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values (..., RASTER_PX, RASTER_PX, channels) averaged to half the width and height."""
    *leading, rows, columns, channels = raster.shape
    cut = raster.reshape(*leading, rows // 2, 2, columns // 2, 2, channels)
    return np.asarray(cut.mean(axis=(-4, -2)), np.float32)


def _to_raster(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values (H, W, ...) resampled to the raster; each direction is averaged where it shrinks."""
    tall = _resized(values, (RASTER_PX, values.shape[0]))
    return _resized(tall, (RASTER_PX, RASTER_PX))


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    shrinks = size[0] < values.shape[1] or size[1] < values.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=method), np.float32)
