"""Command-line options that follow from a configuration model, one for each key."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pantel_device.config import ENVIRONMENT_PREFIX, LONGEST_S, ReceiverConfig, SenderConfig, load_config
from pantel_device.config.fields import choices_of, default_text

__all__ = [
    "add_config_options",
    "add_worker_options",
    "file_name",
    "positive_seconds",
    "read_config",
    "share",
    "utc_time",
]

_Config = TypeVar("_Config", SenderConfig, ReceiverConfig)

_MOST_PROCESSES = 1024
_SWITCH: Mapping[str, Any] = {"nargs": "?", "const": "true"}  # --overlay is --overlay true


def add_config_options(parser: argparse.ArgumentParser, model: type[BaseModel]) -> None:
    """Declare ``--config FILE``, ``--seconds S``, ``--wait`` and an option for each key of a model."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the keys that follow")
    parser.add_argument(
        "--seconds", type=positive_seconds, metavar="S", help="end after so many seconds (default: run until stopped)"
    )
    parser.add_argument("--wait", action="store_true", help="wait for a port or camera that is missing, as services do")
    keys = parser.add_argument_group(
        "configuration",
        f"Each option is also a key of the file and an environment variable: --bitrate-bps is bitrate_bps and "
        f"{ENVIRONMENT_PREFIX}BITRATE_BPS.",
    )
    for key, field in model.model_fields.items():
        text = f"{field.description} (default: {default_text(field)})"
        keys.add_argument(
            f"--{key.replace('_', '-')}",
            dest=key,
            metavar=_metavar(key, field),
            default=argparse.SUPPRESS,
            help=text.replace("%", "%%"),
            **(_SWITCH if field.annotation is bool else {}),
        )


def add_worker_options(parser: argparse._ActionsContainer, *, jobs: int | None = None) -> None:
    """Declare ``--jobs`` and ``--scheduler``, which exclude each other: who does work of many parts.

    Args:
        parser: Or a group of one.
        jobs: Processes by default; None for one on each core.
    """
    workers = parser.add_mutually_exclusive_group()
    workers.add_argument(
        "--jobs",
        type=_processes,
        default=jobs,
        metavar="N",
        help=f"processes; 1 for the command's own alone (default: {jobs or 'one on each core'})",
    )
    workers.add_argument(
        "--scheduler", metavar="ADDRESS", help="let the workers of a Dask scheduler do it, such as tcp://host:8786"
    )


def read_config(arguments: argparse.Namespace, model: type[_Config]) -> _Config:
    """Return the configuration that options, environment and file make together.

    Raises:
        UsageError: Something in them is unknown or impossible.
    """
    options = {key: getattr(arguments, key) for key in model.model_fields if key in arguments}
    return load_config(model, arguments.config, options)


def file_name(text: str) -> Path:
    """Return the value of an option that names a file; none at all would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; name a file")
    return Path(text)


def positive_seconds(text: str) -> float:
    """Return the value of an option that takes a time [s]."""
    seconds = _number(text)
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number of seconds, up to {LONGEST_S:.0f} (a year)")
    return seconds


def share(text: str) -> float:
    """Return the value of an option that takes a share or a probability below 1."""
    value = _number(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"{text} is no share; write a number from 0 to below 1, such as 0.1")
    return value


def utc_time(text: str) -> datetime:
    """Return the value of an option that takes a time of day, in UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write for example 2026-06-01T12:00:00") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _processes(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes from 1 to {_MOST_PROCESSES}")
    return int(text)


def _number(text: str) -> float:
    """Return a number; one that no option takes if it is none."""
    try:
        return float(text)
    except ValueError:
        return -1.0


def _metavar(key: str, field: FieldInfo) -> str:
    choices = choices_of(field)
    return f"{{{','.join(choices)}}}" if choices else key.rpartition("_")[2].upper()
