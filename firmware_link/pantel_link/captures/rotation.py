"""Files of one capture read one after the other, as if it had never gone on in a new file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pantel_link.captures.family import FAMILY_DIGITS
from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.reader import CapturedCodeword, CaptureEnd, CaptureEvent

__all__ = ["capture_families", "join_rotated"]

_OLDER = re.compile(rf"(.+)\.(\d{{{FAMILY_DIGITS},}})")


def capture_families(paths: Iterable[Path]) -> dict[Path, tuple[Path, ...]]:
    """Return captures by the name of the newest file of their family, which may be missing; the oldest file first.

    Args:
        paths: Of files, each once.
    """
    families: dict[Path, list[tuple[bool, int, Path]]] = {}
    for path in paths:
        older = _OLDER.fullmatch(path.stem)
        newest = path if older is None else path.with_name(older[1] + path.suffix)
        families.setdefault(newest, []).append((older is None, 0 if older is None else int(older[2]), path))
    return {newest: tuple(path for *_, path in sorted(members)) for newest, members in families.items()}


def join_rotated(events: Iterable[CaptureEvent]) -> Iterator[CaptureEvent]:
    """Yield the events of a family's files without the end and the head between files in which one run went on.

    A writer ends the full file at the time of the very codeword that begins the next, and sets that as it was set
    before. A receiver that started again does neither.

    Args:
        events: What `read_capture` yields, of all files one after the other, the oldest first.
    """
    header: CaptureHeader | None = None
    held: list[CaptureEvent] = []  # an end, and a head like the one before, until it is known whether the run goes on
    for event in events:
        goes_on = False
        match event, held:
            case CaptureEnd(), []:
                held = [event]
                continue
            case CaptureHeader(), [CaptureEnd()] if header is not None and _settings(event) == _settings(header):
                held.append(event)
                continue
            case CapturedCodeword(arrival_ns=arrival_ns), [CaptureEnd(time_ns), CaptureHeader()]:
                goes_on = arrival_ns == time_ns
        if not goes_on:
            yield from held
        held = []
        if isinstance(event, CaptureHeader):
            header = event
        yield event
    yield from held


def _settings(header: CaptureHeader) -> CaptureHeader:
    """Return what stays the same while a run goes on: not what had been heard by then."""
    return replace(header, contexts=(), counters={})
