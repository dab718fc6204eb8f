"""Thumbnails: training, and their perceptual generator."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.options import add_options, folder_pair
from pantel_export.commands.running import finish, photographs

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    train = add("train-thumbnails", help="train thumbnails; continues a run that was interrupted")
    add_options(train, "config", "out")
    _add_objects(train)
    train.set_defaults(run=_train_thumbnails)

    thumbnails = add("thumbnails", help="put the thumbnails of a training run into an artefact")
    add_options(thumbnails, "run", "name")
    _add_objects(thumbnails)
    thumbnails.set_defaults(run=_thumbnails)

    painted = add("train-perceptual-thumbnails", help="train a perceptual generator for the thumbnails of an artefact")
    add_options(painted, "config", "name", "lpips", "out")
    painted.add_argument(
        "--go-on", action="store_true", help="begin as the artefact's perceptual generator, not as its faithful one"
    )
    painted.add_argument(
        "--detectors", type=Path, nargs="+", required=True, metavar="ONNX", help="should recognize what is painted"
    )
    painted.add_argument("--photos", type=Path, nargs="+", required=True, help="photographs to stand before")
    _add_objects(painted)
    painted.set_defaults(run=_train_perceptual_thumbnails)

    painted = add("perceptual-thumbnails", help="put the perceptual generator of thumbnails of a run into an artefact")
    add_options(painted, "run", "name")
    painted.set_defaults(run=_perceptual_thumbnails)


def _train_thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.thumbnails.crops import gather
    from pantel_export.thumbnails.settings import ThumbnailSettings
    from pantel_export.thumbnails.train import ThumbnailTrainer

    torch.set_num_threads(1)
    settings = ThumbnailSettings.from_toml(arguments.config)
    crops, sources = gather(arguments.objects, arguments.masked)
    print(f"objects={len(crops)} out={arguments.out}")  # noqa: T201
    trainer = ThumbnailTrainer(settings, crops, arguments.out, sources)
    finish(trainer)


def _thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.thumbnails.add import add_thumbnails
    from pantel_export.thumbnails.crops import gather

    torch.set_num_threads(1)
    crops, _ = gather(arguments.objects, arguments.masked)
    add_thumbnails(arguments.run_folder, arguments.name, crops, arguments.artefacts)
    print(f"added the thumbnails of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _train_perceptual_thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.thumbnails.crops import gather
    from pantel_export.thumbnails.perceptual import Onlookers, PerceptualThumbnailTrainer
    from pantel_export.thumbnails.settings import PerceptualThumbnailSettings
    from pantel_export.thumbnails.shipped import ShippedThumbnails

    torch.set_num_threads(1)
    settings = PerceptualThumbnailSettings.from_toml(arguments.config)
    crops, _ = gather(arguments.objects, arguments.masked)
    print(f"objects={len(crops)} out={arguments.out}")  # noqa: T201
    photos = photographs(arguments, 64)
    onlookers = Onlookers(arguments.lpips, arguments.detectors, photos)
    thumbnails = ShippedThumbnails.of(arguments.artefacts, arguments.name, from_perceptual=arguments.go_on)
    trainer = PerceptualThumbnailTrainer(settings, thumbnails, onlookers, crops, arguments.out)
    finish(trainer)


def _perceptual_thumbnails(arguments: argparse.Namespace) -> None:
    from pantel_export.thumbnails.add import add_perceptual_thumbnails

    add_perceptual_thumbnails(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the perceptual thumbnails of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _add_objects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--objects",
        type=folder_pair,
        nargs="+",
        required=True,
        metavar="PHOTOS:BOXES",
        help="folders, boxes as YOLO text",
    )
    parser.add_argument(
        "--masked", type=folder_pair, nargs="+", default=[], metavar="PHOTOS:MASKS", help="folders of people with masks"
    )
