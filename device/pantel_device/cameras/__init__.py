"""Cameras: where frames come from.

A camera is named ``scheme:argument``: ``v4l2:/dev/video0``, ``picamera2``, ``file:walk.mp4``, ``file:pictures/``,
``test``, ``test:7``.
"""

from pantel_device.cameras.base import Camera, Outage
from pantel_device.cameras.geometry import Geometry
from pantel_device.cameras.registry import open_camera

__all__ = ["Camera", "Geometry", "Outage", "open_camera"]
