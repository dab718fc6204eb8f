"""The sender and receiver daemons: cameras, observer, scene encoder, renderer, configuration, command line.

The names below are what programs and plug-ins may use, see docs/api.md; all else may change at any time. Each is loaded
when it is first asked for: a program that reads a capture needs no camera, and `pantel --help` none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pantel_device.cameras import Camera as Camera
    from pantel_device.cameras import CameraFactory as CameraFactory
    from pantel_device.cameras import Device as Device
    from pantel_device.cameras import Geometry as Geometry
    from pantel_device.cameras import LiveCamera as LiveCamera
    from pantel_device.cameras import Outage as Outage
    from pantel_device.cameras import SampledCamera as SampledCamera
    from pantel_device.cameras import Shot as Shot
    from pantel_device.cameras import open_camera as open_camera
    from pantel_device.command import Command as Command
    from pantel_device.command import CommandError as CommandError
    from pantel_device.command import UsageError as UsageError
    from pantel_device.config import ReceiverConfig as ReceiverConfig
    from pantel_device.config import SenderConfig as SenderConfig
    from pantel_device.config import load_config as load_config
    from pantel_device.daemon import Core as Core
    from pantel_device.daemon import run as run
    from pantel_device.errors import CameraError as CameraError
    from pantel_device.errors import CameraNameError as CameraNameError
    from pantel_device.errors import DetectorError as DetectorError
    from pantel_device.errors import DeviceError as DeviceError
    from pantel_device.errors import EdgeModelError as EdgeModelError
    from pantel_device.errors import PictureError as PictureError
    from pantel_device.errors import SinkError as SinkError
    from pantel_device.errors import VideoError as VideoError
    from pantel_device.frame import Box as Box
    from pantel_device.frame import CameraPlace as CameraPlace
    from pantel_device.frame import Frame as Frame
    from pantel_device.frame import Observation as Observation
    from pantel_device.frame import Track as Track
    from pantel_device.frame import TrackPoint as TrackPoint
    from pantel_device.frame import ZoneEvent as ZoneEvent
    from pantel_device.observer import Detector as Detector
    from pantel_device.observer import DetectorFactory as DetectorFactory
    from pantel_device.observer import MotionDetector as MotionDetector
    from pantel_device.observer import NamingDetector as NamingDetector
    from pantel_device.observer import Observer as Observer
    from pantel_device.observer import PrivacyMask as PrivacyMask
    from pantel_device.observer import RegionRules as RegionRules
    from pantel_device.observer import Zone as Zone
    from pantel_device.observer import ZoneKind as ZoneKind
    from pantel_device.observer import open_contour_finder as open_contour_finder
    from pantel_device.observer import open_detector as open_detector
    from pantel_device.pictures import read_picture as read_picture
    from pantel_device.pictures import write_picture as write_picture
    from pantel_device.receiving.alarms_in import ReceivedAlarm as ReceivedAlarm
    from pantel_device.receiving.plugin_sink import SinkFactory as SinkFactory
    from pantel_device.receiving.receiver import Contact as Contact
    from pantel_device.receiving.receiver import Receiver as Receiver
    from pantel_device.receiving.replay import ReplayedRun as ReplayedRun
    from pantel_device.receiving.replay import replay as replay
    from pantel_device.receiving.sink import Event as Event
    from pantel_device.receiving.sink import Picture as Picture
    from pantel_device.receiving.sink import SenderName as SenderName
    from pantel_device.receiving.sink import Sink as Sink
    from pantel_device.receiving.sink import Watcher as Watcher
    from pantel_device.receiving.sinks import EventFile as EventFile
    from pantel_device.receiving.sinks import PictureFile as PictureFile
    from pantel_device.receiving.sinks import event_record as event_record
    from pantel_device.rendering.overlay import draw_overlay as draw_overlay
    from pantel_device.rendering.renderer import Renderer as Renderer
    from pantel_device.rendering.renderer import Rendering as Rendering
    from pantel_device.rendering.renderer import ShownObject as ShownObject
    from pantel_device.scene_encoding.contours.sketch_encoder import SketchEncoder as SketchEncoder
    from pantel_device.scene_encoding.payload_encoder import PayloadEncoder as PayloadEncoder
    from pantel_device.scene_encoding.scene_encoder import SceneEncoder as SceneEncoder
    from pantel_device.scene_encoding.scene_encoder import SceneEncoderSettings as SceneEncoderSettings
    from pantel_device.sending.boot_epoch import next_epoch as next_epoch
    from pantel_device.sending.sender import Sender as Sender
    from pantel_device.sending.stream import stream_context as stream_context

_HOMES = {
    "pantel_device.cameras": (
        "Camera",
        "CameraFactory",
        "Device",
        "Geometry",
        "LiveCamera",
        "Outage",
        "SampledCamera",
        "Shot",
        "open_camera",
    ),
    "pantel_device.command": ("Command", "CommandError", "UsageError"),
    "pantel_device.config": ("ReceiverConfig", "SenderConfig", "load_config"),
    "pantel_device.daemon": ("Core", "run"),
    "pantel_device.errors": (
        "CameraError",
        "CameraNameError",
        "DetectorError",
        "DeviceError",
        "EdgeModelError",
        "PictureError",
        "SinkError",
        "VideoError",
    ),
    "pantel_device.frame": ("Box", "CameraPlace", "Frame", "Observation", "Track", "TrackPoint", "ZoneEvent"),
    "pantel_device.observer": (
        "Detector",
        "DetectorFactory",
        "MotionDetector",
        "NamingDetector",
        "Observer",
        "PrivacyMask",
        "RegionRules",
        "Zone",
        "ZoneKind",
        "open_contour_finder",
        "open_detector",
    ),
    "pantel_device.pictures": ("read_picture", "write_picture"),
    "pantel_device.receiving.alarms_in": ("ReceivedAlarm",),
    "pantel_device.receiving.plugin_sink": ("SinkFactory",),
    "pantel_device.receiving.receiver": ("Contact", "Receiver"),
    "pantel_device.receiving.replay": ("ReplayedRun", "replay"),
    "pantel_device.receiving.sink": ("Event", "Picture", "SenderName", "Sink", "Watcher"),
    "pantel_device.receiving.sinks": ("EventFile", "PictureFile", "event_record"),
    "pantel_device.rendering.overlay": ("draw_overlay",),
    "pantel_device.rendering.renderer": ("Renderer", "Rendering", "ShownObject"),
    "pantel_device.scene_encoding.contours.sketch_encoder": ("SketchEncoder",),
    "pantel_device.scene_encoding.payload_encoder": ("PayloadEncoder",),
    "pantel_device.scene_encoding.scene_encoder": ("SceneEncoder", "SceneEncoderSettings"),
    "pantel_device.sending.boot_epoch": ("next_epoch",),
    "pantel_device.sending.sender": ("Sender",),
    "pantel_device.sending.stream": ("stream_context",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = list(_HOME)

if not TYPE_CHECKING:  # so that type checkers know a wrong name

    def __getattr__(name: str) -> Any:
        """Load a name."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)

    def __dir__() -> list[str]:
        """Return the names, loaded or not."""
        return __all__
