"""Material for training: pictures out of clips, and boxes for pictures that have none."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.options import add_options

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    frames = add("frames", help="take pictures out of video clips, at even intervals")
    frames.add_argument("--clips", type=Path, nargs="+", required=True, help="video files")
    frames.add_argument("--every-s", type=float, default=0.5, help="from one to the next [s] (default: %(default)s)")
    frames.add_argument("--out", type=Path, required=True, help="a folder for each clip goes here")
    frames.set_defaults(run=_frames)

    boxes = add("boxes", help="let a detector find the objects of photographs that have no boxes")
    add_options(boxes, "photos")
    boxes.add_argument("--detector", type=Path, required=True, help="a YOLOX export, ONNX")
    boxes.add_argument("--out", type=Path, required=True, help="a folder for each folder of photographs goes here")
    boxes.add_argument("--least-score", type=float, default=0.5, help="of a box that is written (default: %(default)s)")
    boxes.add_argument("--tiled", action="store_true", help="look at parts of the photographs, too, for small objects")
    boxes.set_defaults(run=_boxes)


def _frames(arguments: argparse.Namespace) -> None:
    from pantel_export.clip_frames import write_frames

    for clip in arguments.clips:
        count = write_frames(clip, arguments.out / clip.stem, every_s=arguments.every_s)
        print(f"wrote pictures={count} to {arguments.out / clip.stem}")  # noqa: T201


def _boxes(arguments: argparse.Namespace) -> None:
    from pantel_export.pseudo_labels import write_pseudo_labels

    for photos in arguments.photos:
        count = write_pseudo_labels(
            arguments.detector,
            photos,
            arguments.out / photos.name,
            least_score=arguments.least_score,
            tiled=arguments.tiled,
        )
        print(f"wrote boxes={count} to {arguments.out / photos.name}")  # noqa: T201
