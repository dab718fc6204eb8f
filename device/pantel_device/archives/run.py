"""An archive from its captures to its tables: what was done before is kept, whoever does the rest."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pantel_device.archives.census import Row
from pantel_device.archives.job import ArchivedCapture, CaptureRows, Problem, ReplayOptions, replay_archived
from pantel_device.archives.parts import Parts
from pantel_device.archives.summary import ArchiveSummary
from pantel_device.archives.tables import TABLES, write_tables
from pantel_device.cluster import Failure, Workers
from pantel_device.command import CommandError
from pantel_device.printable import printable
from pantel_link import read_key
from pantel_models import list_artefacts

__all__ = ["Tally", "check_workers", "replay_archive"]


@dataclass(slots=True)
class Tally:
    """What this run has done.

    Attributes:
        done: Captures replayed.
        kept: Captures that had been done before.
        replayed_s: Time of receivers that was replayed [s].
        took_s: Time that the processes took for it, all together [s].
    """

    done: int = 0
    kept: int = 0
    replayed_s: float = 0.0
    took_s: float = 0.0


def replay_archive(
    captures: Mapping[str, tuple[Path, ...]],
    options: ReplayOptions,
    folder: Path,
    workers: Workers,
    advance: Callable[[str], None],
) -> tuple[ArchiveSummary, Tally]:
    """Replay what has not been yet, and write the tables anew.

    The rows of each capture are kept as they come, so what a run that ends early has done is done.

    Args:
        captures: Files by name, in the order of the tables.
        options: How they are replayed.
        folder: Of the results; exists.
        workers: Replay them.
        advance: Is told after each capture which it was.

    Raises:
        CommandError: The workers are gone, or another run has changed the results meanwhile.
        OSError: The results cannot be written.
    """
    parts, tally = Parts(folder / "parts"), Tally()
    seen: dict[str, str | None] = {}
    parts.clean()
    tasks = (ArchivedCapture(name, files, options, _known_digest(parts, name)) for name, files in captures.items())
    for task, result in workers.map(replay_archived, tasks):
        rows = _failed(task.name, result) if isinstance(result, Failure) else result
        if rows.tables is None:
            tally.kept += 1
        else:
            parts.write(task.name, rows)
            tally.done += 1
            tally.replayed_s += rows.replayed_s
            tally.took_s += rows.took_s
        seen[task.name] = rows.digest
        advance(task.name)
    summary = ArchiveSummary()
    names = TABLES if options.hashed is None else (*TABLES, "pictures")
    write_tables(folder, names, _all_rows(parts, seen, captures, summary))
    return summary, tally


def check_workers(workers: Workers, captures: Sequence[Sequence[Path]], key_file: Path | None) -> None:
    """Make sure that whoever works is as this process is, and sees the same files: the first and the last of them.

    Args:
        workers: To be asked.
        captures: The files of each; absolute.
        key_file: Of the receivers; None for none.

    Raises:
        CommandError: One is different.
    """
    places = [captures[0][0], captures[-1][-1]]
    here = _abilities(places, key_file)
    for name, there in workers.ask_each(partial(_abilities, places, key_file)).items():
        for what, wanted in here.items():
            if there[what] != wanted:
                raise CommandError(
                    f"the worker {name} has {what}: {there[what]}, and here: {wanted}; let all workers have the same"
                )


def _abilities(places: Sequence[Path], key_file: Path | None) -> dict[str, str]:
    """Return what a process must have in common with others, so that it finds the same rows."""
    unseen = [str(place) for place in places if not place.exists()]
    if key_file is not None:
        read_key(key_file)
    return {
        "pantel": version("pantel"),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "byte order": sys.byteorder,
        "models": ", ".join(artefact.hash[:8] for artefact in list_artefacts()),
        "missing files": ", ".join(unseen) or "none",
    }


def _known_digest(parts: Parts, name: str) -> str | None:
    known = parts.read(name)
    return None if known is None else known.digest


def _failed(name: str, failure: Failure) -> CaptureRows:
    return CaptureRows(
        None, {"errors": [{"capture": name, "kind": Problem.FAILED, "message": printable(str(failure))}]}
    )


def _all_rows(
    parts: Parts, seen: Mapping[str, str | None], captures: Iterable[str], summary: ArchiveSummary
) -> Iterator[Mapping[str, list[Row]]]:
    """Yield the rows of all captures, and sum them up."""
    for name in captures:
        rows = parts.read(name)
        if rows is None or rows.tables is None or rows.digest != seen[name]:  # somebody has removed or changed it
            raise CommandError(f"the results of {name} in {parts.folder} are no longer this run's; run the same again")
        summary.take(rows.tables)
        yield rows.tables
