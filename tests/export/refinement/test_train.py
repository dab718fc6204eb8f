"""Training of the refinement context, with networks of toy size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.__main__ import main
from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.refinement.settings import RefinementSettings
from pantel_export.refinement.train import RefinementTrainer, draw_block, draw_ladder, load_refinement

CONFIGS = Path(__file__).parents[3] / "export" / "configs"
SETTINGS = RefinementSettings(steps=3, batch=2, crop_px=96, warmup_steps=1, width=8)
Begin = Callable[..., RefinementTrainer]


@pytest.fixture
def begin(scene_run: Path, photos: PhotoSet, tmp_path: Path) -> Begin:
    """Return a function that begins a run in a folder of that name."""

    def run(name: str = "run", **others: float) -> RefinementTrainer:
        return RefinementTrainer(SETTINGS.model_copy(update=others), scene_run, photos, tmp_path / name)

    return run


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(begin: Begin) -> None:
    whole = begin("whole")
    whole.run()
    begun = begin("parts")
    begun._train_step()
    begun.step += 1
    begun.save()
    resumed = begin("parts")
    assert resumed.resume()
    resumed.run()
    for key, value in whole.context.state_dict().items():
        assert torch.equal(value, resumed.context.state_dict()[key]), key
        assert torch.equal(whole.average[key], resumed.average[key]), key


def test_all_of_it_learns_and_what_it_builds_on_stays(begin: Begin) -> None:
    trainer = begin(steps=6)
    frozen = {key: value.clone() for key, value in trainer._frozen.state_dict().items()}
    started = {key: value.clone() for key, value in trainer.context.state_dict().items()}
    trainer.run()
    for name, parameter in trainer.context.named_parameters():
        assert not torch.equal(parameter, started[name]), name
    for name, value in frozen.items():
        assert torch.equal(trainer._frozen.state_dict()[name], value), name


def test_what_a_step_sees_depends_on_seed_and_step_alone(begin: Begin) -> None:
    trainer, other = begin(), begin("other", seed=2)
    other.context.load_state_dict(trainer.context.state_dict())

    def rate(run: RefinementTrainer, step: int) -> float:
        run.step = step
        return run.loss()[1]["bpp"]

    torch.manual_seed(99)
    first = rate(trainer, 7)
    assert rate(trainer, 8) != first
    assert rate(trainer, 7) == first
    assert rate(other, 7) != first


def test_the_rate_falls(begin: Begin) -> None:
    trainer = begin(steps=60, learning_rate=1e-2)

    def rate() -> float:
        rates = []
        for trainer.step in range(100, 110):
            with torch.no_grad():
                rates.append(trainer.loss()[1]["loss"])
        trainer.step = 0
        return sum(rates)

    before = rate()
    trainer.run()
    assert rate() < 0.95 * before


def test_blocks_lie_in_the_crop_and_hold_no_more_than_is_coded() -> None:
    block, levels, held = draw_block(400, 4, 6, torch.Generator().manual_seed(1))
    assert block.shape == (400, 1, 6, 6)
    sizes = block.sum((1, 2, 3))
    assert sizes.min() >= 1
    assert 0.3 < (sizes == 36).float().mean() < 0.7
    assert (held <= levels).all()
    assert (held[:, 0] == 1).all()
    for planes in (levels, held):
        assert (planes[:, 1:] <= planes[:, :-1]).all()  # nested
    for corner in (block[:, :, 0, 0], block[:, :, -1, -1]):
        assert 0.4 < corner.mean() < 0.95


def test_a_ladder_goes_up() -> None:
    settings = RefinementSettings(batch=500, crop_px=96)
    quality, base, oldest = draw_ladder(settings, torch.Generator().manual_seed(1))
    assert oldest.min() >= 0
    assert quality.max() <= 1
    assert (quality - base >= settings.smallest_gap - 1e-6).all()
    assert (quality - base <= settings.largest_gap + 1e-6).all()
    assert (base >= oldest).all()


def test_the_settings_of_the_shipped_context_are_valid() -> None:
    for path in CONFIGS.glob("refinement-*.toml"):
        assert RefinementSettings.from_toml(path).steps > 0


def test_the_command_trains(scene_run: Path, photo_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "toy.toml"
    config.write_text("steps = 1\nbatch = 1\ncrop_px = 96\nwidth = 4\n")
    out = tmp_path / "run"
    arguments = ["--config", config, "--scene-run", scene_run, "--photos", photo_folder, "--out", out]
    assert main(["train-refinement", *map(str, arguments)]) == 0
    context, settings, record = load_refinement(out)
    assert settings.width == 4
    assert record["step"] == 1
    assert not context.training


def test_a_run_of_something_else_is_refused(scene_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run of the refinement context"):
        load_refinement(scene_run)
    with pytest.raises(RunError, match="train first"):
        load_refinement(tmp_path)
