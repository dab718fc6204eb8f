"""What the int8 encoder of an artefact loses against the float one from which it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pantel_codec import Background, Block, CellUpdate
from pantel_export.data import Batch, PhotoSet
from pantel_export.train import crop_tensors, load_networks
from pantel_models import Artefact, SceneCodec, contour_map, load_scene_codec

__all__ = ["Int8Loss", "measure_int8_loss"]

_STRENGTH = 0.3  # of the rate-distortion optimization: that of stills
_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Int8Loss:
    """Means over pictures at one quality.

    Attributes:
        quality: Index of the quantizer.
        bits_per_pixel: By the context model, of the int8 encoder's latents.
        rate: By how much that is more than of the float encoder's, as a share.
        psnr_db: By how much the PSNR of the decoded pictures is higher [dB].
    """

    quality: int
    bits_per_pixel: float
    rate: float
    psnr_db: float


@torch.no_grad()
def measure_int8_loss(
    artefact: Artefact, weights: Path, photos: PhotoSet, *, qualities: Sequence[int], pictures: int
) -> list[Int8Loss]:
    """Code pictures with the latents of both encoders and compare rates and errors.

    Args:
        artefact: With the int8 encoder.
        weights: Its 16-bit weights.
        photos: Pictures of at least 256x256 pixels.
        qualities: To compare at.
        pictures: How many crops to take of `photos`.
    """
    encoder = load_networks(weights)[0].encoder
    codec = load_scene_codec(artefact)
    crops = photos.batch(size=pictures, crop_px=_SIDE_PX, seed=2_000_000, step=0).pixels
    sums = np.zeros((len(qualities), 4))  # bits and PSNR of int8, of float
    lines = np.stack([contour_map(pixels) for pixels in crops])
    exact = encoder(torch.cat(crop_tensors(Batch(crops, lines), torch.device("cpu")), 1)).numpy()
    for pixels, contours, latents in zip(crops, lines, exact, strict=True):
        for row, quality in enumerate(qualities):
            sums[row] += [*_coded(codec, codec.analyse(pixels, contours), pixels, quality),
                          *_coded(codec, latents, pixels, quality)]  # fmt: skip
    means = sums / len(crops)
    return [
        Int8Loss(quality, bits / _SIDE_PX**2, bits / float_bits - 1, psnr_db - float_psnr_db)
        for quality, (bits, psnr_db, float_bits, float_psnr_db) in zip(qualities, means.tolist(), strict=True)
    ]


def _coded(
    codec: SceneCodec, latents: NDArray[np.float32], pixels: NDArray[np.uint8], quality: int
) -> tuple[float, float]:
    """Return the bits of a picture's latents, and the PSNR of what is decoded [dB]."""
    quantized = codec.quantizer.quantize(latents, codec.entropy, quality, strength=_STRENGTH)
    height, width = pixels.shape[:2]
    background = Background(width, height, codec.entropy.groups)
    block = Block(0, 0, *latents.shape[:0:-1])
    background.apply(CellUpdate(block, quality, len(codec.entropy.groups), quantized.values), 0)
    return float(quantized.bits.sum()), cv2.PSNR(pixels, codec.synthesise(background))
