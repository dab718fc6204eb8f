"""`pantel bench structure`: what contours bring for their bits, in pictures and as a sketch."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import cv2

from pantel_bench.commands.line_options import bitrate, seconds_up_to
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import Lpips
from pantel_bench.rig.settings import RigSettings, detector_name
from pantel_bench.structure.ablation import AblationRow, Instruments, measure_ablation
from pantel_bench.structure.sketch import SketchResult, measure_sketch
from pantel_bench.structure.specimens import Specimen, specimens
from pantel_device.atomic_file import check_writable, write_atomically
from pantel_device.command import Command
from pantel_device.commands.options import file_name
from pantel_device.observer import open_contour_finder, open_detector
from pantel_device.progress import progress
from pantel_models import View, find_artefact, load_scene_codec

__all__ = ["STRUCTURE"]

_LIBRARIES = ("pantel", "av", "numpy", "onnxruntime", "opencv-python-headless")
_LONGEST_S = 300.0
_DECIMALS = 4


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip", type=file_name, action="append", required=True, metavar="FILE", help="clip; may be repeated"
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(_LONGEST_S),
        default=60.0,
        metavar="S",
        help="time of each clip, 1 to 300; shorter ones are played there and back (default: %(default)g)",
    )
    parser.add_argument(
        "--bits",
        type=_limits,
        default="60,100,150,200,300",
        metavar="B,…",
        help="what an object may take [bit] (default: %(default)s)",
    )
    parser.add_argument(
        "--bitrate",
        type=bitrate,
        default=290,
        metavar="B",
        help="octets times 8 on the sketch's line [bit/s]; may be exceeded by 8 over 10 s (default: %(default)s)",
    )
    parser.add_argument(
        "--playout-delay-s",
        type=seconds_up_to(10.0),
        default=2.0,
        metavar="S",
        help="constant time of the sketch, from capture to show (default: %(default)g)",
    )
    parser.add_argument(
        "--detector", default="", metavar="ONNX", help="the sender's, a YOLOX export; without, motion alone decides"
    )
    parser.add_argument(
        "--edge-model", default="", metavar="YML", help="structured forest that finds contours; without, Canny does"
    )
    parser.add_argument("--judge", default="", metavar="ONNX", help="looks for objects in the pictures, a YOLOX export")
    parser.add_argument("--lpips", type=file_name, metavar="NPZ", help="weights of LPIPS (lpips_squeeze_v01.npz)")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")


def _run(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    if arguments.json is not None:
        check_writable(arguments.json)
    instruments = Instruments(
        Lpips.from_file(arguments.lpips) if arguments.lpips else None, open_detector(arguments.judge)
    )
    detector = open_detector(arguments.detector)
    find_contours = open_contour_finder(arguments.edge_model)
    objects: list[Specimen] = []
    sketches: list[SketchResult] = []
    for clip in arguments.clip:
        settings = RigSettings(
            camera=f"file:{clip}",
            seconds=arguments.seconds,
            bitrate_bps=arguments.bitrate,
            detector=arguments.detector,
            edge_model=arguments.edge_model,
            sketch=True,
            playout_delay_ns=round(arguments.playout_delay_s * 1e9),
        )
        source = ClipSource(settings.camera, settings.seconds, size_px=settings.size_px)
        objects += specimens(source.frames, detector, find_contours)
        with progress(len(source), f"sketch of {clip.stem}", every_s=5) as done:
            sketches.append(measure_sketch(settings, source, detector, done))
        sys.stdout.write(_sketch_line(sketches[-1]))
        sys.stdout.flush()
    artefact = find_artefact()
    codec = load_scene_codec(artefact, view=View.PERCEPTUAL)
    with progress(len(objects), "ablation", every_s=5) as done:
        rows = measure_ablation(objects, codec, arguments.bits, instruments, done)
    sys.stdout.write(_table(rows))
    if arguments.json is not None:
        report = {
            "benchmark": "structure",
            "versions": {name: version(name) for name in _LIBRARIES},
            "model": artefact.name,
            "model_hash": artefact.hash,
            "detector": detector_name(arguments.detector),
            "edge_model": Path(arguments.edge_model).name or None,
            "rows": [asdict(row) for row in rows],
            "sketches": [_rounded(asdict(sketch)) for sketch in sketches],
        }
        write_atomically(arguments.json, (json.dumps(report, indent=1) + "\n").encode())
    return 0


def _table(rows: Sequence[AblationRow]) -> str:
    lines = ["size  objects  limit  bits   F1    LPIPS  recall  way"]
    lines += [
        f"{row.size:5} {row.objects:7}  {row.limit_bits:5g} {row.bits:5.0f}  {row.contour_f1:.3f}  "
        f"{_figure(row.lpips)}  {_figure(row.object_recall)}   {row.way}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _sketch_line(sketch: SketchResult) -> str:
    return (
        f"{Path(sketch.clip).stem}: {sketch.gross_bps:.0f} bit/s ({sketch.gross_bps_max_10s:.0f} over 10 s), "
        f"contour F1 {_figure(sketch.contour_f1)} around objects, {sketch.whole_contour_f1:.3f} in the whole picture\n"
    )


def _figure(value: float | None) -> str:
    return "-    " if value is None else f"{value:.3f}"


def _rounded(values: Mapping[str, object]) -> dict[str, object]:
    """Return a report's values with as many decimals as are worth reading."""
    rounded: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            rounded[key] = _rounded(value)
        else:
            rounded[key] = round(value, _DECIMALS) if isinstance(value, float) else value
    return rounded


def _limits(text: str) -> tuple[float, ...]:
    try:
        limits = tuple(float(part) for part in text.split(","))
    except ValueError:
        limits = (0.0,)
    if not all(1.0 <= limit <= 10_000.0 for limit in limits):
        raise argparse.ArgumentTypeError(f"{text!r} are no numbers of bits; write for example 60,100")
    return limits


STRUCTURE = Command(
    "structure", "what contours bring for their bits, in pictures and as a sketch", _add_arguments, _run
)
