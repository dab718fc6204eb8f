"""The detector of the sender: training, and putting it among the shipped models."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.options import add_options, folder_pair
from pantel_export.commands.running import finish

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    train = add("train-detector", help="train the detector; continues a run that was interrupted")
    add_options(train, "config", "out")
    train.add_argument(
        "--start-from",
        type=Path,
        metavar="RUN",
        help="begin with the averaged weights of this run, or with export/weights/detector",
    )
    train.add_argument(
        "--teacher", type=Path, metavar="ONNX", help="a YOLOX export, whose answers and features are learned besides"
    )
    _add_sources(train)
    train.set_defaults(run=_train)

    detector = add("detector", help="put the detector of a training run among the shipped models")
    add_options(detector, "run", "name", "photos")
    detector.add_argument(
        "--weights",
        type=Path,
        default=Path("export/weights/detector"),
        help="coarse weights for the next training go here (default: %(default)s)",
    )
    detector.set_defaults(run=_detector)


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.eyes.material import DetectionMaterial, Sources
    from pantel_export.eyes.settings import DetectorSettings
    from pantel_export.eyes.teacher import Teacher
    from pantel_export.eyes.train import DetectorTrainer, load_weights

    torch.set_num_threads(1)
    settings = DetectorSettings.from_toml(arguments.config)
    sources = Sources(arguments.labelled, arguments.pseudo, arguments.masked, arguments.held_out)
    material = DetectionMaterial(sources, settings.sure_score)
    print(f"pictures={len(material.pictures)} cut_outs={len(material.cut_outs)} out={arguments.out}")  # noqa: T201
    teacher = Teacher(arguments.teacher) if arguments.teacher is not None else None
    trainer = DetectorTrainer(settings, material, arguments.out, teacher)
    if arguments.start_from is not None:
        trainer.warm_start(load_weights(arguments.start_from))
    finish(trainer)


def _detector(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.eyes.add import add_detector
    from pantel_export.eyes.train import load_weights
    from pantel_export.warm_start import save_warm_start

    torch.set_num_threads(1)
    add_detector(arguments.run_folder, arguments.name, arguments.photos, arguments.artefacts)
    save_warm_start(arguments.weights, load_weights(arguments.run_folder), coarse=True)
    print(f"added the detector of {arguments.run_folder} as {arguments.name}")  # noqa: T201


def _held_out(text: str) -> tuple[str, int]:
    """Read PREFIX:NUMBER."""
    prefix, _, number = text.rpartition(":")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text} is no beginning of file names and number; write for example street_:500"
        )
    return prefix, int(number)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    for option, required, text in (
        ("labelled", True, "boxes by people, YOLO text with the classes of COCO"),
        ("pseudo", False, "boxes by a detector, as `boxes` writes them; they complete those by people"),
        ("masked", False, "people with masks, to be pasted into other pictures"),
    ):
        parser.add_argument(
            f"--{option}",
            type=folder_pair,
            nargs="+",
            required=required,
            default=[],
            metavar="PHOTOS:LABELS",
            help=text,
        )
    parser.add_argument(
        "--held-out",
        type=_held_out,
        nargs="+",
        default=[],
        metavar="PREFIX:N",
        help="pictures whose name begins so and whose number is at least N are for testing: they are not read",
    )
