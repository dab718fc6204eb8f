"""The cameras by name. A camera's module is imported when the first camera of its kind is opened."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from pantel_device.cameras.base import Camera
from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.cameras.plugin_camera import open_plugin_camera
from pantel_device.errors import CameraNameError
from pantel_link.plugins import find_plugin, installed_plugins

__all__ = ["BUILT_IN_CAMERAS", "open_camera"]

_RECORDED = {
    "file": ("pantel_device.cameras.file", "FileCamera", "file:PATH"),
    "test": ("pantel_device.cameras.synthetic", "SyntheticCamera", "test or test:SEED"),
}
_DEVICES = {
    "v4l2": ("pantel_device.cameras.v4l2", "V4l2Camera", "v4l2:DEVICE"),
    "picamera2": ("pantel_device.cameras.picamera2", "Picamera2Camera", "picamera2 or picamera2:NUMBER"),
}
_CAMERAS = _RECORDED | _DEVICES

BUILT_IN_CAMERAS = frozenset(_CAMERAS)
"""Names that no plug-in can have."""


def open_camera(
    name: str, size_px: tuple[int, int], fps: float, geometry: Geometry = STRETCHED, *, patient: bool = False
) -> Camera:
    """Open the camera of that name.

    Args:
        name: ``scheme:argument``, for example ``file:walk.mp4``, ``v4l2:/dev/video0`` or ``test:7``. Plug-ins
            bring other schemes.
        size_px: Width and height of the frames wanted [px].
        fps: Capture instants per second.
        geometry: How what the camera sees becomes such frames; by default the whole of it is scaled.
        patient: Whether a device that is missing, or gives no pictures, is looked for again and again.

    Raises:
        CameraNameError: There can be no such camera.
        CameraError: It gives no pictures, and nobody is patient. Both messages are one line for the user.
        PluginError: The plug-in that brings it cannot be loaded, or fails.
    """
    scheme, _, argument = name.partition(":")
    if scheme not in _CAMERAS:
        if (plugin := find_plugin("camera", scheme)) is not None:
            return open_plugin_camera(plugin, argument, size_px, fps, geometry, patient=patient)
        usages = [usage for _, _, usage in _CAMERAS.values()]
        known = ", ".join((*usages, *(plugin.name for plugin in installed_plugins("camera"))))
        raise CameraNameError(f"there is no camera {name!r}; name one as {known}")
    module, factory, _ = _CAMERAS[scheme]
    open_ = cast(Callable[..., Camera], getattr(import_module(module), factory).from_argument)
    options = {"patient": patient} if scheme in _DEVICES else {}
    return open_(argument, size_px, fps, geometry, **options)
