"""`pantel bench still`: still pictures at given rates, ours and the competition."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from pantel_bench.anchors import read_anchors
from pantel_bench.metrics import Lpips
from pantel_bench.peers import PEER_FORMATS
from pantel_bench.pictures import SIZES, SourcePicture, list_pictures, read_picture
from pantel_bench.plots import check_plots
from pantel_bench.still import StillRow, Unreached
from pantel_bench.still_jobs import StillTask, codec_names, measure_tasks
from pantel_bench.still_log import entries_of, log_to_csv, read_log
from pantel_bench.still_operations import encode_macs_per_pixel
from pantel_bench.still_page import to_html, to_table
from pantel_bench.still_report import ModelFigures, StillReport, to_json
from pantel_bench.still_resilience import Resilience, measure_resilience
from pantel_bench.still_sets import SetScores, measure_sets
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.cluster import open_workers
from pantel_device.command import Command, CommandError
from pantel_device.commands.options import add_worker_options, file_name
from pantel_device.observer import open_detector
from pantel_device.progress import progress
from pantel_models import (
    MANIFEST,
    Artefact,
    StillCodec,
    find_artefact,
    load_scene_codec,
    macs_per_pixel,
)

__all__ = ["STILL"]

_MAX_BPP = 24.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of test pictures")
    parser.add_argument(
        "--bpp",
        type=_rates,
        default="0.1,0.05,0.03,0.01",
        metavar="X,…",
        help="rates in bit/pixel (default: %(default)s)",
    )
    parser.add_argument("--peers", action="store_true", help="measure JPEG, WebP, AVIF and JPEG 2000 as well")
    parser.add_argument(
        "--size",
        choices=tuple(SIZES),
        default="256",
        help="256: centre 512x512 averaged to 256x256; native: as large as it is (default: %(default)s)",
    )
    parser.add_argument("--lpips", type=file_name, metavar="FILE", help="weights of LPIPS (lpips_squeeze_v01.npz)")
    parser.add_argument(
        "--judge",
        type=file_name,
        metavar="ONNX",
        help="looks for objects in sources and decoded pictures, a YOLOX export",
    )
    parser.add_argument(
        "--resilience",
        action="store_true",
        help="measure lost cells, beginnings of files, small payloads and regions of interest, too",
    )
    parser.add_argument(
        "--artefacts",
        type=Path,
        default=MANIFEST.parent,
        metavar="DIR",
        help="folder of other models, as the workshop writes it; its first one is measured",
    )
    parser.add_argument("--log", type=file_name, metavar="CSV", help="append our means to a log of experiments")
    parser.add_argument("--label", default="", metavar="TEXT", help="what is tried, for the log")
    parser.add_argument(
        "--anchors", type=file_name, metavar="CSV", help="published figures to compare with (docs/anchors)"
    )
    add_worker_options(parser, jobs=1)
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with tables and plots")


def _rates(text: str) -> tuple[float, ...]:
    """Read rates, the highest first."""
    try:
        rates = {float(part) for part in text.split(",")}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} are no numbers; write for example 0.05,0.03") from None
    if not all(0.0 < rate <= _MAX_BPP for rate in rates):
        raise argparse.ArgumentTypeError(f"rates lie between 0 and {_MAX_BPP:g} bit/pixel, not {text}")
    return tuple(sorted(rates, reverse=True))


def _run(arguments: argparse.Namespace) -> int:
    log = read_log(arguments.log) if arguments.log else []
    report = _measure(arguments)
    if arguments.log:
        log += entries_of(report, arguments.label)
        write_atomically(arguments.log, log_to_csv(log))
    if arguments.json:
        write_atomically(arguments.json, to_json(report))
    if arguments.report:
        write_atomically(arguments.report, to_html(report, log))
    sys.stdout.write(to_table(report))
    return 0


def _measure(arguments: argparse.Namespace) -> StillReport:
    check_outputs((arguments.json, arguments.report, arguments.log))
    if arguments.report:
        check_plots()
    pictures = [read_picture(path, arguments.size) for path in list_pictures(arguments.images)]
    names = [picture.name for picture in pictures]
    peers = PEER_FORMATS if arguments.peers else ()
    published = []
    if arguments.anchors:
        published = read_anchors(arguments.anchors, names, besides={peer.name for peer in peers})
    lpips = Lpips.from_file(arguments.lpips) if arguments.lpips else None
    judge = open_detector(str(arguments.judge)) if arguments.judge else None
    artefact = find_artefact(manifest=arguments.artefacts / MANIFEST.name)
    models = _model_figures(artefact, pictures, arguments.bpp)
    weights = arguments.lpips and arguments.lpips.absolute()
    tasks = [
        StillTask(number, picture, codec, arguments.bpp, weights, arguments.artefacts.absolute())
        for number, (picture, codec) in enumerate(product(pictures, codec_names(artefact, peers=arguments.peers)))
    ]
    with open_workers(arguments.jobs, arguments.scheduler) as workers, progress(len(tasks), "bench still") as done:
        results = list(measure_tasks(tasks, workers, done))
    rows = [result for result in results if isinstance(result, StillRow)]
    sources = {picture.name: picture.pixels for picture in pictures}
    sets: list[SetScores] = []
    if lpips or judge:
        with progress(len({(row.codec, row.target_bpp) for row in rows}), "sets") as done:
            sets = measure_sets(rows, sources, lpips, judge, done)
    resilience: list[Resilience] = []
    if arguments.resilience:
        faithful = StillCodec(load_scene_codec(artefact))
        with progress(len(pictures), "resilience") as done:
            for picture in pictures:
                resilience += measure_resilience(faithful, picture, arguments.bpp)
                done(picture.name)
    return StillReport(
        size=arguments.size,
        rates_bpp=arguments.bpp,
        images=names,
        models=models,
        rows=rows,
        unreached=[result for result in results if isinstance(result, Unreached)],
        published=published,
        sources=sources,
        sets=sets,
        resilience=resilience,
    )


def _model_figures(artefact: Artefact, pictures: Sequence[SourcePicture], rates_bpp: Sequence[float]) -> ModelFigures:
    """Count the operations of the shipped graphs, of which both generators have the same, and of encoding."""
    try:
        counts = {
            role: macs_per_pixel(artefact.folder / artefact.files[role])
            for role in ("encoder", "faithful", "enlarger")
            if role in artefact.files
        }
    except ImportError as error:
        raise CommandError("counting operations needs onnx; install it with: pip install '.[bench]'") from error
    encoding: dict[str, float] = {}
    for rate in rates_bpp:
        found = [encode_macs_per_pixel(artefact, counts, picture, rate) for picture in pictures]
        if known := [macs for macs in found if macs is not None]:
            encoding[f"{rate:g}"] = sum(known) / len(known)
    return ModelFigures(
        artefact.name, artefact.hash, counts["encoder"], counts["faithful"], counts.get("enlarger"), encoding
    )


STILL = Command("still", "still pictures at given rates: ours and, with --peers, others", _add_arguments, _run)
