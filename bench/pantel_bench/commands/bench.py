"""`pantel bench`: one word for all benchmarks."""

from __future__ import annotations

import argparse

from pantel_bench.commands.archive import ARCHIVE
from pantel_bench.commands.eyes import EYES
from pantel_bench.commands.link import LINK
from pantel_bench.commands.live import LIVE
from pantel_bench.commands.looks import LOOKS
from pantel_bench.commands.masts import MASTS
from pantel_bench.commands.modem import MODEM
from pantel_bench.commands.mos import MOS
from pantel_bench.commands.still import STILL
from pantel_bench.commands.structure import STRUCTURE
from pantel_bench.errors import (
    AnchorError,
    BenchError,
    LabelsError,
    LogError,
    PictureError,
    VotesError,
    WeightsError,
)
from pantel_codec import CodecError
from pantel_device.command import Command, CommandError, UsageError
from pantel_device.errors import CameraNameError, DetectorError, EdgeModelError
from pantel_models import ModelError

__all__ = ["COMMAND"]

_BENCHMARKS = (STILL, LIVE, LINK, EYES, LOOKS, STRUCTURE, MOS, MODEM, MASTS, ARCHIVE)


_WRONG_INPUT = (
    AnchorError,
    CameraNameError,
    DetectorError,
    EdgeModelError,
    LabelsError,
    LogError,
    PictureError,
    VotesError,
    WeightsError,
)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    benchmarks = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for benchmark in _BENCHMARKS:
        arguments = benchmarks.add_parser(benchmark.name, help=benchmark.help)
        benchmark.add_arguments(arguments)
        arguments.set_defaults(run_benchmark=benchmark.run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        code: int = arguments.run_benchmark(arguments)
    except _WRONG_INPUT as error:
        raise UsageError(str(error)) from error
    except (BenchError, CodecError, ModelError) as error:
        raise CommandError(str(error)) from error
    return code


COMMAND = Command("bench", "measure codecs and links", _add_arguments, _run)
