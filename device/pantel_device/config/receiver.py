"""The configuration of `pantel receive`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from pantel_device.config.line import Callsign, LineConfig, check_further_lines, default_state_dir
from pantel_device.config.publishing import PublishingConfig
from pantel_device.config.values import check_address, lines_from_json, split_names, split_sinks
from pantel_link import DEFAULT_CALLSIGN, Preset
from pantel_models import View

__all__ = ["ReceiverConfig"]


class _ReceivingConfig(LineConfig):
    """All of it but whom else a receiver tells: its keys come first."""

    lines: Annotated[tuple[LineConfig, ...], BeforeValidator(lines_from_json)] = Field(
        (),
        max_length=63,
        description="further lines to listen to: tables of port, baud_rate, bitrate_bps and capture; or JSON",
        json_schema_extra={
            "more": (
                "In a file they are tables `[[lines]]`, each with a `port` of its own and any other key that both ends "
                "of a line have; what is left out has its default, not what the first line has. See "
                "[operators.md](operators.md#many-masts-and-several-lines)."
            ),
            "values": "tables, or JSON in one line",
        },
    )
    picture: str = Field(
        "pantel.png",
        description="file that always holds the newest picture, format by suffix; empty for none",
        json_schema_extra={
            "more": (
                "The suffixes are `.png`, `.jpg`, `.webp`, `.bmp`, `.ppm` and `.tif`. It is replaced whole, so "
                "whoever reads it never sees half a picture."
            ),
        },
    )
    picture_interval_s: float = Field(
        0.5,
        ge=0.1,
        le=60,
        description="shortest time between two writes of that file [s], because disks wear",
        json_schema_extra={
            "more": (
                "Pictures are drawn ten times a second, whatever this says, and one like the one before is never "
                "written. In `/run` nothing wears, so there `0.1` is fine."
            ),
        },
    )
    view: View = Field(
        View.PERCEPTUAL,
        description="who paints: perceptual is nicest to look at, faithful has the least error",
        json_schema_extra={
            "more": (
                "Both paint the background from the same octets; the texture of the perceptual view need not have "
                "been there. A model that has no perceptual generator paints faithfully."
            ),
        },
    )
    overlay: bool = Field(
        False,
        description="mark in that file what is old, and what is only expected; twice as wide and high",
        json_schema_extra={
            "more": "See [operators.md](operators.md#received-or-expected). Large pictures keep their size."
        },
    )
    playout_delay_s: float = Field(
        1.5,
        ge=0,
        le=10,
        description="constant time from capture to show [s]; longer bridges worse lines smoothly",
        json_schema_extra={"more": "What arrives sooner waits, so that motion keeps its pace."},
    )
    events: str = Field(
        "-",
        description="file for a JSON line per event; - for standard output, log for the log, empty for none",
        json_schema_extra={
            "more": (
                "In the log they are key=value, and those that come all the time are left out: reports on the link, "
                "telemetry, growing stills."
            ),
        },
    )
    events_max_bytes: int = Field(
        10_000_000,
        ge=10_000,
        description="size at which the events begin a new file [byte]; one old one is kept",
        json_schema_extra={"more": "The old one is `NAME.1`, so at most twice as much disk is used."},
    )
    sinks: Annotated[tuple[str, ...], BeforeValidator(split_sinks)] = Field(
        (),
        description="further takers of pictures and events, NAME or NAME:ARGUMENT, which plug-ins bring",
        json_schema_extra={
            "more": (
                "In a file a list, else `csv:events.csv,other`. One that fails ten times in a row is given up, and "
                "all else goes on. See [api.md](api.md#a-sink)."
            ),
            "values": "names of installed plug-ins",
        },
    )
    stills: str = Field(
        "",
        description="folder for stills, as .ptl and .png; empty for none",
        json_schema_extra={"more": "The one that grows is `growing.png`."},
    )
    stills_quota_bytes: int = Field(
        1_000_000_000,
        ge=1_000_000,
        description="what all stills may take [byte], the oldest of the sender with the most go first",
        json_schema_extra={"more": "Nothing else is ever removed."},
    )
    recordings: str = Field(
        "",
        description="folder for video files of all that is shown; empty for none",
        json_schema_extra={
            "more": (
                "Of every sender, as video files that browsers play, see [operators.md](operators.md#recordings)."
            ),
        },
    )
    recordings_quota_bytes: int = Field(
        5_000_000_000,
        ge=1_000_000,
        description="what all recordings may take [byte], the oldest of the sender with the most go first",
        json_schema_extra={
            "more": (
                "Nothing else is ever removed. They go, too, before less than 100 MB (of small disks a "
                "twentieth) would stay free. The default holds a week of one sender at 320x240."
            ),
        },
    )
    recording_segment_s: float = Field(
        600.0,
        ge=10,
        le=86_400,
        description="time after which a recording begins a new file [s]; short ones load fast",
        json_schema_extra={
            "more": ("The quota removes them one by one."),
        },
    )
    web: Annotated[str, AfterValidator(check_address)] = Field(
        "127.0.0.1:8080",
        description="address of the page with the live picture, HOST:PORT; empty for none",
        json_schema_extra={
            "more": (
                "See [operators.md](operators.md#reaching-the-page). `[::1]:8080` is IPv6, `0.0.0.0:8080` is for all "
                "addresses. Port 0 takes a free one; the log tells which. If another program has the default port, "
                "the receiver goes on without a page; an address that was set must be free."
            ),
        },
    )
    web_token_file: str = Field(
        "",
        description="token that opens the page, made by pantel key token; beyond this machine there must be one",
        json_schema_extra={
            "more": (
                "The file holds 16 characters or more and may not be readable by everybody. Without one the page is "
                "served to this machine alone, and to everybody on it."
            ),
        },
    )
    web_names: Annotated[tuple[str, ...], BeforeValidator(split_names)] = Field(
        (),
        description="further names under which browsers reach the page, such as that of a reverse proxy",
        json_schema_extra={
            "more": (
                "Without port: in a file a list, else `a.example,b.example`. `localhost`, the machine's own name and "
                "its addresses need not be named; requests for any other name are refused."
            ),
            "values": "names of hosts",
        },
    )
    key_file: str = Field(
        "",
        description="master key or a sender's, made by pantel key; then nobody else's packets are taken",
        json_schema_extra={
            "more": "None that was heard before is taken, either. Without a key, streams that have none are taken."
        },
    )
    back_channel: bool = Field(False, description="with a key: send what pantel ask leaves, over the same port")
    acknowledge_s: float = Field(
        0.0,
        ge=0,
        le=600,
        description="with back_channel: time between two packets that tell the mast what was heard [s]; 0 for none",
        json_schema_extra={
            "more": (
                "It is a quarter of that when something is missing. The default is 0 because most lines are one way "
                "or half-duplex; take 5 where both directions are free at the same time. Each takes 48 octets, and "
                "tells of the last 33 packets (13 s at 960 bit/s, 36 s while nothing moves, 3.5 s at 10,000: there at "
                "most 3, or what lies between is never told, and after 64 packets the mast takes the line for "
                "one-way)."
            ),
        },
    )
    preset: Preset = Field(Preset.STANDARD, description="error protection of what goes back: light, standard or heavy")
    callsign: Callsign = Field(
        DEFAULT_CALLSIGN,
        description="your callsign, for what goes back; the default never goes out",
        json_schema_extra={
            "more": "It is refused on every port that leads out of this machine.",
            "values": "1 to 9 of A-Z, 0-9, `.`, `/` and `-`",
        },
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: parts of stills, and which packets are recordings",
        json_schema_extra={
            "more": (
                "The packets are those of senders with a key. A service has `$STATE_DIRECTORY`, which is "
                "`/var/lib/pantel/receiver-NAME`."
            ),
        },
    )

    @property
    def all_lines(self) -> tuple[LineConfig, ...]:
        """The line of the simple keys, and the further ones."""
        return (self, *self.lines)

    @field_validator("lines")
    @classmethod
    def _told_apart(cls, value: tuple[LineConfig, ...], info: ValidationInfo) -> tuple[LineConfig, ...]:
        check_further_lines(value, port=info.data.get("port", ""), capture=info.data.get("capture", ""))
        return value


class ReceiverConfig(PublishingConfig, _ReceivingConfig):
    """What `pantel receive` can be told."""
