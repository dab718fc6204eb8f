"""How a sprite with a texture looks, alike in the receiver and in what the sender believes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import Background
from pantel_device.rendering.layers import opacity
from pantel_models import SceneCodec
from pantel_models.thumbnails import Look

__all__ = ["resampled", "textured"]


def textured(codec: SceneCodec, look: Look, texture: Background) -> Look:
    """Return a look with the colours of a texture where that holds any, on the texture's raster.

    Args:
        codec: How cells are coded.
        look: How the thumbnail looks.
        texture: Cells over its raster.
    """
    size_px = texture.width_px, texture.height_px
    colour, alpha = (resampled(each, size_px) for each in (look.colour, look.alpha))
    held = opacity(texture)[..., None]
    painted = codec.synthesise(texture).astype(np.float32)
    return Look(np.asarray(colour + held * (painted - colour), np.float32), alpha)


def resampled(raster: NDArray[np.float32], size_px: tuple[int, int]) -> NDArray[np.float32]:
    """Return colours or a mask of a look on a raster of so many columns and rows."""
    return np.asarray(cv2.resize(raster, size_px, interpolation=cv2.INTER_LINEAR), np.float32)
