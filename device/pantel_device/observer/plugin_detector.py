"""Detectors of plug-ins: one that fails is left alone for a while, as any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.frame import Box
from pantel_device.observer.detector import DetectorFactory
from pantel_link import PluginError
from pantel_link.plugins import PLUGIN_FAILURES, Plugin

__all__ = ["PluginDetector"]


class PluginDetector:
    """Wraps the detector of a plug-in; whatever it raises is a `DetectorError` that names the plug-in.

    Args:
        plugin: Who brings it.
        argument: Of the detector.
        min_score: Score below which a box is dropped.
        picture_px: Width and height of the pictures to come; None if they are not known.

    Attributes:
        wanted: Labels that its boxes may have.

    Raises:
        DetectorError: The detector cannot be used.
        PluginError: The plug-in cannot be loaded, or raises something else.
    """

    def __init__(
        self, plugin: Plugin, argument: str, *, min_score: float, picture_px: tuple[int, int] | None = None
    ) -> None:
        factory: DetectorFactory = plugin.load()
        try:
            self._detector = factory(argument, min_score=min_score, picture_px=picture_px)
            self.wanted = tuple(self._detector.wanted)
        except DetectorError:
            raise
        except PLUGIN_FAILURES as error:
            raise PluginError(plugin.blamed(error)) from error
        self._plugin = plugin
        self._min_score = min_score

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture; see `Detector.detect`.

        Raises:
            DetectorError: The plug-in fails.
        """
        height, width = pixels.shape[:2]
        try:
            found = [box.clipped((width, height)) for box in self._detector.detect(pixels)]
            # Comparisons with what is no number are false, so such boxes are left out, too.
            return tuple(box for box in found if box.score >= self._min_score and box.area_px > 0)
        except DetectorError:
            raise
        except PLUGIN_FAILURES as error:
            raise DetectorError(self._plugin.blamed(error)) from error
