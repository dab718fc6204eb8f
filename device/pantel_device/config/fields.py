"""What the keys of a configuration say of themselves: defaults, values, meanings.

A field's ``description`` is its line in the help. What else there is to say stands in its ``json_schema_extra``:
``more`` sentences for the manual page and docs/configuration.md, and ``values`` where its type does not tell them.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pantel_device.config.line import default_state_dir
from pantel_device.wording import sentence

__all__ = ["choices_of", "default_text", "field_of", "meaning_of", "values_text"]


def field_of(models: tuple[type[BaseModel], ...], key: str) -> FieldInfo | None:
    """Return the field of a key in the first model that has it; None if none has."""
    return next((model.model_fields[key] for model in models if key in model.model_fields), None)


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """Return the words that a key may have as its value; none where these are no few words."""
    kind = field.annotation
    if kind is bool:
        return "true", "false"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member.value) for member in kind)
    if get_origin(kind) is Literal:
        return tuple(str(value) for value in get_args(kind))
    return ()


def values_text(model: type[BaseModel], key: str) -> str:
    """Return the values that a key may have, in Markdown; empty where any text will do."""
    field = model.model_fields[key]
    told = _extra(field, "values")
    if told:
        return told
    choices = choices_of(field)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    schema = model.model_json_schema()["properties"][key]
    step = 1 if schema.get("type") == "integer" else 0
    low = _bound(schema.get("minimum"), schema.get("exclusiveMinimum"), step, "above")
    high = _bound(schema.get("maximum"), schema.get("exclusiveMaximum"), -step, "below")
    if low and high:
        return f"{low} to {high}"
    return low if low.startswith("above") or not low else f"at least {low}"


def meaning_of(field: FieldInfo) -> str:
    """Return all that there is to say of a key, in Markdown."""
    return " ".join(filter(None, [sentence(field.description or ""), _extra(field, "more")]))


def default_text(field: FieldInfo, *, symbolic: bool = False) -> str:
    """Return the default of a key as one writes it; a word for what cannot be written.

    Args:
        field: Of the key.
        symbolic: Whether to name what depends on the user instead of telling it.
    """
    value = field.get_default(call_default_factory=True)
    match value:
        case Path() if symbolic and field.default_factory is default_state_dir:
            text = "$XDG_STATE_HOME/pantel"
        case bool():
            text = str(value).lower()
        case (width, height):
            text = f"{width}x{height}"
        case tuple():
            text = ",".join(f"{part:g}" for part in value) or "none"
        case "":
            text = "empty"
        case dict():
            text = ",".join(f"{key}={part:g}" for key, part in value.items()) or "none"
        case _:
            text = str(value)
    return text


def _extra(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra.get(name, "")) if isinstance(extra, dict) else ""


def _bound(included: float | None, excluded: float | None, step: int, word: str) -> str:
    """Return a bound as people write it; empty for none.

    Args:
        included: The last value that is allowed, or None.
        excluded: The first that is not, or None.
        step: From one to the other, 0 where there is none.
        word: For a bound that is itself not allowed.
    """
    if included is not None:
        return f"{included:,.15g}"
    if excluded is not None:
        return f"{excluded + step:,.15g}" if step else f"{word} {excluded:,.15g}"
    return ""
