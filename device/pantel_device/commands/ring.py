"""`pantel ring`: what a folder of recordings holds, and a part of it as one video."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pantel_device.atomic_file import check_outputs, replacing
from pantel_device.command import Command, CommandError, UsageError
from pantel_device.commands.options import file_name, utc_time
from pantel_device.recordings import Recording, recordings_in

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="tell when each recording begins, how long and how large it is")
    export = actions.add_parser("export", help="write a part of the time as one video that browsers play")
    for each in (listing, export):
        each.add_argument("folder", type=file_name, metavar="DIR", help="ring of a sender, or recordings of a receiver")
        each.add_argument("--of", default="", metavar="NAME", help="only what is of one sender, such as K1ABC-0")
    export.add_argument("out", type=file_name, metavar="OUT", help="video to write, such as gate.mp4")
    for name, what in (("--from", "begins"), ("--to", "ends")):
        export.add_argument(
            name, dest=what, type=utc_time, metavar="TIME", help=f"when it {what}, UTC, such as 2026-06-01T12:00:00"
        )


def _run(arguments: argparse.Namespace) -> int:
    recordings = _recordings(arguments.folder, arguments.of)
    if arguments.action == "list":
        _list(recordings)
    else:
        _export(recordings, arguments)
    return 0


def _recordings(folder: Path, name: str) -> list[Recording]:
    try:
        recordings = recordings_in(folder)
    except OSError as error:
        raise UsageError(f"cannot read the folder {folder}: {error.strerror}; name that of the recordings") from error
    found = [each for each in recordings if name in {"", each.sender}]
    if not found:
        known = ", ".join(sorted({each.sender for each in recordings}))
        raise UsageError(
            f"there are no recordings of {name} in {folder}, but of {known}" if known else f"{folder} has no recordings"
        )
    return found


def _list(recordings: list[Recording]) -> None:
    from pantel_device.recordings.export import length_s

    for each in recordings:
        begins = "unknown time" if each.begins_utc is None else each.begins_utc.strftime("%Y-%m-%d %H:%M:%S")
        length = length_s(each)
        seconds = "?" if length is None else f"{length:.0f}"
        size_mb = each.path.stat().st_size / 1e6
        sys.stdout.write(f"{begins:19}  {seconds:>5} s  {size_mb:8.1f} MB  {each.path.name}\n")


def _export(recordings: list[Recording], arguments: argparse.Namespace) -> None:
    from pantel_device.recordings.export import Span, export, parts_between

    check_outputs([arguments.out], (each.path for each in recordings_in(arguments.folder)))
    senders = sorted({each.sender for each in recordings})
    if len(senders) > 1:
        raise UsageError(f"there are recordings of {', '.join(senders)}; choose one with --of")
    span = Span(arguments.begins, arguments.ends)
    with replacing(arguments.out) as beside:
        seconds = export(parts_between(recordings, span), span, beside)
        if not seconds:
            raise CommandError(f"nothing was recorded {span}; pantel ring list {arguments.folder} tells what was")
    sys.stdout.write(f"wrote {arguments.out}, {seconds:.1f} s\n")


COMMAND = Command("ring", "list recordings, or export a part of them as one video", _add_arguments, _run)
