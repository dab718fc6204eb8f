"""`pantel bench looks`: thumbnails against latent cells for the looks of moving objects."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from pantel_bench.commands.line_options import seconds_up_to
from pantel_bench.live.source import ClipSource
from pantel_bench.looks import LookRow, compare_looks
from pantel_device.atomic_file import check_writable, write_atomically
from pantel_device.command import Command
from pantel_device.commands.options import file_name
from pantel_device.observer.detector import open_detector
from pantel_models import find_artefact, load_scene_codec

__all__ = ["LOOKS"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip", type=file_name, action="append", required=True, metavar="FILE", help="clip; may be repeated"
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(300.0),
        default=60.0,
        metavar="S",
        help="time of each clip (default: %(default)g)",
    )
    parser.add_argument("--detector", default="", metavar="ONNX", help="a YOLOX export; without, motion alone decides")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.json is not None:
        check_writable(arguments.json)
    clips = [ClipSource(f"file:{clip}", arguments.seconds).frames for clip in arguments.clip]
    rows = compare_looks(clips, load_scene_codec(find_artefact()), open_detector(arguments.detector))
    sys.stdout.write(_table(rows))
    if arguments.json is not None:
        report = {"benchmark": "looks", "rows": [asdict(row) for row in rows]}
        write_atomically(arguments.json, (json.dumps(report, indent=1) + "\n").encode())
    return 0


def _table(rows: list[LookRow]) -> str:
    lines = ["size  objects  codec      bits  error  setting"]
    lines += [
        f"{row.size:5} {row.objects:7}  {row.codec:9} {row.bits:5.0f}  {row.error_share:.3f}  {row.setting}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


LOOKS = Command("looks", "thumbnails against latent cells for the looks of moving objects", _add_arguments, _run)
