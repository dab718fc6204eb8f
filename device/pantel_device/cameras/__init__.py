"""Cameras: where frames come from.

A camera is named ``scheme:argument``: ``v4l2:/dev/video0``, ``picamera2``, ``file:walk.mp4``, ``file:pictures/``,
``test``, ``test:7``, or as a plug-in has it.
"""

from pantel_device.cameras.base import Camera, Outage, SampledCamera
from pantel_device.cameras.geometry import Geometry
from pantel_device.cameras.live import Device, LiveCamera, Shot
from pantel_device.cameras.plugin_camera import CameraFactory
from pantel_device.cameras.registry import open_camera

__all__ = [
    "Camera",
    "CameraFactory",
    "Device",
    "Geometry",
    "LiveCamera",
    "Outage",
    "SampledCamera",
    "Shot",
    "open_camera",
]
