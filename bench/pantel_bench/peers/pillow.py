"""The one module that knows Pillow, which only the benchmarks need (the extra ``pantel[bench]``)."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import PeerError

__all__ = ["load", "resize_bicubic", "resize_lanczos", "save"]


def save(pixels: NDArray[np.uint8], pillow_format: str, **options: Any) -> bytes:
    """Encode (H, W, 3) uint8 RGB pixels into a picture file.

    Raises:
        PeerError: Pillow or its encoder for the format is missing, or refuses the picture.
    """
    image = _pillow().fromarray(np.ascontiguousarray(pixels))
    file = io.BytesIO()
    try:
        image.save(file, pillow_format, **options)
    except (KeyError, OSError, ValueError) as error:
        raise PeerError(f"Pillow cannot write {pillow_format} here ({error}); leave --peers away") from error
    return file.getvalue()


def load(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture file that `save` wrote into (H, W, 3) uint8 RGB."""
    with _pillow().open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


def resize_lanczos(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 pixels at another size, by Lanczos-3 with antialiasing."""
    pillow = _pillow()
    return np.asarray(pillow.fromarray(pixels).resize((width, height), pillow.Resampling.LANCZOS), np.uint8)


def resize_bicubic(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 pixels at another size, by Keys' cubic with a = -0.5."""
    pillow = _pillow()
    return np.asarray(pillow.fromarray(pixels).resize((width, height), pillow.Resampling.BICUBIC), np.uint8)


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise PeerError("the peers need Pillow; install it with: pip install '.[bench]'") from error
    return Image
