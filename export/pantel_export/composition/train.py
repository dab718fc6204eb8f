"""Training of the network that mends composed pictures: what one step learns from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pantel_export.composition.folder import read_composed
from pantel_export.composition.network import Mender
from pantel_export.composition.settings import MenderSettings
from pantel_export.detector_network import DetectorNetwork, verdict_loss
from pantel_export.errors import DataError, RunError
from pantel_export.perceptual.lpips import Lpips
from pantel_export.perceptual.objective import fidelity
from pantel_export.precision import mixed_precision
from pantel_export.training_run import TrainingRun, load_run
from pantel_models import contour_map

__all__ = ["MenderTrainer", "load_mender"]

_PATTERN_PX = 8  # what it might print repeats after 4 pixels
_SEEN_SOFTLY = 0.5  # share of pictures
_TRIED = 2  # places of a crop, of which the one with more of sprites is taken


class MenderTrainer(TrainingRun):
    """A run of the mender, which begins by changing nothing."""

    def __init__(
        self,
        settings: MenderSettings,
        lpips: Path,
        material: Sequence[Path],
        folder: Path,
        detectors: Sequence[Path] = (),
    ) -> None:
        """Begin.

        Args:
            settings: Of the run.
            lpips: Weights of LPIPS.
            material: Folders of composed pictures.
            folder: For the checkpoint and the record.
            detectors: ONNX files of detectors that should recognize as much in what is mended as in the source; each
                looks on every n-th step.

        Raises:
            DataError: There is no such material, its pictures are smaller than the crops, or a file of weights cannot
                be used.
        """
        self.settings = settings
        self._pictures, records = read_composed(material)
        if self._pictures.shape[1] < settings.crop_px:
            raise DataError(f"pictures of {self._pictures.shape[1]} px are too small for crops of {settings.crop_px}")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self._lpips = Lpips(lpips).to(self.device)
        self._detectors = [DetectorNetwork(path).to(self.device) for path in detectors]
        self.networks = nn.ModuleDict({"mender": Mender(settings.network)})
        self.networks.to(self.device, memory_format=torch.channels_last)
        digest = hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()
        what = {"composed": records, "composed_sha256": digest, "detectors": [path.name for path in detectors]}
        super().__init__(settings, self.networks, folder, what)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return what the mender tries to lower, and figures for people."""
        s = self.settings
        rng = np.random.default_rng((s.seed, self.step))
        crops = self._crops(rng)
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        lines = np.stack([contour_map(np.ascontiguousarray(crop[..., 4:])) for crop in crops])
        planes = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float() / 255
        composed, pixels = planes[:, :4].contiguous(memory_format=torch.channels_last), planes[:, 4:]
        shown = composed[:, :3]
        with mixed_precision(self.device):
            added = self.networks["mender"](composed)
        x_hat = shown + added.float()
        loss, figures = fidelity(
            s,
            self._lpips,
            pixels=pixels,
            contours=torch.from_numpy(lines).to(self.device)[:, None].float(),
            x_hat=x_hat,
            pattern_px=_PATTERN_PX,
            noise=noise,
        )
        figures["added_rms"] = added.detach().float().square().mean().sqrt().item() * 255
        if self._detectors:
            detected = self._detected(pixels, x_hat.clamp(0, 1), softly=rng.random() < _SEEN_SOFTLY)
            figures["detected"] = detected.item()
            loss = loss + s.detector_weight * detected
        return loss, figures

    def _detected(self, pixels: Tensor, shown: Tensor, *, softly: bool) -> Tensor:
        """Return how much of what a detector recognizes in the sources (B, 3, H, W) it does not in what is shown.

        The crops are laid beside each other on one picture.

        Args:
            pixels: The sources.
            shown: The same, mended.
            softly: Whether it sees them at half the resolution, where no pattern can deceive it.
        """
        detector = self._detectors[self.step % len(self._detectors)]
        across = math.isqrt(len(pixels) - 1) + 1
        seen = []
        for crops in (pixels, shown):
            rows = [torch.cat(list(crops[start : start + across]), 2) for start in range(0, len(crops), across)]
            rows[-1] = functional.pad(rows[-1], (0, rows[0].shape[2] - rows[-1].shape[2]))
            whole = functional.pad(torch.cat(rows, 1), (0, 0, 0, (across - len(rows)) * crops.shape[2]))[None]
            whole = functional.avg_pool2d(whole, 2) if softly else whole
            seen.append(functional.interpolate(whole, size=(detector.side_px, detector.side_px), mode="bilinear"))
        with mixed_precision(self.device):
            with torch.no_grad():
                true_verdict = detector(seen[0])
            return verdict_loss(true_verdict, detector(seen[1]))

    def _crops(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return crops (B, crop, crop, 7), aligned with the squares of the network, half of them mirrored."""
        s = self.settings
        fold, side = s.network.fold, self._pictures.shape[1]
        crops = np.empty((s.batch, s.crop_px, s.crop_px, 7), np.uint8)
        for row in range(s.batch):
            picture = self._pictures[rng.integers(len(self._pictures))]
            places = fold * rng.integers(0, (side - s.crop_px) // fold + 1, (_TRIED, 2))
            tried = [picture[y : y + s.crop_px, x : x + s.crop_px] for y, x in places]
            crop = max(tried, key=lambda each: int(each[..., 3].sum(dtype=np.int64)))
            crops[row] = crop[:, ::-1] if rng.random() < 0.5 else crop
        return crops


def load_mender(folder: Path) -> tuple[Mender, dict[str, Any]]:
    """Return the averaged mender of a run folder in evaluation mode, and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    if "composed" not in record:
        raise RunError(f"{folder} is no run of the network that mends composed pictures")
    mender = Mender(MenderSettings.model_validate(record["settings"]).network)
    prefix = "mender."
    mender.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state["average"].items() if name.startswith(prefix)}
    )
    return mender.eval(), record
