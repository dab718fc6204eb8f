"""The probabilities by which contours are coded: counted on photographs, for `pantel_codec.contours`."""

from __future__ import annotations

import numpy as np

from pantel_codec.contours import CONTOUR_CONTEXTS, CONTOUR_STEPS_PX, contour_contexts, raster_shape
from pantel_export.data import PhotoSet
from pantel_models import contour_map, contour_raster

__all__ = ["CROP_PX", "contour_table"]

CROP_PX = 192
_SEED = 1
_BATCHES, _BATCH = 64, 16
_STEPS = (0, 1, 2, 3)  # those that senders use most
_SET_OF = 4096


def contour_table(photos: PhotoSet, *, crop_px: int = CROP_PX, batches: int = _BATCHES) -> str:
    """Return how many of 4096 samples are set in each context, as three hexadecimal digits each.

    Args:
        photos: Of at least `crop_px` pixels; random crops of them are drawn on the finer rasters in turn.
        crop_px: Side of a crop.
        batches: How often 16 crops are drawn.
    """
    counts = np.zeros((CONTOUR_CONTEXTS, 2), np.int64)
    for index in range(batches):
        batch = photos.batch(size=_BATCH, crop_px=crop_px, seed=_SEED, step=index)
        for crop, pixels in enumerate(batch.pixels):
            step = _STEPS[crop % len(_STEPS)]
            shape = raster_shape(crop_px, crop_px, step)
            samples = contour_raster(contour_map(pixels), shape, CONTOUR_STEPS_PX[step])
            np.add.at(counts, (contour_contexts(samples), samples.astype(np.int64)), 1)
    # One half of a sample beforehand for 0 and for 1 (Krichevsky and Trofimov, 1981).
    share = (2 * counts[:, 1] + 1) * _SET_OF // (2 * counts.sum(axis=1) + 2)
    return "".join(f"{count:03x}" for count in np.clip(share, 1, _SET_OF - 1).tolist())
