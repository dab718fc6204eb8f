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
        description="v4l2:DEVICE, picamera2[:NUMBER], file:PATH or test[:SEED]; the default needs nothing attached",
    )
    rotation: Annotated[Rotation, BeforeValidator(number_if_any)] = Field(
        0, description="by how much the camera's picture is turned clockwise to be upright: 0, 90, 180 or 270 [degrees]"
    )
    crop: _Crop = Field(
        WHOLE,
        description="left, top, width, height of the part to send, as shares of the upright picture; 0,0,1,1 for all",
    )
    callsign: Callsign = Field(
        DEFAULT_CALLSIGN, description="the operator's; the default never goes out on a real port"
    )
    sender: int = Field(
        0, ge=0, lt=1 << SENDER_BITS, description="number of this sender; differs where several share a channel"
    )
    size_px: _SizePx = Field(
        (320, 240), description="width x height of the picture sent [px]; larger ones take longer to arrive"
    )
    fps: float = Field(
        10.0, ge=_SLOWEST_FPS, le=60, description="frames captured a second; what moves is seen by comparing them"
    )
    mode: Literal["auto", "picture", "sketch"] = Field(
        "auto", description="picture, sketch: nothing but contours and places; or auto: a sketch below 200 bit/s"
    )
    edge_model: str = Field(
        "",
        description="of a sketch: structured forest (model.yml.gz) that finds contours by opencv-contrib; empty: Canny",
    )
    preset: Preset = Field(
        Preset.STANDARD, description="error protection: light, standard or heavy; heavy for lines that often fail"
    )
    model: str = Field("", description="name of an installed model; empty for the default, see pantel models list")
    detector: str = Field(
        "default", description="default is the bundled one, none leaves it at motion; else an ONNX file of your own"
    )
    detector_interval_frames: int = Field(
        0, ge=0, description="the detector looks at every n-th frame; 0: as often as the machine can bear"
    )
    mask: bool = Field(True, description="favour moving objects by roi_weight; false to compare")
    roi_weight: float = Field(
        1.25, ge=0.1, le=100, description="how much more an error counts in what moves than in the background"
    )
    zones: _Zones = Field(
        (),
        description="tables of name, kind (interest, alarm or privacy) and polygon, as shares of the picture; or JSON",
    )
    class_weights: _Weights = Field(
        {},
        description="how much objects of a class matter, such as person=2,animal=0; 1 for others, 0 is not told at all",
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
        32, ge=1, le=32, description="most objects told at a time, those that matter most; fewer are told better"
    )
    idle_fps: float = Field(
        2.0,
        ge=_SLOWEST_FPS,
        le=60,
        description="frames captured a second while nothing has moved for 10 s; fewer save power",
    )
    assumed_loss: float = Field(
        0.05, ge=0, lt=1, description="share of packets expected to be lost; more makes it repeat more"
    )
    refresh_s: float = Field(
        120.0,
        gt=0,
        le=LONGEST_S,
        description="time after which everything has been sent again in full [s], for who joins late",
    )
    key_file: str = Field(
        "", description="key of this sender, made by pantel key; then receivers with it take nobody else's packets"
    )
    back_channel: bool = Field(
        False, description="with a key: do what who has it asks for over the same port, such as a still"
    )
    encrypt: bool = Field(
        False, description="with a key: let nobody without it see the pictures; amateur bands do not allow it"
    )
    duty_cycle: float = Field(
        1.0, ge=0.0001, le=1, description="share of any hour that may be spent on the air; some bands allow 0.1 or 0.01"
    )
    still_interval_s: float = Field(
        0.0, ge=0, le=LONGEST_S, description="time between two stills beside the live picture [s]; 0 for none"
    )
    still_bytes: int = Field(
        1200,
        ge=64,
        le=13000,
        description="size of a still [byte]; at 960 bit/s and a quarter of the air 1200 take 1 min",
    )
    still_share: float = Field(
        0.25, gt=0, lt=1, description="share of the air that a still takes from the live picture while it is on its way"
    )
    telemetry_interval_s: float = Field(
        60.0,
        ge=0,
        le=LONGEST_S,
        description="time between two reports of voltage, temperature, position and such [s]; 0 for none",
    )
    telemetry_file: str = Field(
        "", description="JSON file in which your programs leave what they measure, such as battery_v; empty for none"
    )
    ring: str = Field(
        "", description="folder for video files of what the camera sees, in full quality, to be fetched; empty for none"
    )
    ring_quota_bytes: int = Field(
        5_000_000_000, ge=1_000_000, description="what all of them may take [byte], the oldest go first"
    )
    ring_fps: float = Field(
        2.0, ge=_SLOWEST_FPS, le=60, description="pictures recorded there a second; more take more disk and processor"
    )
    ring_width_px: int = Field(
        1280, ge=MIN_SIDE_PX, le=4096, description="how wide a picture the camera is asked for then [px]"
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: the boot epoch, lines that wait to be sent",
    )
