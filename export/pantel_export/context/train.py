"""Training of the context networks: what one step learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from pantel_codec.coding_table import CodingTable
from pantel_codec.entropy import LOWEST_LOG_SCALE, RESIDUAL_LIMIT, SCALE_LEVELS_PER_NEPER
from pantel_export.context.settings import ContextSettings
from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.losses import logistic_bits
from pantel_export.networks import CELL_PX, ERROR_BITS, ContextModel, SceneNetworks, spread_groups
from pantel_export.refinement.train import draw_block
from pantel_export.settings import NetworkSettings, TrainSettings
from pantel_export.train import crop_tensors, load_networks
from pantel_export.training_run import TrainingRun, load_run

__all__ = ["ContextTrainer", "TableBits", "load_context"]

_CODINGS = 2  # of each crop: to encode it takes as long as to learn from it
_LEAST_BITS = 0.3  # of a cell: what hardly costs anything is not all that counts


class ContextTrainer(TrainingRun):
    """A run of the context networks; transform and quantizer are frozen.

    While transforms are trained, noise stands for rounding, and the networks learn how that is distributed. What an
    encoder writes is distributed otherwise: most of it is nothing. So they learn again, from whole numbers (Guo et
    al., "Soft then hard: rethinking the quantization in neural image compression", 2021).
    """

    def __init__(
        self, settings: ContextSettings, scene_run: Path, counts: NDArray[np.int32], photos: PhotoSet, folder: Path
    ) -> None:
        """Begin with fresh networks.

        Args:
            settings: Of the run.
            scene_run: Run folder of the scene codec, or its 16-bit weights.
            counts: (tables, 33) int32, counts of the coding tables that the codec has so far.
            photos: What to learn from.
            folder: For the checkpoint and the record.
        """
        self.settings = settings
        self.photos = photos
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        frozen, self._scene_settings, record = load_networks(scene_run)
        self._frozen: SceneNetworks = frozen.to(self.device).requires_grad_(requires_grad=False)
        self.context = ContextModel(_network(self._scene_settings, settings)).to(self.device)
        self._table_bits = TableBits(counts, self.device)
        material = {
            "pictures": len(photos),
            "pictures_sha256": photos.fingerprint,
            "scene_run": {"step": record["step"], "settings": record["settings"]},
        }
        super().__init__(settings, self.context, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return what the values of the present step cost, in rate and in errors, and figures for people."""
        s, groups = self.settings, self._scene_settings.network.groups
        batch = self.photos.batch(size=s.batch, crop_px=s.crop_px, seed=s.seed, step=self.step + 1)
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        block, levels, _ = draw_block(_CODINGS * s.batch, len(groups), s.crop_px // CELL_PX, noise)
        available = (block * levels).to(self.device)
        quality = torch.rand(_CODINGS * s.batch, generator=noise).to(self.device)
        pixels, contours = crop_tensors(batch, self.device)
        with torch.no_grad():
            y = self._frozen.encoder(torch.cat([pixels, contours], 1)).repeat(_CODINGS, 1, 1, 1)
            targets = y * self._frozen.gain(quality)
        coded = self.context(targets, available, quality)
        distance = targets - coded.mean
        residual = (coded.values - coded.mean).detach().round()
        # Scales learn from the tables. These know only whole numbers, so means learn as if they moved a logistic.
        moved = residual + distance - distance.detach()
        slope = logistic_bits(moved, torch.zeros_like(moved), coded.log_scale.detach())
        bits = self._table_bits(residual, coded.log_scale) + slope - slope.detach()
        paid = spread_groups(available, groups)
        cells = available[:, 0].sum((1, 2))
        rate = (bits * paid).sum((1, 2, 3)) / cells
        error = ((residual - distance).square() * paid).sum((1, 2, 3)) / cells
        cost = rate + ERROR_BITS * error
        loss = (cost / cost.detach().clamp(min=_LEAST_BITS)).mean()
        figures = {"cost": cost.mean().item(), "bits": rate.mean().item(), "error": error.mean().item()}
        return loss, figures


class TableBits:
    """What whole numbers cost with the coding tables, as a function of the scale that chooses the table."""

    def __init__(self, counts: NDArray[np.int32], device: torch.device) -> None:
        """Take the tables.

        Args:
            counts: (tables, 33) int32.
            device: Where scales will be.
        """
        costs = np.stack([CodingTable.from_counts(row).cost_bits for row in counts]).astype(np.float32)
        self._costs = torch.from_numpy(costs).to(device)

    def __call__(self, residual: Tensor, log_scale: Tensor) -> Tensor:
        """Return the cost in bits of whole numbers, between tables that of a blend; escapes cost no more than 16.

        Args:
            residual: Any shape.
            log_scale: Same shape, natural logarithm of the scale.
        """
        last = len(self._costs) - 1
        position = ((log_scale - LOWEST_LOG_SCALE) * SCALE_LEVELS_PER_NEPER - 0.5).clamp(0, last - 1e-3)
        table = position.floor().long()
        share = position - table
        symbol = residual.long().clamp(-RESIDUAL_LIMIT, RESIDUAL_LIMIT) + RESIDUAL_LIMIT
        return torch.lerp(self._costs[table, symbol], self._costs[table + 1, symbol], share)


def load_context(folder: Path) -> tuple[ContextModel, NetworkSettings, dict[str, Any]]:
    """Return the averaged networks of a run folder in evaluation mode, their shape and the record of the run.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    try:
        settings = ContextSettings.model_validate(state["settings"])
        scene = TrainSettings.model_validate(record["scene_run"]["settings"])
    except (KeyError, ValidationError) as error:
        raise RunError(f"{folder} is no run of the context networks") from error
    network = _network(scene, settings)
    context = ContextModel(network)
    context.load_state_dict(state["average"])
    return context.eval(), network, record


def _network(scene: TrainSettings, settings: ContextSettings) -> NetworkSettings:
    """Return the shape of the networks of a scene codec with these context networks.

    Raises:
        RunError: They do not fit its groups.
    """
    context = {f"context_{key}": getattr(settings, key) for key in ("slices", "width", "reach")}
    network = scene.network.model_dump() | context
    try:
        return NetworkSettings.model_validate(network)
    except ValidationError as error:
        raise RunError(f"the context networks do not fit this codec: {error.errors()[0]['msg']}") from error
