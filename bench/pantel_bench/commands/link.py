"""`pantel bench link`: packets cross simulated lines, and what arrives is compared with their capacity."""

from __future__ import annotations

import argparse
import sys
import time

from pantel_bench.commands.line_options import whole
from pantel_bench.link.cases import WORDS, chosen_cases
from pantel_bench.link.measure import measure_row
from pantel_bench.link.page import to_html, to_table
from pantel_bench.link.report import LinkReport, to_json
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name
from pantel_device.progress import progress

__all__ = ["LINK"]

_PACKETS = 10_000


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--packets",
        type=whole(1),
        default=_PACKETS,
        metavar="N",
        help="least packets of a row; all rows of 10,000 take about six minutes on one core (default: %(default)s)",
    )
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed of content and errors")
    parser.add_argument(
        "--rows",
        type=_words,
        default=(),
        metavar="WORD,…",
        help=f"only rows that have all these words, of {', '.join(WORDS)}",
    )
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with a table and plots")


def _words(text: str) -> tuple[str, ...]:
    words = tuple(text.split(","))
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}, only {', '.join(WORDS)}")
    return words


def _run(arguments: argparse.Namespace) -> int:
    check_outputs((arguments.json, arguments.report))
    cases = chosen_cases(arguments.rows)
    if not cases:
        raise UsageError(f"no row is {' and '.join(arguments.rows)}; name fewer words")
    began_s = time.process_time()
    rows = []
    with progress(len(cases), "bench link", every_s=5) as done:
        for case in cases:
            rows.append(measure_row(case, arguments.packets, arguments.seed))
            done(f"{case.preset_name} {case.length}")
    report = LinkReport(rows, arguments.seed, time.process_time() - began_s)
    if arguments.json:
        write_atomically(arguments.json, to_json(report))
    if arguments.report:
        write_atomically(arguments.report, to_html(report))
    sys.stdout.write(to_table(report))
    return 0


LINK = Command("link", "goodput over capacity of lines with errors and losses", _add_arguments, _run)
