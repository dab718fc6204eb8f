"""`pantel bench archive`: replays many captures in every way, and compares the tables and the times."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pantel_bench.archive.measure import ArchiveSettings, make_archive, measure_ways
from pantel_bench.archive.report import ArchiveReport, to_html, to_json, to_table
from pantel_bench.commands.line_options import seconds_up_to, whole
from pantel_device.archives.tables import check_parquet
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name
from pantel_device.progress import progress

__all__ = ["ARCHIVE"]

_CAPTURES = 2000
_SECONDS = 10.0
_WAYS = 5


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--captures", type=whole(2), default=_CAPTURES, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(3600.0, 4.0),
        default=_SECONDS,
        metavar="S",
        help="how long each is, 4 s at least (default: %(default)g)",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave archive and results in this folder, which must not exist"
    )
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with a table")


def _run(arguments: argparse.Namespace) -> int:
    check_outputs((arguments.json, arguments.report))
    check_parquet()
    with ExitStack() as stack:
        if arguments.keep is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="pantel-archive-")))
        else:
            folder = arguments.keep
            _make_folder(folder)
        settings = ArchiveSettings(arguments.captures, arguments.seconds, folder)
        with progress(settings.captures, "make captures", every_s=5) as done:
            made = make_archive(settings, done)
        with progress(_WAYS, "bench archive") as done:
            report = ArchiveReport(settings, made, measure_ways(settings, made.folder, done))
    if arguments.json:
        write_atomically(arguments.json, to_json(report))
    if arguments.report:
        write_atomically(arguments.report, to_html(report))
    sys.stdout.write(to_table(report))
    return 0 if report.identical else 1


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}; name another with --keep") from error


ARCHIVE = Command(
    "archive", "replays of whole archives, in one process, on all cores and on a cluster", _add_arguments, _run
)
