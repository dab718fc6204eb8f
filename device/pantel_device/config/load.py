"""Reads a configuration from options, environment variables and a file.

A key ``bitrate_bps`` is set, in descending order of precedence, by the option ``--bitrate-bps``, the environment
variable ``PANTEL_BITRATE_BPS``, a line ``bitrate_bps = …`` of a TOML file, or its default. docs/configuration.md lists
them all.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from pantel_device.command import UsageError
from pantel_device.config.line import LineConfig
from pantel_device.config.mistakes import mistake_in
from pantel_device.config.receiver import ReceiverConfig
from pantel_device.config.sender import SenderConfig

__all__ = ["ENVIRONMENT_PREFIX", "load_config"]

ENVIRONMENT_PREFIX = "PANTEL_"

_Config = TypeVar("_Config", bound=LineConfig)


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


def _read_file(model: type[LineConfig], file: Path) -> dict[str, object]:
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


def _read_environment(model: type[LineConfig]) -> dict[str, str]:
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
