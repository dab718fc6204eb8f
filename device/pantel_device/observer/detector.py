"""What a detector is, and which one a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box
from pantel_link.plugins import Plugin, find_plugin
from pantel_models import find_detector

__all__ = [
    "BUILT_IN_DETECTORS",
    "DEFAULT_DETECTOR",
    "Detector",
    "DetectorFactory",
    "NamingDetector",
    "find_detector_plugin",
    "open_detector",
]

DEFAULT_DETECTOR = "default"
"""Name of the bundled detector."""

BUILT_IN_DETECTORS = frozenset({"", "none", DEFAULT_DETECTOR})
"""Names that no plug-in can have."""


class Detector(Protocol):
    """Finds and names objects in single pictures."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture, boxes clipped to it.

        Args:
            pixels: (H, W, 3) uint8, RGB.

        Raises:
            DetectorError: It cannot say; it is asked again a while later.
        """
        ...


class NamingDetector(Detector, Protocol):
    """A detector that says beforehand which classes it tells, so that no zone waits for others.

    Attributes:
        wanted: Labels that its boxes may have. Those of COCO cross the line; others are told as objects without a name.
    """

    wanted: tuple[str, ...]


class DetectorFactory(Protocol):
    """What an entry point of the group ``pantel.detectors`` names, such as a class; its own name is the detector's."""

    def __call__(self, argument: str, *, min_score: float, picture_px: tuple[int, int] | None) -> NamingDetector:
        """Open a detector.

        Args:
            argument: What the user has written behind the detector's name and a colon; empty for nothing.
            min_score: Score below which a box is not wanted.
            picture_px: Width and height of the pictures to come; None if they are not known.

        Raises:
            DetectorError: It cannot be used; the message is one line that says what to do.
        """
        ...


def open_detector(
    name: str, *, min_score: float = 0.35, picture_px: tuple[int, int] | None = None
) -> NamingDetector | None:
    """Return the detector that a configuration names.

    Args:
        name: `default` for the bundled detector; path of one as an ONNX file, of any layout that `detectors.recognize`
            knows; NAME or NAME:ARGUMENT of one that a plug-in brings; `none` or "" for none, so that motion alone
            decides.
        min_score: Score below which a box is dropped.
        picture_px: Width and height of the pictures to come, at whose size it is tried; None if they are not known.

    Raises:
        DetectorError: The file cannot be used; the message is one line for the user.
        ManifestError: The bundled detector is missing or damaged.
        PluginError: The plug-in that brings it cannot be loaded, or fails.
    """
    if name in {"", "none"}:
        return None
    if (plugin := find_detector_plugin(name)) is not None:
        from pantel_device.observer.plugin_detector import PluginDetector

        return PluginDetector(plugin, name.partition(":")[2], min_score=min_score, picture_px=picture_px)
    from pantel_device.observer.detectors import OnnxDetector  # onnxruntime takes its time

    path = find_detector().path("detector") if name == DEFAULT_DETECTOR else Path(name)
    return OnnxDetector(path, min_score=min_score, picture_px=picture_px)


def find_detector_plugin(name: str) -> Plugin | None:
    """Return the plug-in that brings the detector of a name; None for built-in ones and files.

    A file of the same name is meant by its path, such as ``./name``.

    Raises:
        PluginError: Several plug-ins have this name.
    """
    scheme = name.partition(":")[0]
    return None if scheme in BUILT_IN_DETECTORS or "/" in scheme else find_plugin("detector", scheme)
