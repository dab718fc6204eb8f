"""The refinement context: the networks of cells of which the receiver holds a coarser version."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from pantel_export.commands.options import add_options
from pantel_export.commands.running import finish, photographs

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    refinement = add("train-refinement", help="train the refinement context on top of a run")
    add_options(refinement, "config", "scene-run", "photos", "out")
    refinement.set_defaults(run=_train_refinement)

    refinement = add("refinement", help="put the refinement context of a run into an artefact")
    add_options(refinement, "run", "name", "photos")
    refinement.set_defaults(run=_refinement)


def _train_refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.refinement.settings import RefinementSettings
    from pantel_export.refinement.train import RefinementTrainer

    torch.set_num_threads(1)
    settings = RefinementSettings.from_toml(arguments.config)
    photos = photographs(arguments, settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = RefinementTrainer(settings, arguments.scene_run, photos, arguments.out)
    finish(trainer)


def _refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.refinement.add import add_refinement

    torch.set_num_threads(1)
    photos = photographs(arguments, 192)
    add_refinement(arguments.run_folder, arguments.name, photos, arguments.artefacts)
    print(f"added the refinement context of {arguments.run_folder} to {arguments.name}")  # noqa: T201
