"""What commands have in common when they run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pantel_export.data import PhotoSet
from pantel_export.errors import RunError

if TYPE_CHECKING:  # it needs PyTorch
    from pantel_export.training_run import TrainingRun

__all__ = ["finish", "photographs"]


def finish(trainer: TrainingRun, warm_start: Path | None = None) -> None:
    """Train to the last step, from the checkpoint on if there is one, else from 16-bit weights if they are named."""
    if trainer.resume():
        print(f"resumed step={trainer.step}")  # noqa: T201
    elif warm_start:
        from pantel_export.warm_start import load_warm_start

        trainer.warm_start(load_warm_start(warm_start))
    trainer.run()


def photographs(arguments: argparse.Namespace, minimum_px: int) -> PhotoSet:
    """Read the folders of photographs that a command was given.

    Raises:
        RunError: One of them does not exist.
        DataError: There is no photograph of that size.
    """
    for folder in arguments.photos:
        if not folder.is_dir():
            raise RunError(f"{folder} is no folder; name folders of photographs with --photos")
    return PhotoSet(arguments.photos, minimum_px=minimum_px)
