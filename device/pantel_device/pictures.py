"""Picture files: whatever OpenCV reads comes in as 8-bit RGB, and goes out in the format of its suffix."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.atomic_file import write_atomically
from pantel_device.command import UsageError
from pantel_device.errors import PictureError

__all__ = [
    "PICTURE_SUFFIXES",
    "check_picture_suffix",
    "encode_jpeg",
    "is_picture_suffix",
    "picture_hash",
    "read_picture",
    "scale_to_fit",
    "without_colour",
    "write_picture",
]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".tif", ".tiff")
_JPEG_QUALITY = 85


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file, turned upright as its EXIF tag says.

    Transparent pictures are laid on white; their EXIF tag is ignored, because cameras write no transparency.
    Samples of 16 bits are reduced to 8.

    Returns:
        (H, W, 3) uint8, RGB; three equal planes for a grey picture.

    Raises:
        PictureError: The file cannot be read or is no picture.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise PictureError(f"cannot read {path}: {error.strerror}; check the name and its rights") from error
    picture = _decode(data) if data.size else None
    if picture is None:
        raise PictureError(f"{path} is not a picture that can be read; name a PNG, JPEG, WebP or similar file")
    pixels = _to_8_bits(picture, path)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if _has_alpha(pixels):
        pixels = _on_white(pixels)
    return np.ascontiguousarray(pixels[..., ::-1])


def without_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the one plane (H, W) of a picture (H, W, 3) whose three planes are equal, None for a coloured one."""
    grey = pixels[..., 0]
    return np.ascontiguousarray(grey) if (pixels == grey[..., None]).all() else None


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture file whole or not at all, in the format of its suffix.

    Args:
        path: With one of the suffixes that `check_picture_suffix` lets through.
        pixels: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.

    Raises:
        OSError: The file cannot be written; an older one is untouched.
    """
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    write_atomically(path, cv2.imencode(path.suffix.lower(), bgr)[1].tobytes())


def check_picture_suffix(path: Path) -> None:
    """Refuse a file name whose suffix names no picture format that can be written.

    Raises:
        UsageError: The suffix is missing or unknown.
    """
    if not is_picture_suffix(path):
        raise UsageError(f"cannot tell the picture format of {path}; let its name end in {', '.join(PICTURE_SUFFIXES)}")


def is_picture_suffix(path: Path) -> bool:
    """Whether a file name ends like a picture that can be written."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def picture_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 of a picture's samples (H, W, 3), by which reports name it."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def scale_to_fit(pixels: NDArray[np.uint8], max_side_px: int) -> NDArray[np.uint8]:
    """Return a picture, scaled down by area averaging if a side is longer than allowed; its shape is kept.

    Args:
        pixels: (H, W, 3) or (H, W) uint8.
        max_side_px: Longest side allowed [px].
    """
    height, width = pixels.shape[:2]
    scale = max_side_px / max(height, width)
    if scale >= 1:
        return pixels
    size_px = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA), np.uint8)


def _decode(data: NDArray[np.uint8]) -> NDArray[np.generic] | None:
    """Decode a file as OpenCV does, BGR or grey of whatever depth; None when it is no whole picture."""
    with _silent_stderr():
        try:
            picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if picture is not None and not _has_alpha(picture):
                # The only flags that keep depth and grey and turn the picture upright.
                picture = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        except cv2.error:  # of a header that asks for too much memory, for example
            return None
    return picture


def _has_alpha(pixels: NDArray[np.generic]) -> bool:
    return pixels.ndim == 3 and pixels.shape[2] == 4


def _to_8_bits(pixels: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """Reduce 16-bit and floating-point samples to 8 bits."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if pixels.dtype == np.uint16:
        return np.rint(pixels.astype(np.float32) / 257).astype(np.uint8)
    if pixels.dtype in {np.dtype(np.float32), np.dtype(np.float64)}:  # 0 to 1 by convention
        return np.asarray(np.rint(np.nan_to_num(pixels).clip(0, 1) * 255), np.uint8)
    raise PictureError(f"{path} has {pixels.dtype} samples; convert it to a picture of 8 or 16 bits")


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay (H, W, 4) pixels on white."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send what is written to the process's standard error to nowhere.

    Of a broken file, OpenCV, libpng and libjpeg each complain there in their own words, and by no other way can all of
    them be kept from it; we say it ourselves.
    """
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
        os.close(nowhere)


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Return (H, W, 3) uint8 RGB as JPEG."""
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
