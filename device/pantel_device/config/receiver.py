"""The configuration of `pantel receive`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pantel_device.config.line import Callsign, LineConfig, default_state_dir
from pantel_link import DEFAULT_CALLSIGN, Preset
from pantel_models import View

__all__ = ["ReceiverConfig"]


class ReceiverConfig(LineConfig):
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
    events: str = Field(
        "-", description="file for a JSON line per event; - for standard output, log for the log, empty for none"
    )
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
    callsign: Callsign = Field(DEFAULT_CALLSIGN, description="yours, for what goes back; the default never goes out")
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for what must survive a restart: parts of stills, and which packets are recordings",
    )
