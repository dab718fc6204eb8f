"""What paints for the eye: the perceptual generator and the perceptual enlarger."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from pantel_export.commands.options import add_options
from pantel_export.commands.running import finish, photographs
from pantel_models import MANIFEST

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    perceptual = add("train-perceptual", help="train the perceptual generator on top of a run")
    add_options(perceptual, "config", "scene-run", "lpips", "photos", "out")
    perceptual.set_defaults(run=_train_perceptual)

    perceptual = add("perceptual", help="put the perceptual generator of a run into an artefact")
    add_options(perceptual, "run", "name")
    perceptual.set_defaults(run=_perceptual)

    enlarger = add("train-perceptual-enlarger", help="train the perceptual enlarger on top of an artefact")
    add_options(enlarger, "config", "scene-run", "name", "lpips", "photos", "out")
    enlarger.set_defaults(run=_train_perceptual_enlarger)

    enlarger = add("perceptual-enlarger", help="put the perceptual enlarger of a run into an artefact")
    add_options(enlarger, "run", "name")
    enlarger.set_defaults(run=_perceptual_enlarger)


def _train_perceptual(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.perceptual.settings import PerceptualSettings
    from pantel_export.perceptual.train import PerceptualTrainer

    torch.set_num_threads(1)
    settings = PerceptualSettings.from_toml(arguments.config)
    photos = photographs(arguments, settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = PerceptualTrainer(settings, arguments.scene_run, arguments.lpips, photos, arguments.out)
    finish(trainer)


def _perceptual(arguments: argparse.Namespace) -> None:
    from pantel_export.perceptual.add import add_perceptual

    add_perceptual(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the perceptual generator of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _train_perceptual_enlarger(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.perceptual.enlarger import PerceptualEnlargerTrainer
    from pantel_export.perceptual.settings import PerceptualEnlargerSettings
    from pantel_models import find_artefact

    torch.set_num_threads(1)
    settings = PerceptualEnlargerSettings.from_toml(arguments.config)
    photos = photographs(arguments, settings.crop_px)
    generator = find_artefact(name=arguments.name, manifest=arguments.artefacts / MANIFEST.name).read("perceptual")
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    frozen = arguments.scene_run, generator
    finish(PerceptualEnlargerTrainer(settings, frozen, arguments.lpips, photos, arguments.out))


def _perceptual_enlarger(arguments: argparse.Namespace) -> None:
    from pantel_export.perceptual.add import add_perceptual_enlarger

    add_perceptual_enlarger(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the perceptual enlarger of {arguments.run_folder} to {arguments.name}")  # noqa: T201
