"""`pantel replay` of folders: all their captures, on all cores or a cluster, into tables."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from pantel_device.archives.discovery import find_captures
from pantel_device.archives.job import ReplayOptions
from pantel_device.archives.page import to_html
from pantel_device.archives.parts import Parts
from pantel_device.archives.run import check_workers, replay_archive
from pantel_device.archives.summary import ArchiveSummary, to_json
from pantel_device.archives.tables import check_parquet
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.cluster import open_workers
from pantel_device.command import UsageError
from pantel_device.commands.options import add_worker_options, file_name, positive_seconds
from pantel_device.printable import printable
from pantel_device.progress import progress
from pantel_device.state_lock import take_lock
from pantel_models import View

__all__ = ["add_archive_options", "is_archive", "run_archive"]

_FRESH_S = 10.0
_MOST_TOLD = 10  # errors, in the terminal
_MOST_FRESH_S = 60.0  # after so much silence a replay stops looking


def add_archive_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that only archives have."""
    archive = parser.add_argument_group("archives", "For a folder, or with --results: all captures, into tables.")
    archive.add_argument(
        "--results",
        type=file_name,
        metavar="DIR",
        help="write the tables into this folder, made when missing; what it holds already is not done again",
    )
    add_worker_options(archive)
    archive.add_argument(
        "--fresh-s",
        type=positive_seconds,
        default=_FRESH_S,
        metavar="S",
        help="age up to which content counts as available, 60 at most (default: %(default)g)",
    )
    archive.add_argument(
        "--hash-pictures", action="store_true", help="draw every picture and write a table of their hashes; much slower"
    )


def is_archive(arguments: argparse.Namespace) -> bool:
    """Whether the arguments ask for tables rather than pictures."""
    return arguments.results is not None or any(path.is_dir() for path in arguments.captures)


def run_archive(arguments: argparse.Namespace) -> int:
    """Replay an archive.

    Returns:
        0 if all captures were read to their ends, 1 if something was wrong with some.

    Raises:
        UsageError: Options do not belong together, or there are no captures.
        CommandError: A library is missing, the cluster is gone, or another run has the results.
    """
    _check(arguments)
    check_parquet()
    captures = find_captures(arguments.captures)
    check_outputs([arguments.report], arguments.captures)
    _make_folder(arguments.results)
    others, kept = Parts(arguments.results / "parts").of_others(captures)
    if kept and others == kept:
        raise UsageError(f"{arguments.results} holds the tables of another archive; name another folder with --results")
    options = ReplayOptions(
        key_file=arguments.key and arguments.key.absolute(),
        loss=arguments.loss,
        bit_error_rate=arguments.ber,
        seed=arguments.seed,
        fresh_s=arguments.fresh_s,
        hashed=View(arguments.view) if arguments.hash_pictures else None,
    )
    done: list[str] = []
    try:
        with ExitStack() as stack:
            # Two runs would each build their tables from parts of the other.
            stack.enter_context(take_lock(arguments.results / "parts", "another replay", "--results"))
            workers = stack.enter_context(open_workers(arguments.jobs, arguments.scheduler))
            check_workers(workers, [*captures.values()], options.key_file)
            show = stack.enter_context(progress(len(captures), f"replay by {workers.description}", every_s=5))

            def advance(name: str) -> None:
                done.append(name)
                show(name)

            summary, tally = replay_archive(captures, options, arguments.results, workers, advance)
    except KeyboardInterrupt:
        sys.stderr.write(f"ended; {len(done)} of {len(captures)} done, give the command again to go on\n")
        raise
    if arguments.report:
        html = arguments.report.suffix.lower() in {".html", ".htm"}
        write_atomically(arguments.report, to_html(summary) if html else to_json(summary))
    speed = f" ({tally.replayed_s / tally.took_s:.0f} times real time in each process)" if tally.took_s else ""
    sys.stdout.write(
        f"{_counted(len(captures), 'capture')}: {tally.done} replayed{speed}, {tally.kept} done before; "
        f"{_counted(len(summary.senders), 'day')} of senders; tables in {printable(str(arguments.results))}\n"
    )
    if others:
        sys.stderr.write(
            f"pantel: warning: {arguments.results} also holds results of {_counted(others, 'capture')} that the "
            "archive does not have; the tables are without them\n"
        )
    _warn(summary, arguments.results)
    return 1 if summary.failures else 0


def _check(arguments: argparse.Namespace) -> None:
    for name, reason in (
        ("merge", "older files of a capture are joined by themselves; merge those of several receivers file by file"),
        ("frames", "pictures are drawn of single captures"),
        ("video", "videos are made of single captures"),
    ):
        if getattr(arguments, name):
            raise UsageError(f"--{name} is not for archives: {reason}")
    if arguments.results is None:
        raise UsageError("a folder of captures becomes tables; name a folder for them with --results DIR")
    if arguments.fresh_s > _MOST_FRESH_S:
        raise UsageError(f"--fresh-s {arguments.fresh_s:g} is too long; write 60 at most")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}; name another with --results") from error


def _warn(summary: ArchiveSummary, results: Path) -> None:
    where = printable(str(results / "errors.parquet"))
    for kind, count in sorted(summary.errors.items()):
        sys.stderr.write(f"pantel: warning: {kind}: {count}, see {where}\n")
    for row in summary.listed[:_MOST_TOLD]:
        sys.stderr.write(f"pantel: warning: {row['capture']}: {row['message']}\n")
    if summary.failures > _MOST_TOLD:
        sys.stderr.write(f"pantel: warning: and {summary.failures - _MOST_TOLD} more\n")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
