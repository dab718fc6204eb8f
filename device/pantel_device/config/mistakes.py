"""What is wrong in a configuration, as one line that says where, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from reprlib import Repr

from pydantic import ValidationError

from pantel_device.config.line import LineConfig
from pantel_device.config.receiver import ReceiverConfig
from pantel_device.config.values import from_json
from pantel_device.observer.zones import Zone

__all__ = ["mistake_in"]

_CORNER = "corners are [x, y], shares of the picture's width and height from 0 to 1"
_KEYS = ", ".join(Zone.model_fields)
_LINE_KEYS = ", ".join(LineConfig.model_fields)

# A list of zones would fill the screen, and one that is nested too deep cannot be shown at all.
_short = Repr()
_short.maxstring = _short.maxother = 100
_short.maxlist = _short.maxtuple = _short.maxdict = 8
_short.maxlevel = 4


def mistake_in(error: ValidationError, place: str, value: object) -> str:
    """Return the line for the first mistake in a value.

    Args:
        error: What the configuration's model says of it.
        place: The value's option, its variable, or its key and file.
        value: As it was written.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    path, reason = first["loc"], first["msg"].removeprefix("Value error, ")
    match path:
        case ("zones", int(number), *rest):
            return f"{place}: {_zone_name(value, number)} {_in_zone(rest, first['type'], first['input'], reason)}"
        case ("lines", int(number), *rest):
            return f"{place}: {_line_name(value, number)} {_in_line(rest, first['type'], first['input'], reason)}"
        case (_, str(name), *_):
            reason = f"{name}: {reason}"
    return f"{place} cannot be {_short.repr(value)}: {reason}"


def _zone_name(zones: object, number: int) -> str:
    """Return what to call a zone of a list: by its name, else by its place."""
    return f"zone {_named(zones, number, 'name') or number + 1}"


def _line_name(lines: object, number: int) -> str:
    """Return what to call a further line: by its port, as its number is not the one that a reader would count."""
    port = _named(lines, number, "port")
    return f"the line of port {port}" if port else f"line {number + 1}"


def _named(values: object, number: int, key: str) -> str:
    """Return what a value of a list has as its name, ready to be shown; empty if that is not known."""
    try:
        value = list(from_json(values))[number]  # type: ignore[call-overload]
    except (ValueError, TypeError, IndexError):  # whatever it is, its place is known
        return ""
    name = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
    return _short.repr(name) if isinstance(name, str) and name else ""


def _in_zone(path: Sequence[int | str], kind: str, value: object, reason: str) -> str:
    """Return what is wrong in a zone, behind its name.

    Args:
        path: Keys and numbers that lead from the zone to the value.
        kind: pydantic's word for the mistake.
        value: What is wrong.
        reason: What pydantic says of it, or our own line.
    """
    match kind, path:
        case "missing", (str(key),):
            line = f"has no {key}; give it one"
        case "extra_forbidden", (str(key), *_):
            line = f"has an unknown key {_short.repr(key)}; known keys: {_KEYS}"
        case "value_error", _:
            line = f"cannot be: {reason}"
        case "too_short", ("polygon",):
            line = "needs a polygon of at least three corners"
        case "too_long", ("polygon",):
            line = "has a polygon of too many corners; leave some out"
        case _, ("classes", *_):
            line = f'cannot have {_short.repr(value)} as its classes; write a list such as ["person", "car"]'
        case "missing", ("polygon", int(corner), *_):
            line = f"lacks a number in corner {corner + 1} of its polygon; {_CORNER}"
        case _, ("polygon", int(corner), *_):
            line = f"cannot have {_short.repr(value)} in corner {corner + 1} of its polygon; {_CORNER}"
        case _, ("polygon",):
            line = f"cannot have {_short.repr(value)} as its polygon; {_CORNER}"
        case _, (key, *_):
            line = f"cannot have {_short.repr(value)} as its {key}: {reason}"
        case _:
            line = f"cannot be {_short.repr(value)}; it is a table of {_KEYS}"
    return line


def _in_line(path: Sequence[int | str], kind: str, value: object, reason: str) -> str:
    """Return what is wrong in a further line, behind its name; see `_in_zone`."""
    match kind, path:
        case "extra_forbidden", (str(key), *_) if key in ReceiverConfig.model_fields:
            # In TOML whatever stands below [[lines]] is the line's.
            return f"cannot have {key}, which is the receiver's: in a file, write it above the first [[lines]]"
        case "extra_forbidden", (str(key), *_):
            return f"has an unknown key {_short.repr(key)}; known keys: {_LINE_KEYS}"
        case _, (str(key), *_):
            return f"cannot have {_short.repr(value)} as its {key}: {reason}"
        case _:
            return f"cannot be {_short.repr(value)}; it is a table of {_LINE_KEYS}"
