"""How values of the configuration may be written in a single line: as an option or a variable.

Each function takes what a line or a file says, and raises `ValueError` with a line that says how it is written.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = [
    "check_address",
    "from_json",
    "lines_from_json",
    "number_if_any",
    "split_address",
    "split_crop",
    "split_names",
    "split_sinks",
    "split_size",
    "split_weights",
]

_ZONES_ADVICE = (
    'write a list of zones, such as [{"name": "gate", "kind": "alarm", "polygon": [[0.1, 0.5], [0.4, 0.5], [0.4, 1]]}]'
)
_LINES_ADVICE = 'write a list of lines, such as [{"port": "/dev/ttyUSB1", "capture": "second.pcapng"}]'
_WEIGHTS_ADVICE = "write classes and their weights, such as person=2,animal=0"
_CROP_ADVICE = "write left, top, width and height as shares of the picture, such as 0.25,0.25,0.5,0.5"
_ADDRESS_ADVICE = "write an address and a port, such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080"
_SINK_ADVICE = "write names of plug-ins as NAME or NAME:ARGUMENT, such as csv:events.csv"
_NAME_ADVICE = "write names of hosts without port, such as cam.example.org"
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}", re.ASCII)
_ADDRESS = re.compile(
    rf"(?:\[(?P<v6>[0-9A-Fa-f:.]{{2,45}})\]|(?P<host>{_HOST_NAME.pattern})):(?P<port>\d{{1,5}})", re.ASCII
)
_SIZE_ADVICE = "write width and height in pixels, such as 320x240"


def split_size(value: object) -> object:
    """Take 320x240 for [320, 240]."""
    parts = value.split("x") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError(_SIZE_ADVICE)
    return parts


def split_crop(value: object) -> object:
    """Take 0.25,0.25,0.5,0.5 for [0.25, 0.25, 0.5, 0.5]."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        raise ValueError(_CROP_ADVICE)
    return parts


def from_json(value: object) -> object:
    """Take the JSON of zones in a single line for the tables of a file; nothing for none."""
    return _tables(value, _ZONES_ADVICE)


def lines_from_json(value: object) -> object:
    """Take the JSON of lines likewise."""
    return _tables(value, _LINES_ADVICE)


def split_weights(value: object) -> object:
    """Take person=2,animal=0 for {person = 2, animal = 0}."""
    if not isinstance(value, str):
        return value
    weights: dict[str, str] = {}
    for pair in filter(None, map(str.strip, value.split(","))):
        name, _, weight = (part.strip() for part in pair.rpartition("="))
        if not name:
            raise ValueError(_WEIGHTS_ADVICE)
        if name in weights:
            raise ValueError(f"{name} has two weights; leave one of them out")
        weights[name] = weight
    return weights


def number_if_any(value: object) -> object:
    """Take "90" for 90, which a choice of numbers does not by itself."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of an address such as 127.0.0.1:8080 or [::1]:8080.

    Raises:
        ValueError: It is none.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 0xFFFF:
        raise ValueError(_ADDRESS_ADVICE)
    return found["v6"] or found["host"], int(found["port"])


def check_address(text: str) -> str:
    """Return an address as it is, if it is one or empty."""
    if text:
        split_address(text)
    return text


def split_names(value: object) -> object:
    """Take a.example,b.example for ["a.example", "b.example"]."""
    names = _split(value, _NAME_ADVICE)
    if not all(_HOST_NAME.fullmatch(name) for name in names):
        raise ValueError(_NAME_ADVICE)
    return names


def split_sinks(value: object) -> object:
    """Take csv:a.csv,beep for ["csv:a.csv", "beep"]."""
    names = _split(value, _SINK_ADVICE)
    if not all(name.partition(":")[0] for name in names):
        raise ValueError(_SINK_ADVICE)
    return names


def _split(value: object, advice: str) -> list[str]:
    """Take what is separated by commas for a list."""
    if isinstance(value, str):
        return list(filter(None, map(str.strip, value.split(","))))
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise ValueError(advice)
    return list(value)


def _tables(value: object, advice: str) -> object:
    tables: Any = value
    if isinstance(value, str):
        try:
            tables = json.loads(value or "[]")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is no JSON; {advice}") from error
    if not isinstance(tables, list | tuple):
        raise ValueError(advice)  # noqa: TRY004 - pydantic takes no TypeError
    return tables
