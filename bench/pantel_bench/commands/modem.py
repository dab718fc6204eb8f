"""`pantel bench modem`: a scene crosses real modem programs, and what was on show is scored."""

from __future__ import annotations

import argparse
import sys

import cv2

from pantel_bench.commands.line_options import seconds_up_to, seed
from pantel_bench.modem.measure import ModemCase, measure_modems
from pantel_bench.modem.page import to_html, to_lines
from pantel_bench.modem.programs import MODEMS
from pantel_bench.modem.report import make_row, to_json
from pantel_bench.rig.settings import RigSettings
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command
from pantel_device.commands.options import file_name

__all__ = ["MODEM"]

_LONGEST_S = 300.0
_LOWEST_SNR_DB, _HIGHEST_SNR_DB = -20.0, 60.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--modem",
        action="append",
        choices=tuple(MODEMS),
        help="modem program, from the Debian package of its name; may be repeated (default: all of them)",
    )
    parser.add_argument(
        "--snr-db",
        type=_snr_db,
        action="append",
        default=[],
        metavar="DB",
        help="besides, with so much noise in the audio, over 24 kHz; may be repeated",
    )
    parser.add_argument(
        "--seconds", type=seconds_up_to(_LONGEST_S), default=20.0, metavar="S", help="line time (default: %(default)g)"
    )
    parser.add_argument("--camera", default="test", metavar="C", help="test, test:SEED or file:PATH")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the noise")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with table, plots and pictures")


def _snr_db(text: str) -> float:
    try:
        snr_db = float(text)
    except ValueError:
        snr_db = float("nan")
    if not _LOWEST_SNR_DB <= snr_db <= _HIGHEST_SNR_DB:
        raise argparse.ArgumentTypeError(
            f"{text} is no signal-to-noise ratio between {_LOWEST_SNR_DB:g} and {_HIGHEST_SNR_DB:g} dB"
        )
    return snr_db


def _run(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)  # the modems run beside us
    check_outputs((arguments.json, arguments.report))
    settings = RigSettings(camera=arguments.camera, seconds=arguments.seconds, seed=arguments.seed)
    ratios = [None, *dict.fromkeys(arguments.snr_db)]
    modems = dict.fromkeys(arguments.modem or MODEMS)
    results = measure_modems(settings, [ModemCase(modem, ratio) for modem in modems for ratio in ratios])
    rows = [make_row(result) for result in results]
    if arguments.json:
        write_atomically(arguments.json, to_json(settings, rows))
    if arguments.report:
        write_atomically(arguments.report, to_html(settings, rows, [result.last for result in results]))
    sys.stdout.write(to_lines(rows))
    return 0


MODEM = Command("modem", "live pictures through real modem programs, beside simulated lines", _add_arguments, _run)
