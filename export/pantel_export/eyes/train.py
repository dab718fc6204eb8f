"""Training of the detector: what one step learns from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from pantel_export.errors import DataError, RunError
from pantel_export.eyes.augmentation import draw_picture
from pantel_export.eyes.material import DetectionMaterial
from pantel_export.eyes.network import Detector, cell_centres
from pantel_export.eyes.objective import assign, detection_loss, to_boxes
from pantel_export.eyes.settings import DetectorSettings
from pantel_export.eyes.teacher import Teacher, answer_loss, feature_loss
from pantel_export.training_run import TrainingRun, load_run
from pantel_export.warm_start import load_warm_start

__all__ = ["DetectorTrainer", "load_detector", "load_weights"]


class DetectorTrainer(TrainingRun):
    """A run of the detector."""

    def __init__(
        self, settings: DetectorSettings, material: DetectionMaterial, folder: Path, teacher: Teacher | None = None
    ) -> None:
        """Begin at step 0.

        Args:
            settings: Of the run.
            material: Pictures with boxes.
            folder: For the checkpoint and the record.
            teacher: Whose answers are learned besides.

        Raises:
            DataError: The teacher does not fit the detector.
        """
        if teacher is not None and teacher.channels != settings.network.neck:
            raise DataError(
                f"the teacher {teacher.name} looks at {teacher.channels} channels and the detector at "
                f"{settings.network.neck}; choose a teacher of like width (YOLOX-nano has 64) or set network.neck"
            )
        self.settings = settings
        self.material = material
        self.teacher = teacher
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        network = Detector(settings.network).to(self.device, memory_format=torch.channels_last)
        super().__init__(
            settings,
            network,
            folder,
            {
                "material": material.record,
                "teacher": teacher and teacher.name,
                "teacher_sha256": teacher and teacher.sha256,
            },
        )
        self.network = network
        self.schedule_steps = settings.schedule_steps or settings.steps
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": settings.weight_decay},
                {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            fused=True,
        )
        self._centres, self._strides = (
            each.to(self.device) for each in cell_centres(settings.side_px, settings.side_px)
        )

    def resume(self) -> bool:
        """Continue from the folder's checkpoint; return whether there was one.

        Raises:
            RunError: The checkpoint was made with other settings or another teacher.
        """
        if not super().resume():
            return False
        before = json.loads((self.folder / "record.json").read_text()).get("teacher_sha256")
        if before != (self.teacher.sha256 if self.teacher is not None else None):
            raise RunError(
                f"{self.folder} was made with another teacher; name the same with --teacher, or another --out"
            )
        return True

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of the present step, and figures for people."""
        s = self.settings
        rng = np.random.default_rng((s.seed, self.step))
        plain = self.step >= s.steps - s.plain_steps
        drawn = [
            draw_picture(
                self.material, s.side_px, rng, mosaic=0.0 if plain else s.mosaic, pasted_people=s.pasted_people
            )
            for _ in range(s.batch)
        ]
        stacked = np.stack([each.pixels for each in drawn])
        pixels = torch.from_numpy(stacked).to(self.device)
        x = pixels.permute(0, 3, 1, 2).to(torch.bfloat16) / 255  # in memory as it was: channels last
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.network.features(x)
            logits, distances = self.network.answers(features)
        found = to_boxes(distances, self._centres, self._strides)
        assignments = [
            assign(
                logits[i].detach().float().sigmoid(),
                found[i].detach(),
                self._centres,
                boxes=torch.from_numpy(each.boxes).to(self.device),
                classes=torch.from_numpy(each.classes).to(self.device),
                sure=torch.from_numpy(each.sure).to(self.device),
            )
            for i, each in enumerate(drawn)
        ]
        loss, figures = detection_loss(logits, found, assignments, s.box_weight)
        if self.teacher is None:
            return loss, figures
        lesson = self.teacher.lesson(stacked, self.device)
        answers = torch.stack([each.answers for each in assignments])
        scores, boxes = answer_loss(logits, found, lesson, ~answers | s.teacher_overrules)
        likeness = feature_loss(features, lesson)
        loss = loss + s.teacher_weight * (scores + s.box_weight * boxes) + s.feature_weight * likeness
        return loss, figures | {
            "teacher_scores": float(scores.detach()),
            "teacher_boxes": float(boxes.detach()),
            "features": float(likeness.detach()),
        }


def load_detector(folder: Path) -> tuple[Detector, DetectorSettings, dict[str, Any]]:
    """Return the detector of a run with its averaged weights, its settings and the run's record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    try:
        settings = DetectorSettings.model_validate(state["settings"])
        network = Detector(settings.network)
        network.load_state_dict(state["average"])
    except (ValidationError, RuntimeError) as error:
        raise RunError(f"{folder} holds no run of a detector: {str(error).splitlines()[0]}") from error
    return network.eval(), settings, record


def load_weights(folder: Path) -> dict[str, Tensor]:
    """Return the averaged weights of a run, or those that `detector` wrote for the next training.

    Raises:
        RunError: There are none.
    """
    if (folder / "checkpoint.pt").exists():
        return dict(load_detector(folder)[0].state_dict())
    return load_warm_start(folder)
