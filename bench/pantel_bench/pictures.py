"""Test pictures: which files, and which part of them is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import PictureError
from pantel_codec import CELL_PX, MAX_SIDE_PX, MIN_SIDE_PX
from pantel_device import pictures
from pantel_device.errors import DeviceError

__all__ = ["SIZES", "SourcePicture", "kodak_256", "list_pictures", "native", "read_picture"]


@dataclass(frozen=True, slots=True, eq=False)
class SourcePicture:
    """One picture to encode.

    Attributes:
        name: File name without suffix.
        pixels: (H, W, 3) uint8, RGB, sides multiples of 16.
    """

    name: str
    pixels: NDArray[np.uint8]


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder, by name.

    Raises:
        PictureError: The folder cannot be read, has no pictures, or two that differ only in the suffix.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if pictures.is_picture_suffix(path))
    except OSError as error:
        raise PictureError(f"cannot read the folder {folder}: {error.strerror}") from error
    if not paths:
        raise PictureError(f"no pictures in {folder}; files ending in {', '.join(pictures.PICTURE_SUFFIXES)} are read")
    for path in paths:
        if not path.stem.isprintable():  # undecodable octets are not, either: no report could name such a picture
            raise PictureError(f"the name {path.name!a} in {folder} is no text; rename the picture")
    if len({path.stem for path in paths}) < len(paths):
        raise PictureError(f"two pictures in {folder} have the same name but for the suffix; rename one")
    return paths


def read_picture(path: Path, size: str) -> SourcePicture:
    """Read a picture file and cut it to one of `SIZES`.

    Raises:
        PictureError: The file is no picture, or too small.
    """
    try:
        pixels = pictures.read_picture(path)
    except DeviceError as error:
        raise PictureError(str(error)) from error
    if min(pixels.shape[:2]) < MIN_SIDE_PX:
        raise PictureError(f"{path} is smaller than {MIN_SIDE_PX}x{MIN_SIDE_PX}; take it out of the folder")
    return SourcePicture(path.stem, np.ascontiguousarray(SIZES[size](pixels)))


def kodak_256(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of (H, W, 3) uint8 pixels by which pictures are usually compared here.

    Both sides at least 512 (all of Kodak): the centre 512x512, area-averaged to 256x256, once across and once
    down and rounded each time, as Pillow's box filter does. Otherwise: the centre, at most 256x256, each side
    a multiple of 16; not averaged, because small pictures have been made smaller already.
    """
    if min(pixels.shape[:2]) < 512:
        return _centre(pixels, 256)
    square = _centre(pixels, 512).astype(np.uint16)
    across = (square[:, ::2] + square[:, 1::2] + 1) // 2
    return ((across[::2] + across[1::2] + 1) // 2).astype(np.uint8)


def native(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the centre of (H, W, 3) pixels, as large as the codec takes, each side a multiple of 16."""
    return _centre(pixels, MAX_SIDE_PX)


SIZES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {"256": kodak_256, "native": native}


def _centre(pixels: NDArray[np.uint8], largest_px: int) -> NDArray[np.uint8]:
    """Return the centre of (H, W, 3), sides rounded down to multiples of 16 and limited."""
    height, width = (min(side // CELL_PX * CELL_PX, largest_px) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
