"""The names of a detector's classes: from its metadata, from a file beside it, or COCO's."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pantel_device.errors import DetectorError
from pantel_device.observer.coco import COCO_CLASSES

__all__ = ["ClassList", "labels_for", "read_class_list"]

_SUFFIXES = (".names", ".txt")
_LONGEST_FILE = 1_000_000  # bytes; what is longer is no class list


@dataclass(frozen=True, slots=True)
class ClassList:
    """Names of classes in the order of their numbers.

    Attributes:
        names: At least one.
        source: Where they stand, for the user.
    """

    names: tuple[str, ...]
    source: str


def read_class_list(path: Path, metadata: Mapping[str, str]) -> ClassList | None:
    """Return the class list of a detector, None if nothing names its classes.

    What the exporter wrote as `names` into the file counts first; else the lines of a file beside it with the
    same name and the suffix .names or .txt.

    Args:
        path: Of the detector.
        metadata: Of the detector.

    Raises:
        DetectorError: A file of names cannot be read.
    """
    names = _literal_names(metadata.get("names", ""))
    if names:
        return ClassList(names, "its metadata")
    for suffix in _SUFFIXES:
        beside = path.with_suffix(suffix)
        if beside.is_file():
            names = _lines(beside)
            if names:
                return ClassList(names, str(beside))
    return None


def labels_for(found: ClassList | None, classes: int) -> tuple[str, ...]:
    """Return the name of each class; without a list, 80 classes are COCO's and others are told by their number.

    COCO's classes are named as everywhere in Pantel, also where a list spells them otherwise ("motorbike").
    """
    if found is not None and len(found.names) == classes:
        is_coco = classes == len(COCO_CLASSES) and found.names[:3] == COCO_CLASSES[:3]
        return COCO_CLASSES if is_coco else found.names
    if classes == len(COCO_CLASSES):
        return COCO_CLASSES
    return tuple(f"class {number}" for number in range(classes))


def _literal_names(text: str) -> tuple[str, ...]:
    """Return the names in a Python dictionary from numbers, or a list, as Ultralytics writes it; () for others."""
    try:
        value = ast.literal_eval(text)
        if isinstance(value, dict):
            by_number = {int(number): name for number, name in value.items()}
            value = [by_number[number] for number in range(len(by_number))]
        if not isinstance(value, list | tuple):
            return ()
        return tuple(" ".join(str(name).split()) for name in value)
    except (ValueError, TypeError, KeyError, SyntaxError, OverflowError, MemoryError, RecursionError):
        return ()


def _lines(path: Path) -> tuple[str, ...]:
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise DetectorError(f"the class list {path} is too long; write one name a line, or remove it")
        text = path.read_text("utf-8")
    except OSError as error:
        raise DetectorError(f"the class list {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DetectorError(f"the class list {path} is no UTF-8 text; write one name a line, or remove it") from error
    return tuple(" ".join(line.split()) for line in text.splitlines() if line.strip())
