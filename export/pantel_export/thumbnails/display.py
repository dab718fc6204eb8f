"""Objects as they are shown: small, on a picture, as a detector or a person sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from pantel_models.thumbnails import RASTER_PX

__all__ = ["Spot", "draw_spots", "shown_at"]

_SLOTS = (2, 4)  # columns and rows of objects
_FEW = 0.25  # share of pictures with few and large ones
_SMALLEST_PX = 20.0  # height or width of an object's raster, the longer of both


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an object's raster lies in a picture, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def rows(self) -> slice:
        """Its rows of the picture."""
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        """Its columns of the picture."""
        return slice(self.x, self.x + self.width)


def draw_spots(aspects: Tensor, side_px: int, rng: np.random.Generator) -> list[Spot]:
    """Draw places for as many objects as a picture has room for, none above another.

    Args:
        aspects: (B,), width over height of each object's raster.
        side_px: Width and height of the picture.
        rng: Draws how many there are, sizes and places.

    Returns:
        Those of the first objects.
    """
    across = _SLOTS[0] if rng.random() < _FEW else _SLOTS[1]
    slot_px = side_px // across
    spots = []
    for index, aspect in enumerate(aspects[: across**2].tolist()):
        longer = np.exp(rng.uniform(np.log(_SMALLEST_PX), np.log(slot_px)))
        width, height = (max(2, round(longer * min(side, 1.0))) for side in (aspect, 1 / aspect))
        row, column = divmod(index, across)
        x, y = (int(rng.integers(0, slot_px - side + 1)) for side in (width, height))
        spots.append(Spot(column * slot_px + x, row * slot_px + y, width, height))
    return spots


def shown_at(picture: Tensor, spots: list[Spot], colour: Tensor, alpha: Tensor) -> Tensor:
    """Return a picture with objects laid over it, each averaged to its size as a receiver does.

    Args:
        picture: (1, 3, H, W), RGB in 0..1.
        spots: Of the first objects.
        colour: (B, 3, RASTER_PX, RASTER_PX), RGB in 0..1.
        alpha: (B, 1, RASTER_PX, RASTER_PX).
    """
    shown = picture.clone()
    weighted = colour * alpha
    for index, spot in enumerate(spots):
        above, cover = (_resized(each[index : index + 1], spot) for each in (weighted, alpha))
        shown[:, :, spot.rows, spot.columns] = above + (1 - cover) * picture[:, :, spot.rows, spot.columns]
    return shown


def _resized(values: Tensor, spot: Spot) -> Tensor:
    rows, columns = (_resampling(side) for side in (spot.height, spot.width))
    return rows.to(values) @ values @ columns.to(values).T


@cache
def _resampling(length: int) -> Tensor:
    """Return (length, RASTER_PX): what each sample of a side of that length takes of each of the raster.

    Where the side is shorter, a sample is the mean of what it covers; where it is longer, it lies between two.
    """
    if length < RASTER_PX:
        edges = torch.arange(length + 1) * (RASTER_PX / length)
        place = torch.arange(RASTER_PX)
        covered = torch.minimum(edges[1:, None], place + 1) - torch.maximum(edges[:-1, None], place)
        return covered.clamp(min=0) * (length / RASTER_PX)
    place = ((torch.arange(length) + 0.5) * (RASTER_PX / length) - 0.5).clamp(0, RASTER_PX - 1)
    return (1 - (place[:, None] - torch.arange(RASTER_PX)).abs()).clamp(min=0)
