"""The configuration of `pantel send`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pantel_codec import MAX_SIDE_PX, MIN_SIDE_PX
from pantel_device.cameras.geometry import WHOLE, Crop, Rotation, check_crop
from pantel_device.config.line import LONGEST_S, Callsign, LineConfig, default_state_dir
from pantel_device.config.values import from_json, number_if_any, split_crop, split_size, split_weights
from pantel_device.observer.zones import Zone, ZoneKind
from pantel_device.scene_encoding.audience import ASSUMED_LOSS
from pantel_link import DEFAULT_CALLSIGN, Preset
from pantel_link.context import SENDER_BITS

__all__ = ["SenderConfig"]

_SLOWEST_FPS = 0.01  # slower ones see nothing move


def _checked_crop(value: Crop) -> Crop:
    check_crop(value)
    return value


def _told_apart(zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    """Refuse alarm zones of one name: an alarm tells nothing else of its zone."""
    names = [zone.name for zone in zones if zone.kind is ZoneKind.ALARM]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two alarm zones are named {name!r}; give each a name of its own")
    return zones


_Side = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIDE_PX)]
_SizePx = Annotated[tuple[_Side, _Side], BeforeValidator(split_size)]
_Zones = Annotated[tuple[Zone, ...], BeforeValidator(from_json), AfterValidator(_told_apart)]
_Weight = Annotated[float, Field(ge=0, le=100)]
_Weights = Annotated[dict[str, _Weight], BeforeValidator(split_weights)]
_Crop = Annotated[Crop, BeforeValidator(split_crop), AfterValidator(_checked_crop)]


class SenderConfig(LineConfig):
    """What `pantel send` can be told."""

    camera: str = Field(
        "test",
        min_length=1,
        description="where pictures come from: v4l2:DEVICE, picamera2[:NUMBER], file:PATH or test[:SEED]",
        json_schema_extra={
            "more": (
                "`v4l2:/dev/video0` (or `v4l2:0`) is a USB camera, `picamera2` or `picamera2:1` a camera module of "
                "a Raspberry Pi, see [operators.md](operators.md#the-camera). `file:PATH` plays a clip, shows a "
                "picture or a folder of pictures, at the end backwards and forwards; `file:PATH?loop=once` ends "
                "there, and the sender with it, once the last picture's packet has left. `test` or `test:SEED` is a "
                "moving scene that needs no camera. Plug-ins bring others, see [api.md](api.md#a-camera)."
            ),
        },
    )
    rotation: Annotated[Rotation, BeforeValidator(number_if_any)] = Field(
        0, description="by how much the camera's picture is turned clockwise to be upright: 0, 90, 180 or 270 [degrees]"
    )
    crop: _Crop = Field(
        WHOLE,
        description="left, top, width, height of the part to send, as shares of the upright picture; 0,0,1,1 for all",
        json_schema_extra={
            "more": "`0.25,0.25,0.5,0.5` is the middle of it, whatever size the camera has.",
            "values": "shares; at least 0.01 wide and high",
        },
    )
    callsign: Callsign = Field(
        DEFAULT_CALLSIGN,
        description="callsign of the operator; the default never goes out on a real port",
        json_schema_extra={
            "more": "Real ports are all that lead out of this machine.",
            "values": "1 to 9 of A-Z, 0-9, `.`, `/` and `-`",
        },
    )
    sender: int = Field(
        0, ge=0, lt=1 << SENDER_BITS, description="number of this sender; differs where several share a channel"
    )
    size_px: _SizePx = Field(
        (320, 240),
        description="width x height of the picture sent [px]; larger ones take longer to arrive",
        json_schema_extra={
            "more": (
                "What the camera sees is scaled to it; where its aspect is another one, as much is cut off on both "
                "sides, so that nothing is distorted. `320x180` sends all of a 16:9 picture."
            ),
            "values": "32x32 to 1024x1024",
        },
    )
    fps: float = Field(
        10.0,
        ge=_SLOWEST_FPS,
        le=60,
        description="frames captured a second; what moves is seen by comparing them",
        json_schema_extra={"more": "How often something is sent depends on the line alone."},
    )
    mode: Literal["auto", "picture", "sketch"] = Field(
        "auto",
        description="what is sent: picture, sketch (contours and places alone), or auto: a sketch below 200 bit/s",
        json_schema_extra={
            "more": (
                "A receiver shows a sketch as a drawing, see [operators.md](operators.md#sketches). On lines below "
                "200 bit/s a picture takes 20 s to be recognizable."
            ),
        },
    )
    edge_model: str = Field(
        "",
        description="for sketches: structured forest (model.yml.gz) that finds contours; empty for Canny",
        json_schema_extra={
            "more": (
                "It needs opencv-contrib, see [operators.md](operators.md#other-contours). A picture takes no "
                "notice of it."
            ),
        },
    )
    preset: Preset = Field(
        Preset.STANDARD,
        description="error protection: light, standard or heavy; heavy for lines that often fail",
        json_schema_extra={
            "more": "More protection leaves less room for the picture. The receiver recognizes it by itself."
        },
    )
    model: str = Field(
        "",
        description="name of an installed model; empty for the default, see pantel models list",
        json_schema_extra={"more": "The receiver needs the same model."},
    )
    detector: str = Field(
        "default",
        description="what finds objects: default is the bundled one, none leaves it at motion; else an ONNX file",
        json_schema_extra={
            "more": (
                "It finds and names people, vehicles and animals, tells those in a group apart, and keeps them "
                "together when they halt. The file may be of YOLOX, YOLOv5, YOLOv8, YOLO11, NanoDet or FastestDet, "
                "see [operators.md](operators.md#a-stronger-detector); `pantel models check FILE` tries it. With "
                "`none` each moving region is an object without a name. `NAME` or `NAME:ARGUMENT` is one that a "
                "plug-in brings, see [api.md](api.md#a-detector)."
            ),
        },
    )
    detector_interval_frames: int = Field(
        0,
        ge=0,
        description="the detector looks at every n-th frame; 0: as often as the machine can bear",
        json_schema_extra={
            "more": (
                "It takes longest of all; between, objects are followed by how they look. 0 leaves more than half "
                "of the time for all else, measured as it runs; it then looks at every 20th frame at least."
            ),
        },
    )
    mask: bool = Field(
        True,
        description="favour moving objects by roi_weight; false to compare",
        json_schema_extra={"more": "With `false` an error counts alike everywhere, whatever moves."},
    )
    roi_weight: float = Field(
        1.25, ge=0.1, le=100, description="how much more an error counts in what moves than in the background"
    )
    zones: _Zones = Field(
        (),
        description="tables of name, kind (interest, alarm or privacy) and polygon, as shares of the picture; or JSON",
        json_schema_extra={
            "more": (
                "Interest zones matter more, alarm zones raise alarms, privacy zones are never sent. In a file they "
                "are tables `[[zones]]`, see [operators.md](operators.md#zones). Alarm zones have names of their "
                "own."
            ),
            "values": "tables, or JSON in one line",
        },
    )
    class_weights: _Weights = Field(
        {},
        description="how much objects of a class matter, such as person=2,animal=0; 1 for others, 0 is not told at all",
        json_schema_extra={
            "more": (
                "In a file they are written `{person = 2.0, animal = 0.0}`. `unknown` is what moves and was not "
                "recognized. The names are those of the detector, of the bundled one `person`, `bicycle`, `car`, "
                "`vehicle` and `animal`; others are refused at the start."
            ),
            "values": "`CLASS=WEIGHT,…`; 0 to 100",
        },
    )
    min_object_height: float = Field(
        0.0, ge=0, le=1, description="height of the smallest object, as a share of the picture's; specks are left out"
    )
    object_dwell_s: float = Field(
        0.0,
        ge=0,
        le=60,
        description="how long an object must be in view before it is told [s]; leaves out what flits by",
    )
    max_objects: int = Field(
        32,
        ge=1,
        le=32,
        description="most objects told at a time, those that matter most; fewer are told better",
        json_schema_extra={"more": "Class, zone and size say how much they matter."},
    )
    idle_fps: float = Field(
        2.0,
        ge=_SLOWEST_FPS,
        le=60,
        description="frames captured a second while nothing has moved for 10 s; fewer save power",
        json_schema_extra={
            "more": "They are never more than `fps`. Whoever appears is seen up to half a second later."
        },
    )
    assumed_loss: float = Field(
        ASSUMED_LOSS, ge=0, lt=1, description="share of packets expected to be lost; more makes it repeat more"
    )
    refresh_s: float = Field(
        120.0,
        gt=0,
        le=LONGEST_S,
        description="time after which everything has been sent again in full [s], for who joins late",
        json_schema_extra={
            "more": "A coarse picture for receivers that join late comes round by itself, in about 7 s at 960 bit/s."
        },
    )
    key_file: str = Field(
        "",
        description="key of this sender, made by pantel key; then receivers with it take nobody else's packets",
        json_schema_extra={
            "more": (
                "Nobody can imitate or repeat its packets then. Without a key, packets are only protected against "
                "noise."
            ),
        },
    )
    back_channel: bool = Field(
        False,
        description="with a key: do what who has it asks for over the same port, such as a still",
        json_schema_extra={"more": "It also goes by what a receiver acknowledges."},
    )
    encrypt: bool = Field(
        False,
        description="with a key: let nobody without it see the pictures; amateur bands do not allow it",
        json_schema_extra={"more": "It needs `pip install '.[encryption]'`."},
    )
    duty_cycle: float = Field(
        1.0, ge=0.0001, le=1, description="share of any hour that may be spent on the air; some bands allow 0.1 or 0.01"
    )
    still_interval_s: float = Field(
        0.0,
        ge=0,
        le=LONGEST_S,
        description="time between two stills beside the live picture [s]; 0 for none",
        json_schema_extra={"more": "They come in better quality."},
    )
    still_bytes: int = Field(
        1200,
        ge=64,
        le=13000,
        description="size of a still [byte]; at 960 bit/s and a quarter of the air 1200 take 1 min",
        json_schema_extra={"more": "It is filled up to whole packets."},
    )
    still_share: float = Field(
        0.25, gt=0, lt=1, description="share of the air that a still takes from the live picture while it is on its way"
    )
    telemetry_interval_s: float = Field(
        60.0,
        ge=0,
        le=LONGEST_S,
        description="time between two reports of voltage, temperature, position and such [s]; 0 for none",
        json_schema_extra={"more": "A report takes a packet."},
    )
    telemetry_file: str = Field(
        "",
        description="JSON file in which your programs leave what they measure, such as battery_v; empty for none",
        json_schema_extra={
            "more": (
                "Its keys are `battery_v`, `temperature_c`, `latitude_deg`, `longitude_deg` and `altitude_m`. "
                "Uptime, free disk and the processor's temperature are found without it."
            ),
        },
    )
    ring: str = Field(
        "",
        description="folder for video files of what the camera sees, in full quality, to be fetched; empty for none",
        json_schema_extra={
            "more": (
                "See [operators.md](operators.md#the-ring-on-the-mast). Privacy zones are painted over there, too."
            ),
        },
    )
    ring_quota_bytes: int = Field(
        5_000_000_000,
        ge=1_000_000,
        description="what all of them may take [byte], the oldest go first",
        json_schema_extra={
            "more": ("They make room as `recordings_quota_bytes` has it. The default holds a day at 1280x960."),
        },
    )
    ring_fps: float = Field(
        2.0,
        ge=_SLOWEST_FPS,
        le=60,
        description="pictures recorded there a second; more take more disk and processor",
        json_schema_extra={
            "more": ("They are at most as many as are captured (`fps`, `idle_fps`)."),
        },
    )
    ring_width_px: int = Field(
        1280,
        ge=MIN_SIDE_PX,
        le=4096,
        description="how wide a picture the camera is asked for then [px]",
        json_schema_extra={
            "more": (
                "The height follows the aspect of `size_px`. What is recorded is what it then delivers, "
                "turned and cut as what is sent. `file:` and `test` cameras are recorded as they are "
                "sent."
            ),
        },
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: the boot epoch, lines that wait to be sent",
        json_schema_extra={
            "more": (
                "By the epoch receivers tell a restarted sender from its past. Without `XDG_STATE_HOME` it lies in "
                "`~/.local/state`; a service has `$STATE_DIRECTORY`, which is `/var/lib/pantel/sender-NAME`."
            ),
        },
    )
