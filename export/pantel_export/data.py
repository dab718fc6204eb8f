"""Training material: folders of photographs, read once into memory, cropped at random from a seed.

Every batch is a function of (seed, step) alone, so a resumed run sees the pictures an uninterrupted one would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import DataError
from pantel_models.contours import contour_map

__all__ = ["Batch", "PhotoSet"]

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_MAX_SIDE_PX = 512  # larger pictures are reduced when read; crops are small anyway


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Random crops.

    Attributes:
        pixels: (B, crop, crop, 3) uint8, RGB.
        contours: (B, crop, crop) uint8, 0 or 1: Canny inside a random region of interest.
    """

    pixels: NDArray[np.uint8]
    contours: NDArray[np.uint8]


class PhotoSet:
    """Photographs held in memory.

    Attributes:
        names: Path of each picture relative to its root, sorted.
        fingerprint: SHA-256 over names and sizes, for the run record.
    """

    def __init__(self, roots: Sequence[Path], *, minimum_px: int) -> None:
        self.names: list[str] = []
        self._pictures: list[NDArray[np.uint8]] = []
        digest = hashlib.sha256()
        for root in roots:
            for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in _SUFFIXES):
                picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
                if picture is None:
                    raise DataError(f"{path} cannot be read as a picture; remove it or repair it")
                scale = _MAX_SIDE_PX / max(picture.shape[:2])
                if scale < 1:
                    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                if min(picture.shape[:2]) < minimum_px:
                    continue
                name = str(path.relative_to(root.parent))
                self.names.append(name)
                self._pictures.append(np.ascontiguousarray(picture[..., ::-1]))
                digest.update(f"{name} {path.stat().st_size}\n".encode())
        if not self._pictures:
            raise DataError(f"no pictures of at least {minimum_px} px in {', '.join(map(str, roots))}")
        self.fingerprint = digest.hexdigest()
        self._large: dict[int, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, *, size: int, crop_px: int, seed: int, step: int) -> Batch:
        """Return the crops of one training step, the same for the same (seed, step).

        Raises:
            DataError: No picture is that large.
        """
        rng = np.random.default_rng((seed, step))
        pixels = np.empty((size, crop_px, crop_px, 3), np.uint8)
        contours = np.zeros((size, crop_px, crop_px), np.uint8)
        for i in range(size):
            pixels[i] = self._crop(rng, crop_px)
            choice = rng.random()
            if choice < 0.7:
                edges = contour_map(pixels[i])
                if choice < 0.3:  # a region of interest, not the whole picture
                    y0, x0 = rng.integers(0, crop_px - 32, 2)
                    y1, x1 = rng.integers((y0 + 32, x0 + 32), crop_px + 1)
                    mask = np.zeros_like(edges)
                    mask[y0:y1, x0:x1] = 1
                    edges *= mask
                contours[i] = edges
        return Batch(pixels, contours)

    def _crop(self, rng: np.random.Generator, crop_px: int) -> NDArray[np.uint8]:
        large = self._larger_than(crop_px)
        picture = self._pictures[large[rng.integers(len(large))]]
        height, width = picture.shape[:2]
        # Area-averaging makes old, blurred JPEG files as sharp as what a camera delivers.
        smallest = max(crop_px / min(height, width), 0.4)
        factor = rng.uniform(smallest, 1.0) if smallest < 1 else 1.0
        side = min(round(crop_px / factor), height, width)
        y = int(rng.integers(0, height - side + 1))
        x = int(rng.integers(0, width - side + 1))
        crop = picture[y : y + side, x : x + side]
        if side != crop_px:
            crop = np.asarray(cv2.resize(crop, (crop_px, crop_px), interpolation=cv2.INTER_AREA), np.uint8)
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        if rng.random() < 0.3:  # other exposures and colour casts
            gain = rng.uniform(0.6, 1.3) * rng.uniform(0.9, 1.1, 3)
            crop = np.clip(crop * gain, 0, 255).astype(np.uint8)
        if rng.random() < 0.08:
            crop = np.repeat(cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        return np.asarray(crop, np.uint8)

    def _larger_than(self, crop_px: int) -> NDArray[np.int64]:
        """Return which pictures have room for a crop."""
        if crop_px not in self._large:
            large = np.array([i for i, picture in enumerate(self._pictures) if min(picture.shape[:2]) >= crop_px])
            if not large.size:
                raise DataError(f"no pictures of at least {crop_px} px among {len(self)}")
            self._large[crop_px] = large
        return self._large[crop_px]
