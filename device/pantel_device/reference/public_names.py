"""What programs and plug-ins may use: the public names with a line each, and what exactly they promise."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any, is_typeddict

from pydantic import BaseModel

from pantel_device.cli import make_parser
from pantel_device.parsers import actions_of, walk
from pantel_device.reference.marked import with_marked

__all__ = ["PUBLIC_MODULES", "public_signatures", "with_public_names"]

PUBLIC_MODULES = (
    "pantel_codec",
    "pantel_link",
    "pantel_link.captures",
    "pantel_link.ports",
    "pantel_models",
    "pantel_device",
)
"""Modules whose ``__all__`` is promised; names of others may change at any time."""

_BEGIN = "<!-- names of {module}: make reference writes them -->"
_END = "<!-- end of names -->"
_LONGEST_VALUE = 40
_OF_EVERY_COMMAND = ("help", "log_level", "debug")


def with_public_names(text: str) -> str:
    """Return a page with its tables of names as the modules have them; all else is as it was.

    Raises:
        ValueError: A table's place is not marked.
    """
    for name in PUBLIC_MODULES:
        text = with_marked(text, _BEGIN.format(module=name), _END, _table(import_module(name)))
    return text


def _table(module: ModuleType) -> str:
    rows = ["| name | is |", "|---|---|"]
    for name in sorted(module.__all__, key=str.lower):
        line = _line_of(module, name).replace("|", "\\|")
        rows.append(f"| `{name}` | {line} |")
    return "\n".join(rows) + "\n"


def _line_of(module: ModuleType, name: str) -> str:
    """Return the first sentence of what is said of a name; of a number, its value, too."""
    value = getattr(module, name)
    if inspect.isclass(value) or isinstance(value, FunctionType):
        return _first_sentence(inspect.getdoc(value) or "")
    shown = _shown(value)
    said = _first_sentence(_docstring_of_constant(module, name))
    return ": ".join(filter(None, [shown and f"`{shown}`", said]))


def _shown(value: object) -> str:
    """Return a value as everybody reads it; empty for long ones, and for objects that look otherwise elsewhere."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if (
        value is None
        or isinstance(value, bool | int | float | str)
        or (isinstance(value, tuple) and all(map(_shown, value)))
    ):
        return text if len(text := repr(value)) <= _LONGEST_VALUE else ""
    return ""


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + stop.strip() if stop else paragraph


def _docstring_of_constant(module: ModuleType, name: str) -> str:
    """Return the text below an assignment; empty where there is none."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return _docstring_of_constant(import_module(node.module or ""), name)
    body = ast.parse(inspect.getsource(module)).body
    for node, below in pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            match below:
                case ast.Expr(ast.Constant(str(text))):
                    return text
    return ""


def public_signatures() -> str:
    """Return a line for everything that programs may rely on: commands, names, parameters, attributes, values."""
    lines = sorted(_command_line())
    for module_name in PUBLIC_MODULES:
        module = import_module(module_name)
        for name in sorted(module.__all__):
            lines += _signatures(f"{module_name}.{name}", getattr(module, name))
    return "\n".join(lines) + "\n"


def _command_line() -> Iterator[str]:
    """Yield all options and arguments, behind the words of their command."""
    whole = make_parser()
    for parser in walk(whole):
        for action in actions_of(parser):
            if parser is whole or action.dest not in _OF_EVERY_COMMAND:
                words = action.option_strings or [f"{action.metavar or action.dest}"]
                yield from (f"{parser.prog} {word}" for word in words)


def _signatures(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, FunctionType):
        yield f"{name}{_signature(value)}"
    elif not inspect.isclass(value):
        shown = _shown(value)
        yield f"{name} = {shown}" if shown else name
    elif issubclass(value, BaseModel):  # docs/configuration.md has its keys
        yield name
    elif issubclass(value, Enum):
        yield from (f"{name}.{member.name} = {member.value!r}" for member in value)
    else:
        yield f"{name}{_constructor(value)}"
        yield from _members(name, value)


def _constructor(kind: type) -> str:
    """Return how objects of a class are made; of errors, what they are."""
    if issubclass(kind, BaseException):
        return f"({', '.join(base.__name__ for base in kind.__bases__)})"
    if getattr(kind, "_is_protocol", False) or is_typeddict(kind) or inspect.isabstract(kind):
        return ""
    return _signature(kind).removesuffix(" -> None")


def _members(name: str, kind: type) -> Iterator[str]:
    """Yield the public methods, properties and attributes that a class says it has, those of its bases, too."""
    found: dict[str, str] = {}
    for owner in kind.__mro__:
        if not owner.__module__.startswith("pantel_"):
            continue
        for key, value in vars(owner).items():
            if key.startswith("_"):
                continue
            inner = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if isinstance(inner, FunctionType):
                found.setdefault(key, f"{name}.{key}{_signature(inner)}")
            elif isinstance(inner, property):
                found.setdefault(key, f"{name}.{key}{_signature(inner.fget).removeprefix('(self)')}")
        if not is_dataclass(owner):  # the constructor tells those
            for key, annotation in inspect.get_annotations(owner).items():
                if not key.startswith("_"):
                    found.setdefault(key, f"{name}.{key}: {annotation}")
    yield from (found[key] for key in sorted(found))


class _Bare(str):
    """A text that is shown without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _signature(function: Any) -> str:
    """Return parameters and result as they are written, the same on all machines and in all versions of Python."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_bare(parameter.annotation), default=_default(parameter.default))
        for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters, return_annotation=_bare(signature.return_annotation)))


def _bare(annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return annotation
    return _Bare(annotation if isinstance(annotation, str) else inspect.formatannotation(annotation))


def _default(value: Any) -> Any:
    return value if value is inspect.Parameter.empty else _Bare(_shown(value) or "...")
