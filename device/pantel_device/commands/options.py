"""Command-line options that follow from a configuration model, one for each key."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pantel_device.config import ENVIRONMENT_PREFIX, ReceiverConfig, SenderConfig, load_config

__all__ = ["add_config_options", "read_config"]

_Config = TypeVar("_Config", SenderConfig, ReceiverConfig)

_SWITCH: Mapping[str, Any] = {"nargs": "?", "const": "true"}  # --overlay is --overlay true


def add_config_options(parser: argparse.ArgumentParser, model: type[BaseModel]) -> None:
    """Declare ``--config FILE``, ``--seconds S`` and an option for each key of a model."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the keys that follow")
    parser.add_argument(
        "--seconds", type=_positive, metavar="S", help="end after so many seconds (default: run until stopped)"
    )
    keys = parser.add_argument_group(
        "configuration",
        f"Each option is also a key of the file and an environment variable: --bitrate-bps is bitrate_bps and "
        f"{ENVIRONMENT_PREFIX}BITRATE_BPS.",
    )
    for key, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        text = f"{field.description} (default: {_as_text(default)})"
        keys.add_argument(
            f"--{key.replace('_', '-')}",
            dest=key,
            metavar=key.rpartition("_")[2].upper(),
            default=argparse.SUPPRESS,
            help=text.replace("%", "%%"),
            **(_SWITCH if field.annotation is bool else {}),
        )


def read_config(arguments: argparse.Namespace, model: type[_Config]) -> _Config:
    """Return the configuration that options, environment and file make together.

    Raises:
        UsageError: Something in them is unknown or impossible.
    """
    options = {key: getattr(arguments, key) for key in model.model_fields if key in arguments}
    return load_config(model, arguments.config, options)


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds")
    return seconds


def _as_text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case (width, height):
            return f"{width}x{height}"
        case "":
            return "empty"
        case _:
            return str(value)
