"""What every training has in common: one readable loop, resumable at every checkpoint.

A run folder holds `checkpoint.pt` (weights, averaged weights, optimizer, step, settings) and `record.json`
(settings, material, progress). What a step sees depends on the seed and the step alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from pantel_export.errors import RunError

__all__ = ["RunSettings", "TrainingRun", "load_run"]

_REPORT_STEPS = 200
_CHECKPOINT_STEPS = 1000
_AVERAGE_STEPS = 10


class RunSettings(Protocol):
    """What a loop needs to know of its settings."""

    seed: int
    steps: int
    learning_rate: float
    final_learning_rate: float
    warmup_steps: int
    ema_decay: float

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Return all settings as JSON knows values."""
        ...


class TrainingRun(ABC):
    """Holds what a run needs between steps; what a step learns from is the business of subclasses.

    Attributes:
        folder: For the checkpoint and the record.
        average: Averaged weights.
        step: The next one.
        schedule_steps: The learning rate falls as if the run had so many steps.
        history: Figures of all steps so far, some steps together.
    """

    def __init__(self, settings: RunSettings, networks: nn.Module, folder: Path, material: Mapping[str, Any]) -> None:
        """Begin at step 0.

        Args:
            settings: Of the run.
            networks: What is trained, on the device of choice.
            folder: For the checkpoint and the record.
            material: What is trained on, for the record.
        """
        self._run_settings = settings
        self._networks = networks
        self.folder = folder
        self._material = dict(material)
        self.average = {k: v.detach().clone() for k, v in networks.state_dict().items()}
        self._optimizer = torch.optim.Adam(
            (weight for weight in networks.parameters() if weight.requires_grad), lr=settings.learning_rate, fused=True
        )
        self._warm_start_sha256: str | None = None
        self.step = 0
        self.schedule_steps = settings.steps
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of the present step, and figures for people."""

    def resume(self) -> bool:
        """Continue from the folder's checkpoint; return whether there was one.

        Raises:
            RunError: The checkpoint was made with other settings.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=next(self._networks.parameters()).device, weights_only=True)
        if state["settings"] != self._run_settings.model_dump(mode="json"):
            raise RunError(f"{path} was made with other settings; take another --out folder or the old settings")
        self._networks.load_state_dict(state["networks"])
        self.average = state["average"]
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.history = state["history"]
        self._warm_start_sha256 = state.get("warm_start_sha256")
        return True

    def warm_start(self, weights: dict[str, Tensor]) -> None:
        """Begin with the weights of an earlier run; the record names them by their hash.

        Networks that the earlier run did not have begin as they are.

        Raises:
            RunError: They are weights of other networks, or of another shape.
        """
        try:
            unknown = self._networks.load_state_dict(weights, strict=False).unexpected_keys
        except RuntimeError as error:
            raise RunError(f"the weights do not fit these networks: {str(error).splitlines()[-1].strip()}") from error
        if unknown:
            raise RunError(f"the weights are those of other networks: there is no {unknown[0]} here")
        self._warm_start_sha256 = _digest(weights)
        self.average = {k: v.detach().clone() for k, v in self._networks.state_dict().items()}

    def run(self) -> None:
        """Train to the last step, with a checkpoint now and then.

        Raises:
            RunError: There can be no folder for it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{self.folder} cannot be the folder of a run: {error.strerror}; choose another --out"
            ) from error
        started, first = monotonic(), self.step
        steps = self._run_settings.steps
        sums: dict[str, float] = {}
        while self.step < steps:
            for key, value in self._train_step().items():
                sums[key] = sums.get(key, 0.0) + value / _REPORT_STEPS
            self.step += 1
            if self.step % _REPORT_STEPS == 0:
                rate = (self.step - first) / (monotonic() - started)
                left_min = (steps - self.step) / rate / 60
                text = " ".join(f"{k}={v:.4f}" for k, v in sums.items())
                print(f"step={self.step} {text} steps_per_s={rate:.1f} left_min={left_min:.0f}", flush=True)  # noqa: T201
                self.history.append({"step": self.step, **sums})
                sums = {}
            if self.step % _CHECKPOINT_STEPS == 0 or self.step == steps:
                self.save()

    def save(self) -> None:
        """Write the checkpoint and the record, each beside its old version and then in its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "settings": self._run_settings.model_dump(mode="json"),
            "networks": self._networks.state_dict(),
            "average": self.average,
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "history": self.history,
            "warm_start_sha256": self._warm_start_sha256,
        }
        beside = self.folder / "checkpoint.pt.new"
        torch.save(state, beside)
        beside.replace(self.folder / "checkpoint.pt")
        record = {
            "settings": state["settings"],
            **self._material,
            "warm_start_sha256": self._warm_start_sha256,
            "step": self.step,
            "torch": torch.__version__,
            "machine": platform.machine(),
            "device": str(next(self._networks.parameters()).device),
            "history": self.history,
        }
        beside = self.folder / "record.json.new"
        beside.write_text(json.dumps(record, indent=1))
        beside.replace(self.folder / "record.json")

    def _learning_rate(self) -> float:
        s = self._run_settings
        if self.step < s.warmup_steps:
            return s.learning_rate * (self.step + 1) / s.warmup_steps
        progress = (self.step - s.warmup_steps) / max(1, self.schedule_steps - s.warmup_steps)
        return s.final_learning_rate + (s.learning_rate - s.final_learning_rate) * 0.5 * (
            1 + math.cos(math.pi * progress)
        )

    def _train_step(self) -> dict[str, float]:
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        loss, figures = self.loss()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._networks.parameters(), 1.0)
        self._optimizer.step()
        if self.step % _AVERAGE_STEPS == 0:
            decay = min(self._run_settings.ema_decay**_AVERAGE_STEPS, (self.step + 1) / (self.step + 100))
            with torch.no_grad():
                for key, value in self._networks.state_dict().items():
                    self.average[key].lerp_(value, 1 - decay)
        return figures


def _digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names and values, as 32-bit floats in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()


def load_run(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the checkpoint of a run folder and its record.

    Raises:
        RunError: There is none.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        raise RunError(f"no checkpoint.pt in {folder}; train first, with --out {folder}")
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state, json.loads((folder / "record.json").read_text())
