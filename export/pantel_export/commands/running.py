"""What all training commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it needs PyTorch
    from pantel_export.training_run import TrainingRun

__all__ = ["finish"]


def finish(trainer: TrainingRun, warm_start: Path | None = None) -> None:
    """Train to the last step, from the checkpoint on if there is one, else from 16-bit weights if they are named."""
    if trainer.resume():
        print(f"resumed step={trainer.step}")  # noqa: T201
    elif warm_start:
        from pantel_export.warm_start import load_warm_start

        trainer.warm_start(load_warm_start(warm_start))
    trainer.run()
