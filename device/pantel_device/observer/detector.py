"""What a detector is, and which one a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box
from pantel_models import find_detector

if TYPE_CHECKING:  # onnxruntime takes its time
    from pantel_device.observer.detectors import OnnxDetector

__all__ = ["DEFAULT_DETECTOR", "Detector", "open_detector"]

DEFAULT_DETECTOR = "default"
"""Name of the bundled detector."""


class Detector(Protocol):
    """Finds and names objects in single pictures."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture, boxes clipped to it.

        Args:
            pixels: (H, W, 3) uint8, RGB.
        """
        ...


def open_detector(
    name: str, *, min_score: float = 0.35, picture_px: tuple[int, int] | None = None
) -> OnnxDetector | None:
    """Return the detector that a configuration names.

    Args:
        name: `default` for the bundled detector; path of one as an ONNX file, of any layout that `detectors.recognize`
            knows; `none` or "" for none, so that motion alone decides.
        min_score: Score below which a box is dropped.
        picture_px: Width and height of the pictures to come, at whose size it is tried; None if they are not known.

    Raises:
        DetectorError: The file cannot be used; the message is one line for the user.
        ManifestError: The bundled detector is missing or damaged.
    """
    if name in {"", "none"}:
        return None
    from pantel_device.observer.detectors import OnnxDetector

    path = find_detector().path("detector") if name == DEFAULT_DETECTOR else Path(name)
    return OnnxDetector(path, min_score=min_score, picture_px=picture_px)
