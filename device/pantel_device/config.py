"""The configuration of the daemons: one frozen model each, from which files, variables and options follow.

A key ``bitrate_bps`` is set, in descending order of precedence, by the option ``--bitrate-bps``, the environment
variable ``PANTEL_BITRATE_BPS``, a line ``bitrate_bps = …`` of a TOML file, or its default. docs/configuration.md lists
them all.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from pantel_codec import MAX_SIDE_PX, MIN_SIDE_PX
from pantel_device.cameras.geometry import WHOLE, Crop, Rotation, check_crop
from pantel_device.command import UsageError
from pantel_device.config_mistakes import mistake_in
from pantel_device.config_values import from_json, number_if_any, split_crop, split_size, split_weights
from pantel_device.observer.zones import Zone, ZoneKind
from pantel_link import DEFAULT_CALLSIGN, CallsignError, Preset, check_callsign
from pantel_link.context import SENDER_BITS
from pantel_link.pacing import DEFAULT_BITRATE_BPS, check_bitrate
from pantel_link.ports import DEFAULT_BAUD_RATE
from pantel_models import View

__all__ = ["ENVIRONMENT_PREFIX", "LONGEST_S", "ReceiverConfig", "SenderConfig", "default_state_dir", "load_config"]

ENVIRONMENT_PREFIX = "PANTEL_"

LONGEST_S = 31_536_000.0
"""The longest time that can be set [s], a year: clocks count in nanoseconds, and no infinity has any."""

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


def default_state_dir() -> Path:
    """Return where the XDG base directory specification puts a program's state."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "pantel"


_Side = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIDE_PX)]
_SizePx = Annotated[tuple[_Side, _Side], BeforeValidator(split_size)]
_Zones = Annotated[tuple[Zone, ...], BeforeValidator(from_json), AfterValidator(_told_apart)]
_Weight = Annotated[float, Field(ge=0, le=100)]
_Weights = Annotated[dict[str, _Weight], BeforeValidator(split_weights)]
_Crop = Annotated[Crop, BeforeValidator(split_crop), AfterValidator(_checked_crop)]


class _LineConfig(BaseModel):
    """What both ends of a line must know of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: str = Field(
        "/dev/serial0",
        min_length=1,
        description="device, pyserial URL or pty:[LINK]; the default is the UART of a Raspberry Pi",
    )
    baud_rate: int = Field(
        DEFAULT_BAUD_RATE,
        gt=0,
        le=100_000_000,
        description="line rate of a serial device [Bd]; 1200 is what slow radios take",
    )
    bitrate_bps: int = Field(
        DEFAULT_BITRATE_BPS,
        gt=0,
        description="octets on the line times 8 [bit/s], the same at both ends; 960 fill 1200 Bd (8N1), 7680 9600 Bd",
    )

    capture: str = Field(
        "", description="pcapng file to append all codewords to, for Wireshark and pantel replay; empty for none"
    )
    capture_max_bytes: int = Field(
        50_000_000, ge=10_000, description="size at which the capture begins a new file [byte]; a day takes 30 million"
    )
    capture_max_age_s: float = Field(
        86_400.0,
        ge=60,
        le=LONGEST_S,
        description="time after which the capture begins a new file [s]; a day's are easily found",
    )
    capture_quota_bytes: int = Field(
        1_000_000_000,
        ge=10_000,
        description="what all files of the capture may take [byte], the oldest go first; the default holds a month",
    )

    @field_validator("bitrate_bps")
    @classmethod
    def _possible(cls, value: int) -> int:
        check_bitrate(value)
        return value


def _normal_callsign(value: str) -> str:
    """Return a callsign in capital letters."""
    callsign = value.upper()
    try:
        check_callsign(callsign, on_air=False)
    except CallsignError as error:
        raise ValueError(str(error)) from error
    return callsign


_Callsign = Annotated[str, AfterValidator(_normal_callsign)]


class SenderConfig(_LineConfig):
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
    callsign: _Callsign = Field(
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
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: the boot epoch, lines that wait to be sent",
    )


class ReceiverConfig(_LineConfig):
    """What `pantel receive` can be told."""

    picture: str = Field(
        "pantel.png", description="file that always holds the newest picture, format by suffix; empty for none"
    )
    picture_interval_s: float = Field(
        0.5, ge=0.1, le=60, description="shortest time between two writes of that file [s], because disks wear"
    )
    view: View = Field(
        View.PERCEPTUAL, description="perceptual paints what is nicest to look at, faithful what has the least error"
    )
    overlay: bool = Field(
        False, description="mark in that file what is old, and what is only expected; twice as wide and high"
    )
    playout_delay_s: float = Field(
        1.5, ge=0, le=10, description="constant time from capture to show [s]; longer bridges worse lines smoothly"
    )
    events: str = Field("-", description="file for a JSON line per event; - for standard output, empty for none")
    events_max_bytes: int = Field(
        10_000_000, ge=10_000, description="size at which the events begin a new file [byte]; one old one is kept"
    )
    stills: str = Field("", description="folder for stills, as .ptl and .png; empty for none")
    stills_quota_bytes: int = Field(
        1_000_000_000, ge=1_000_000, description="what all stills may take [byte], the oldest go first"
    )
    key_file: str = Field(
        "", description="master key or a sender's, made by pantel key; then nobody else's packets are taken"
    )
    back_channel: bool = Field(False, description="with a key: send what pantel ask leaves, over the same port")
    acknowledge_s: float = Field(
        0.0,
        ge=0,
        le=600,
        description="with back_channel: time between two packets that tell the mast what was heard [s]; 0 for none",
    )
    preset: Preset = Field(Preset.STANDARD, description="error protection of what goes back: light, standard or heavy")
    callsign: _Callsign = Field(DEFAULT_CALLSIGN, description="yours, for what goes back; the default never goes out")
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: parts of stills, and which packets are recordings",
    )


_Config = TypeVar("_Config", bound=_LineConfig)


def load_config(model: type[_Config], file: Path | None, options: Mapping[str, str]) -> _Config:
    """Return a configuration: options before environment variables before a file before the defaults.

    Args:
        model: `SenderConfig` or `ReceiverConfig`.
        file: TOML file, or None.
        options: Values of command-line options by key.

    Raises:
        UsageError: A key is unknown, a value impossible or the file unreadable.
    """
    variables = _read_environment(model)
    values: dict[str, object] = {**(_read_file(model, file) if file else {}), **variables, **options}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        key = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
        if key in options:
            place = f"--{key.replace('_', '-')}"
        elif key in variables:
            place = _variable(key)
        else:
            place = f"{key} in {file}"
        raise UsageError(mistake_in(error, place, values[key])) from error


def _read_file(model: type[_LineConfig], file: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration {file}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is no TOML file: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{file} is no TOML file: its brackets are nested too deep") from error
    known = model.model_fields
    for key in values:
        if key not in known:
            raise UsageError(f"unknown key '{key}' in {file}; known keys: {', '.join(known)}")
    return values


def _read_environment(model: type[_LineConfig]) -> dict[str, str]:
    """Return the model's values in the environment; what belongs to the other daemon is left alone."""
    known = {_variable(key) for key in _all_keys()}
    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            raise UsageError(f"unknown environment variable {name}; known ones: {', '.join(sorted(known))}")
    return {key: os.environ[_variable(key)] for key in model.model_fields if _variable(key) in os.environ}


def _all_keys() -> Iterable[str]:
    return {**SenderConfig.model_fields, **ReceiverConfig.model_fields}


def _variable(key: str) -> str:
    return ENVIRONMENT_PREFIX + key.upper()
