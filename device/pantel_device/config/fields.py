"""What the keys of a configuration say of themselves: their defaults, and the values that they may have."""

from __future__ import annotations

from enum import Enum
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["choices_of", "default_text", "field_of"]


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


def default_text(field: FieldInfo) -> str:
    """Return the default of a key as one writes it; a word for what cannot be written."""
    value = field.get_default(call_default_factory=True)
    match value:
        case bool():
            return str(value).lower()
        case (width, height):
            return f"{width}x{height}"
        case tuple():
            return ",".join(f"{part:g}" for part in value) or "none"
        case "":
            return "empty"
        case dict():
            return ",".join(f"{key}={part:g}" for key, part in value.items()) or "none"
        case _:
            return str(value)
