"""Errors of the device.

DeviceError
 +-- BrokerError     the MQTT broker cannot be reached, or does not let us in
 +-- CameraError     no picture can come from what the user named as the camera
 |    +-- CameraNameError   nor ever will: there is no such kind of camera, or the file is missing or no clip
 +-- DetectorError   the detector's file is missing, unreadable or of another layout
 +-- EdgeModelError  the edge detector's file is missing or damaged, or OpenCV is without what reads it
 +-- PictureError    a picture file is missing, unreadable or no picture
 +-- SinkError       what the user named as the argument of a sink cannot be used by it
 +-- VideoError      a video cannot be written; make room or name another place

Every message is one line that says what is wrong and what to do.
"""

__all__ = [
    "BrokerError",
    "CameraError",
    "CameraNameError",
    "DetectorError",
    "DeviceError",
    "EdgeModelError",
    "PictureError",
    "SinkError",
    "VideoError",
]


class DeviceError(Exception):
    """Anything that keeps the sender or the receiver from its work."""


class BrokerError(DeviceError):
    """The MQTT broker cannot be reached, refuses the connection or has ended it."""


class CameraError(DeviceError):
    """The camera, clip, picture or folder that the user named gives no pictures."""


class CameraNameError(CameraError):
    """What the user named cannot be a camera, whatever is plugged in."""


class DetectorError(DeviceError):
    """The detector that the configuration names cannot be used."""


class EdgeModelError(DeviceError):
    """The edge detector that the configuration names cannot be used."""


class PictureError(DeviceError):
    """A picture file cannot be read."""


class SinkError(DeviceError):
    """A sink that a plug-in brings cannot be used as the user wants it."""


class VideoError(DeviceError):
    """A video cannot be written."""
