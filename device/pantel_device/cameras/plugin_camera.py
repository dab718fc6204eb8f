"""Cameras of plug-ins: what goes wrong in them is told as theirs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from pantel_device.cameras.base import Camera, Outage
from pantel_device.cameras.geometry import Geometry
from pantel_device.errors import CameraError
from pantel_device.frame import Frame
from pantel_link import PluginError
from pantel_link.plugins import PLUGIN_FAILURES, Plugin

__all__ = ["CameraFactory", "open_plugin_camera"]

log = logging.getLogger(__name__)


class CameraFactory(Protocol):
    """What an entry point of the group ``pantel.cameras`` names, such as a class; its own name is the camera's."""

    def from_argument(
        self, argument: str, size_px: tuple[int, int], fps: float, geometry: Geometry, *, patient: bool
    ) -> Camera:
        """Open a camera.

        Args:
            argument: What the user has written behind the camera's name and a colon; empty for nothing.
            size_px: Width and height that its frames must have [px].
            fps: Capture instants per second.
            geometry: How what it sees becomes such frames; `Geometry.fit` does it.
            patient: Whether a device that is missing is to be looked for again and again, as for a service.

        Raises:
            CameraNameError: There can be no such camera.
            CameraError: It gives no pictures. Both messages are one line that says what to do.
        """
        ...


def open_plugin_camera(
    plugin: Plugin, argument: str, size_px: tuple[int, int], fps: float, geometry: Geometry, *, patient: bool
) -> Camera:
    """Open a camera that a plug-in brings; see `CameraFactory`.

    Raises:
        PluginError: The plug-in cannot be loaded, or raises something else than a `CameraError`.
        CameraError: The camera gives no pictures.
    """
    factory: CameraFactory = plugin.load()
    try:
        camera = factory.from_argument(argument, size_px, fps, geometry, patient=patient)
        _ = camera.capture, camera.close, camera.finished, camera.outage  # asked for now, so that nothing lacks later
    except CameraError:
        raise
    except PLUGIN_FAILURES as error:
        raise PluginError(plugin.blamed(error)) from error
    return _PluginCamera(camera, plugin, size_px, fps)


class _PluginCamera:
    """Wraps a camera; what it raises, and what is no frame of its size, is a `CameraError` that names the plug-in."""

    def __init__(self, camera: Camera, plugin: Plugin, size_px: tuple[int, int], fps: float) -> None:
        self.size_px = size_px
        self.fps = fps
        self._camera = camera
        self._plugin = plugin

    @property
    def finished(self) -> bool:
        with self._blaming():
            return self._camera.finished

    @property
    def outage(self) -> Outage | None:
        with self._blaming():
            return self._camera.outage

    def capture(self, now_ns: int) -> Frame | None:
        with self._blaming():
            frame = self._camera.capture(now_ns)
            if frame is not None:
                self._check(frame)
            return frame

    def close(self) -> None:
        try:
            self._camera.close()
        except PLUGIN_FAILURES as error:  # all else is closed, too
            log.warning("camera not closed reason=%s", self._plugin.blamed(error))

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except CameraError:
            raise
        except PLUGIN_FAILURES as error:
            raise CameraError(self._plugin.blamed(error)) from error

    def _check(self, frame: Frame) -> None:
        if not isinstance(frame, Frame):
            raise CameraError(
                f"{self._plugin} gives a {type(frame).__name__} instead of a Frame; report it to its makers"
            )
        width, height = self.size_px
        if frame.pixels.shape != (height, width, 3) or frame.pixels.dtype != np.uint8:
            raise CameraError(
                f"{self._plugin} gives frames of {frame.pixels.shape} {frame.pixels.dtype} instead of "
                f"{(height, width, 3)} uint8; report it to its makers"
            )
