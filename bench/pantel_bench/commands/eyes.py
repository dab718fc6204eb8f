"""`pantel bench eyes`: the detector on labelled pictures, the observer on clips, the tracker among crossing objects."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from pantel_bench.commands.detector_option import add_detect_every
from pantel_bench.commands.line_options import seconds_up_to
from pantel_bench.eyes.clips import score_clip
from pantel_bench.eyes.crossing import OBSERVED_PX, SETTLING_S, TrueBoxes, counted_frames, score_crossing
from pantel_bench.eyes.page import to_html
from pantel_bench.eyes.pictures import DetectionScores, labelled_pictures, score_detector
from pantel_bench.eyes.report import EyesReport, to_json, to_table
from pantel_bench.rig.settings import detector_name
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name
from pantel_device.observer import WEAK_SCORE, Detector, open_detector
from pantel_device.observer.detectors import OnnxDetector
from pantel_device.progress import progress
from pantel_models import ModelError
from pantel_models.macs import detector_macs

__all__ = ["EYES"]

_LEAST_SCORE = 0.01  # precision is read over all recalls
_MOST_RUNS = 100


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, metavar="DIR", help="pictures for the detector")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="their boxes: YOLO text, classes of COCO")
    parser.add_argument(
        "--from-number",
        type=_number,
        default=0,
        metavar="N",
        help="only pictures whose name ends in at least N: those that a training has left out",
    )
    parser.add_argument(
        "--detector",
        default="default",
        metavar="FILE",
        help="ONNX file, or none for motion alone (default: the bundled one)",
    )
    parser.add_argument(
        "--clip",
        type=file_name,
        action="append",
        default=[],
        metavar="FILE",
        help="clip for the observer; may be repeated",
    )
    parser.add_argument("--judge", metavar="FILE", help="detector that says what is in the clips, ONNX")
    parser.add_argument(
        "--crossing",
        action="store_true",
        help="follow eight crossing objects of the test camera, and again with their true boxes",
    )
    parser.add_argument(
        "--runs",
        type=_runs,
        default=3,
        metavar="N",
        help="test cameras to look through, each with a seed of its own (default: %(default)s)",
    )
    add_detect_every(parser, default=2)
    parser.add_argument(
        "--seed", type=_number, default=0, metavar="N", help="seed of the first test camera (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(600.0),
        default=60.0,
        metavar="S",
        help="time of each clip and of the test camera (default: %(default)g)",
    )
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with tables")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no number, such as 350")
    return int(text)


def _runs(text: str) -> int:
    if not 1 <= (runs := _number(text)) <= _MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {_MOST_RUNS}")
    return runs


def _run(arguments: argparse.Namespace) -> int:
    check_outputs((arguments.json, arguments.report))
    if (arguments.images is None) != (arguments.labels is None):
        raise UsageError("--images and --labels belong together")
    judge = open_detector(arguments.judge or "")
    if arguments.clip and judge is None:
        raise UsageError("--clip needs a --judge that says what is in the clip")
    if arguments.crossing and counted_frames(arguments.seconds) < 1:
        raise UsageError(f"the first {SETTLING_S:g} s of --crossing do not count; give it more --seconds")
    if not (arguments.images or arguments.clip or arguments.crossing):
        raise UsageError("nothing to measure: name --images with --labels, --clip with --judge, or --crossing")
    detection = _detection(arguments) if arguments.images else None
    frames = round(arguments.seconds * 10)
    every = arguments.detect_every
    runs = _crossing_runs(arguments) if arguments.crossing else []
    clips = []
    with progress(frames * (len(arguments.clip) + len(runs)), "bench eyes", every_s=5) as done:
        for clip in arguments.clip:
            if judge is not None:  # asked for above
                detector = _eyes(arguments)
                clips.append(
                    score_clip(clip, arguments.seconds, detector, judge, lambda: done("clips"), detect_every=every)
                )
        crossing = [
            score_crossing(name, eyes, arguments.seconds, seed, lambda: done("crossing"), detect_every=every)
            for name, eyes, seed, every in runs
        ]
    report = EyesReport(detector_name(arguments.detector) or "none", detection, clips, crossing)
    if arguments.json:
        write_atomically(arguments.json, to_json(report))
    if arguments.report:
        write_atomically(arguments.report, to_html(report))
    sys.stdout.write(to_table(report))
    return 0


def _eyes(arguments: argparse.Namespace) -> Detector | None:
    return open_detector(arguments.detector, min_score=WEAK_SCORE, picture_px=OBSERVED_PX)


def _crossing_runs(
    arguments: argparse.Namespace,
) -> list[tuple[str, Callable[[SyntheticCamera], Detector | None], int, int]]:
    """Return what is followed: name and maker of the detector, seed, frames from one run of it to the next.

    True boxes in every frame show what the tracker does, the rest what it does with this detector.
    """
    own = detector_name(arguments.detector) or "none"
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    return [
        *((own, lambda _: _eyes(arguments), seed, arguments.detect_every) for seed in seeds),
        *(("true boxes", TrueBoxes, seed, 1) for seed in seeds),
    ]


def _detection(arguments: argparse.Namespace) -> DetectionScores:
    detector = open_detector(arguments.detector, min_score=_LEAST_SCORE)
    if not isinstance(detector, OnnxDetector):
        raise UsageError("--images needs a --detector")
    pictures = labelled_pictures(arguments.images, arguments.labels, from_number=arguments.from_number)
    with progress(len(pictures), "bench eyes", every_s=5) as done:
        return score_detector(detector, pictures, _counter(detector), lambda: done("pictures"))


def _counter(detector: OnnxDetector) -> Callable[[], int | None]:
    """Return what counts the multiply-accumulates of a detector for a picture of 4:3."""

    def count() -> int | None:
        try:
            return detector_macs(detector.graph.path, detector.graph.size_for((320, 240)))
        except (ImportError, ModelError):
            return None

    return count


EYES = Command("eyes", "what the sender sees: detector, observer and tracker", _add_arguments, _run)
