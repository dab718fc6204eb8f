"""`pantel bench masts`: dozens of masts into one receiver, and whether that keeps up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import cv2

from pantel_bench.commands.line_options import seconds_up_to
from pantel_bench.masts.measure import measure_masts
from pantel_bench.masts.page import to_html, to_lines
from pantel_bench.masts.report import to_json
from pantel_bench.masts.settings import MastsSettings
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name
from pantel_device.progress import progress

__all__ = ["MASTS"]

_LONGEST_S = 86_400.0
_MOST_MASTS = 64  # that one callsign may have


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--masts", type=_up_to(_MOST_MASTS), default=32, metavar="N", help="how many send (default: %(default)s)"
    )
    parser.add_argument(
        "--lines",
        type=_up_to(_MOST_MASTS),
        metavar="N",
        help="over how many lines; on fewer than masts packets arrive whole (default: one for each mast)",
    )
    parser.add_argument(
        "--watched",
        type=_up_to(_MOST_MASTS, lowest=0),
        default=4,
        metavar="N",
        help="how many are drawn (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=seconds_up_to(_LONGEST_S), default=600.0, metavar="S", help="line time (default: %(default)g)"
    )
    parser.add_argument(
        "--scenes",
        type=_up_to(_MOST_MASTS),
        default=4,
        metavar="N",
        help="how many different scenes they tell, the first minute of each (default: %(default)s)",
    )
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with the results")


def _up_to(most: int, lowest: int = 1) -> Callable[[str], int]:
    """Return the type of an option that takes a number of something."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not lowest <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {lowest} to {most}")
        return int(text)

    return read


def _run(arguments: argparse.Namespace) -> int:
    check_outputs((arguments.json, arguments.report))
    lines = arguments.masts if arguments.lines is None else arguments.lines
    for name, number in (("lines", lines), ("watched", arguments.watched)):
        if number > arguments.masts:
            raise UsageError(f"--{name} {number} are more than there are masts; take at most {arguments.masts}")
    cv2.setNumThreads(1)  # the figures are those of one core
    settings = MastsSettings(
        masts=arguments.masts,
        lines=lines,
        watched=arguments.watched,
        seconds=arguments.seconds,
        scenes=min(arguments.scenes, arguments.masts),
    )
    with progress(settings.scenes + 2, "bench masts", every_s=5) as done:
        result = measure_masts(settings, done)
    if arguments.json:
        write_atomically(arguments.json, to_json(settings, result))
    if arguments.report:
        write_atomically(arguments.report, to_html(settings, result))
    sys.stdout.write(to_lines(settings, result))
    return 0


MASTS = Command("masts", "many masts into one receiver: losses, memory, processor time", _add_arguments, _run)
