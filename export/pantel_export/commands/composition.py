"""What mends composed pictures: its material, its training, and how it gets into an artefact."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.options import add_options, folder_pair
from pantel_export.commands.running import finish
from pantel_models import MANIFEST

__all__ = ["add_commands"]

_PICTURES, _SIDE_PX = 1600, 192


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    pictures = add("composed-pictures", help="make pictures of photographs as a receiver composes them")
    add_options(pictures, "name", "photos", "out")
    pictures.add_argument("--objects", type=folder_pair, nargs="+", required=True, metavar="PHOTOS:BOXES")
    pictures.add_argument("--masked", type=folder_pair, nargs="+", default=[], metavar="PHOTOS:MASKS")
    pictures.add_argument("--count", type=int, default=_PICTURES, help="number of pictures")
    pictures.add_argument("--side-px", type=int, default=_SIDE_PX, help="width and height, a multiple of 64")
    pictures.add_argument("--seed", type=int, default=1)
    pictures.set_defaults(run=_composed_pictures)

    train = add("train-composition", help="train the network that mends composed pictures")
    add_options(train, "config", "lpips", "out")
    train.add_argument("--pictures", type=Path, nargs="+", required=True, help="folders of composed-pictures")
    train.add_argument("--detectors", type=Path, nargs="+", default=[], metavar="ONNX", help="should recognize objects")
    train.add_argument("--start-from", type=Path, metavar="RUN", help="begin with the averaged weights of this run")
    train.set_defaults(run=_train_composition)

    added = add("composition", help="put the network that mends composed pictures of a run into an artefact")
    add_options(added, "run", "name")
    added.add_argument("--strength", type=float, default=1.0, help="factor on what is added to pictures")
    added.set_defaults(run=_composition)


def _composed_pictures(arguments: argparse.Namespace) -> None:
    from pantel_export.composition.folder import write_composed
    from pantel_export.composition.photographs import find_photographs
    from pantel_models import View, find_artefact, load_scene_codec

    photographs = find_photographs(arguments.photos, arguments.objects, arguments.masked)
    artefact = find_artefact(name=arguments.name, manifest=arguments.artefacts / MANIFEST.name)
    codec = load_scene_codec(artefact, view=View.PERCEPTUAL)
    write_composed(
        arguments.out, codec, photographs, count=arguments.count, side_px=arguments.side_px, seed=arguments.seed
    )


def _train_composition(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.composition.settings import MenderSettings
    from pantel_export.composition.train import MenderTrainer, load_mender

    torch.set_num_threads(1)
    settings = MenderSettings.from_toml(arguments.config)
    trainer = MenderTrainer(settings, arguments.lpips, arguments.pictures, arguments.out, arguments.detectors)
    if arguments.start_from is not None:
        mender, _ = load_mender(arguments.start_from)
        trainer.warm_start({f"mender.{name}": weight for name, weight in mender.state_dict().items()})
    finish(trainer)


def _composition(arguments: argparse.Namespace) -> None:
    from pantel_export.composition.add import add_mender

    add_mender(arguments.run_folder, arguments.name, arguments.artefacts, strength=arguments.strength)
    print(f"added the mender of {arguments.run_folder} to {arguments.name}")  # noqa: T201
