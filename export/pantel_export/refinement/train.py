"""Training of the refinement context: what one step learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.losses import logistic_bits
from pantel_export.networks import CELL_PX, SceneNetworks, spread_groups
from pantel_export.refinement.networks import Base, RefinementContext
from pantel_export.refinement.settings import RefinementSettings
from pantel_export.settings import TrainSettings
from pantel_export.train import crop_tensors, load_networks
from pantel_export.training_run import TrainingRun, load_run

__all__ = ["RefinementTrainer", "load_refinement"]


class RefinementTrainer(TrainingRun):
    """A run of the refinement context; transform, quantizer and the context of other cells are frozen.

    The base of half of the crops is a refinement itself, by the network as it is: so it learns what follows what.
    """

    def __init__(self, settings: RefinementSettings, scene_run: Path, photos: PhotoSet, folder: Path) -> None:
        self.settings = settings
        self.photos = photos
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        frozen, self._scene_settings, record = load_networks(scene_run)
        self._frozen: SceneNetworks = frozen.to(self.device).requires_grad_(requires_grad=False)
        self.context = RefinementContext(self._scene_settings.network, settings.width).to(self.device)
        material = {
            "pictures": len(photos),
            "pictures_sha256": photos.fingerprint,
            "scene_run": {"step": record["step"], "settings": record["settings"]},
        }
        super().__init__(settings, self.context, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the rate of the present step, and figures for people."""
        s = self.settings
        batch = self.photos.batch(size=s.batch, crop_px=s.crop_px, seed=s.seed, step=self.step + 1)
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        pixels, contours = crop_tensors(batch, self.device)
        groups = self._scene_settings.network.groups
        block, levels, base_levels = draw_block(s.batch, len(groups), s.crop_px // CELL_PX, noise)
        quality, base_quality, oldest_quality = draw_ladder(s, noise)
        jitter = (torch.rand((s.batch, sum(groups), *block.shape[-2:]), generator=noise) - 0.5).to(self.device)
        refined_base = bool(torch.rand(1, generator=noise) < 0.5)
        available, held = (block * nested.to(self.device) for nested in (levels, base_levels))
        quality, base_quality, oldest_quality = (q.to(self.device) for q in (quality, base_quality, oldest_quality))

        with torch.no_grad():
            y = self._frozen.encoder(torch.cat([pixels, contours], 1))
            gain, base_gain, oldest_gain = (self._frozen.gain(q) for q in (quality, base_quality, oldest_quality))
            if refined_base:
                oldest = self._frozen.context(y * oldest_gain, held, oldest_quality).values / oldest_gain
                known = Base(oldest * base_gain * spread_groups(held, groups), held, oldest_quality)
                base = self.context(y * base_gain, known, held, base_quality).values / base_gain
            else:
                base = self._frozen.context(y * base_gain, held, base_quality).values / base_gain
        known = Base(base * gain * spread_groups(held, groups), held, base_quality)
        scaled = y * gain
        coded = self.context(scaled, known, available, quality)
        paid = spread_groups(available, groups)
        bits = logistic_bits(scaled + jitter, coded.mean, coded.log_scale) * paid
        share = available[:, 0].mean((1, 2))
        bpp = bits.sum((1, 2, 3)) / (s.crop_px**2 * share)
        loss = (bpp * self._rate_weight(quality).sqrt()).mean()
        error = ((coded.values - scaled).square() * paid).sum() / paid.sum()
        return loss, {"loss": loss.item(), "bpp": bpp.mean().item(), "steps_rms": error.sqrt().item()}

    def _rate_weight(self, quality: Tensor) -> Tensor:
        """Return lambda at each quality in 0..1, as in the training of the scene codec."""
        low, high = self._scene_settings.rate_weight_low, self._scene_settings.rate_weight_high
        return low * (high / low) ** quality


def draw_block(size: int, groups: int, cells: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw which cells are refined, and which of their levels.

    Returns:
        block: (B, 1, cells, cells) of 0 and 1; all cells of half of the crops, a rectangle of the others.
        levels: (B, groups, 1, 1) of 0 and 1, nested: those that are coded.
        base_levels: Same shape: those that are held, never more.
    """
    block = torch.ones(size, 1, cells, cells)
    counts = torch.full((size, 2), groups)
    for i in range(size):
        whole, all_coded, all_held = torch.rand(3, generator=generator).tolist()
        if whole < 0.5:
            rows, columns = torch.randint(1, cells + 1, (2,), generator=generator).tolist()
            row = int(torch.randint(cells - rows + 1, (1,), generator=generator))
            column = int(torch.randint(cells - columns + 1, (1,), generator=generator))
            block[i] = 0
            block[i, :, row : row + rows, column : column + columns] = 1
        if all_coded < 0.3:
            counts[i] = int(torch.randint(1, groups + 1, (1,), generator=generator))
        if all_held < 0.5:
            counts[i, 1] = int(torch.randint(1, int(counts[i, 0]) + 1, (1,), generator=generator))
    index = torch.arange(groups)
    levels, base_levels = ((index < counts[:, k : k + 1]).float()[..., None, None] for k in range(2))
    return block, levels, base_levels


def draw_ladder(settings: RefinementSettings, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw qualities (B,) in 0..1: of the refinement, of its base, and of what that may be the refinement of."""
    quality, gap, earlier = torch.rand(3, settings.batch, generator=generator)
    smallest, largest = settings.smallest_gap, settings.largest_gap
    quality = smallest + (1 - smallest) * quality
    base = (quality - smallest - (largest - smallest) * gap).clamp(min=0)
    oldest = (base - smallest - (largest - smallest) * earlier).clamp(min=0)
    return quality, base, oldest


def load_refinement(folder: Path) -> tuple[RefinementContext, RefinementSettings, dict[str, Any]]:
    """Return the averaged context of a run folder in evaluation mode, its settings and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    try:
        settings = RefinementSettings.model_validate(state["settings"])
        scene = TrainSettings.model_validate(record["scene_run"]["settings"])
    except (KeyError, ValidationError) as error:
        raise RunError(f"{folder} is no run of the refinement context") from error
    context = RefinementContext(scene.network, settings.width)
    context.load_state_dict(state["average"])
    return context.eval(), settings, record
