"""What a detector is, and which one a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = ["Detector", "open_detector"]


class Detector(Protocol):
    """Finds and names objects in single pictures."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture, boxes clipped to it.

        Args:
            pixels: (H, W, 3) uint8, RGB.
        """
        ...


def open_detector(name: str) -> Detector | None:
    """Return the detector that a configuration names.

    Args:
        name: Path of a YOLOX export as ONNX; "" for none, so that motion alone decides.

    Raises:
        DetectorError: The file cannot be used; the message is one line for the user.
    """
    if not name:
        return None
    from pantel_device.observer.yolox import YoloxDetector

    return YoloxDetector(Path(name))
