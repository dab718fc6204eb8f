"""The refinement context: the networks of cells of which the receiver holds a coarser version."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.running import finish
from pantel_models import MANIFEST

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    refinement = add("train-refinement", help="train the refinement context on top of a run")
    refinement.add_argument("--config", type=Path, required=True, help="settings, TOML")
    refinement.add_argument("--scene-run", type=Path, required=True, help="run folder of the scene codec")
    refinement.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refinement.add_argument("--out", type=Path, required=True, help="run folder")
    refinement.set_defaults(run=_train_refinement)

    refinement = add("refinement", help="put the refinement context of a run into an artefact")
    refinement.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    refinement.add_argument("--name", required=True, help="name of the artefact")
    refinement.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refinement.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    refinement.set_defaults(run=_refinement)


def _train_refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.refinement.settings import RefinementSettings
    from pantel_export.refinement.train import RefinementTrainer
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    settings = RefinementSettings.from_toml(arguments.config)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = RefinementTrainer(settings, arguments.scene_run, photos, arguments.out)
    finish(trainer)


def _refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.refinement.add import add_refinement
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    add_refinement(arguments.run_folder, arguments.name, photos, arguments.artefacts)
    print(f"added the refinement context of {arguments.run_folder} to {arguments.name}")  # noqa: T201
