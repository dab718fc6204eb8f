"""One capture of an archive, with its older files: replayed wherever there is a core, and told as rows."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pantel_device.archives.census import Census, Row
from pantel_device.command import CommandError
from pantel_device.printable import printable
from pantel_device.receiving.replay import refusal, replay
from pantel_link import read_key
from pantel_link.captures import CapturedCodeword, CaptureEvent, impair, join_rotated, read_capture
from pantel_link.errors import LinkError
from pantel_models import View, list_artefacts

__all__ = ["SCHEMA", "ArchivedCapture", "CaptureRows", "Problem", "ReplayOptions", "replay_archived"]

SCHEMA = 1
"""Of the tables; counts changes that a reader has to know of."""

_MOST_BITS = 63
_TALKATIVE = ("pantel_device", "pantel_link")


class Problem(StrEnum):
    """Kinds of rows in the table of errors."""

    ONLY_SENT = "only_sent"
    """What a sender has recorded; nothing is wrong with it."""
    UNREADABLE = "unreadable"
    """A file that cannot be read just now."""
    NO_CAPTURE = "no_capture"
    """A file that holds nothing of ours."""
    DAMAGED = "damaged"
    """A file that ends early; what is before the damage counts."""
    KEY_MISSING = "key_missing"
    """A stream that is not taken: it needs a key that is not here, or has none although one is named."""
    MODEL_MISSING = "model_missing"
    """A stream whose model is not installed: its packets are counted, its pictures are not."""
    FAILED = "failed"
    """The replay itself has failed, or the worker that did it has died several times."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How all captures of an archive are replayed.

    Attributes:
        key_file: Key of the receivers; None for none.
        loss: Probability with which codewords are lost besides.
        bit_error_rate: Probability with which bits are inverted besides.
        seed: Of both.
        fresh_s: Age up to which content counts as fresh [s].
        hashed: View whose pictures are drawn and hashed; None for none.
    """

    key_file: Path | None = None
    loss: float = 0.0
    bit_error_rate: float = 0.0
    seed: int = 0
    fresh_s: float = 10.0
    hashed: View | None = None


@dataclass(frozen=True, slots=True)
class ArchivedCapture:
    """One capture to be replayed.

    Attributes:
        name: In the rows.
        files: The oldest first.
        options: How.
        known_digest: Of what was done before; None if nothing was.
        pantel: Version that shall do it.
    """

    name: str
    files: tuple[Path, ...]
    options: ReplayOptions
    known_digest: str | None = None
    pantel: str = field(default_factory=lambda: version("pantel"))


@dataclass(frozen=True, slots=True)
class CaptureRows:
    """What a capture tells.

    Attributes:
        digest: Of all that the rows follow from; None if they may be others when it is tried again.
        tables: Rows by the name of their table; None if they are those that are known already.
        replayed_s: How much time of a receiver was replayed [s].
        took_s: How long that took [s].
    """

    digest: str | None
    tables: Mapping[str, list[Row]] | None
    replayed_s: float = 0.0
    took_s: float = 0.0


def replay_archived(capture: ArchivedCapture) -> CaptureRows:
    """Replay a capture; whatever is wrong with its files becomes a row.

    Raises:
        CommandError: This process has another version of Pantel, as a worker that came late may.
        KeyFileError: The key cannot be read here.
        ModelError: The models cannot be read here.
    """
    if capture.pantel != version("pantel"):
        raise CommandError(f"a worker has pantel {version('pantel')} instead of {capture.pantel}; install the same")
    began_s = time.perf_counter()
    errors: list[Row] = []

    def complain(kind: Problem, message: str) -> None:
        errors.append({"capture": capture.name, "kind": kind, "message": printable(message)})

    try:
        digest = _digest(capture)
    except OSError as error:
        complain(Problem.UNREADABLE, f"{Path(error.filename or capture.files[-1]).name}: {error.strerror}")
        return CaptureRows(None, {"errors": errors})
    if digest == capture.known_digest:
        return CaptureRows(digest, None)
    options = capture.options
    key = read_key(options.key_file) if options.key_file else None
    census = Census(capture.name, fresh_s=options.fresh_s, hashed=options.hashed)
    directions: set[bool] = set()
    events = impair(
        join_rotated(_events(capture, complain, directions)),
        loss=options.loss,
        bit_error_rate=options.bit_error_rate,
        seed=options.seed,
    )
    replayed_s = 0.0
    refused: dict[str, None] = {}
    possible = True
    with _quiet():
        try:
            for run in replay(events, (), view=options.hashed or View.FAITHFUL, key=key, probe=census):
                replayed_s += run.seconds
                refused |= {refusal(context): None for context in run.refused}
        except (
            OverflowError
        ):  # times that no clock shows, or more days than there are: damage that nothing else has found
            possible = False
    if directions == {True}:
        complain(Problem.ONLY_SENT, "holds only what was sent; replay what a receiver has recorded")
        return CaptureRows(digest, {"errors": errors})
    for message in refused:
        complain(Problem.KEY_MISSING, message)
    for message in census.missing_models:
        complain(Problem.MODEL_MISSING, message)
    tables = {
        "runs": [row | {"files": len(capture.files)} for row in census.runs],
        "senders": census.senders,
        "alarms": census.alarms,
        "pictures": census.pictures,
        "errors": errors,
    }
    if not (possible and _storable(tables)):
        complain(Problem.DAMAGED, "its times or rates are impossible")
        tables = {"errors": errors}
    transient = any(row["kind"] == Problem.UNREADABLE for row in errors)
    took_s = time.perf_counter() - began_s
    return CaptureRows(None if transient else digest, tables, replayed_s, took_s)


def _storable(tables: Mapping[str, list[Row]]) -> bool:
    """Whether all numbers fit into columns: a capture is what a disk or a network brings."""
    numbers = (value for rows in tables.values() for row in rows for value in row.values() if isinstance(value, int))
    return all(value.bit_length() <= _MOST_BITS for value in numbers)


def _events(
    capture: ArchivedCapture, complain: Callable[[Problem, str], None], directions: set[bool]
) -> Iterator[CaptureEvent]:
    """Yield what the files hold; note what is wrong with them, and which directions there were."""
    for path in capture.files:
        try:
            for event in read_capture(path, on_damage=partial(complain, Problem.DAMAGED)):
                if isinstance(event, CapturedCodeword):
                    directions.add(event.outbound)
                yield event
        except LinkError as error:
            complain(Problem.NO_CAPTURE, str(error).replace(str(path), path.name))  # no machine stands in the tables
        except OSError as error:
            complain(Problem.UNREADABLE, f"{path.name}: {error.strerror}")


def _digest(capture: ArchivedCapture) -> str:
    """Return a hash of all that the rows follow from.

    Raises:
        OSError: A file cannot be read.
        ModelError: The models cannot be read.
    """
    options = asdict(capture.options)
    key_file = options.pop("key_file")
    content = {
        "schema": SCHEMA,
        "pantel": version("pantel"),
        "models": [[artefact.hash, dict(artefact.sha256)] for artefact in list_artefacts()],
        "name": capture.name,
        "options": options,
        "key": None if key_file is None else _sha256(key_file),
        "files": [[path.name, _sha256(path)] for path in capture.files],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to oneself what a receiver would log: it stands in the rows, and there are thousands of receivers."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
