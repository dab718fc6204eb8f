"""Training of the context networks alone, with networks of toy size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec.coding_table import CodingTable
from pantel_export.context.settings import ContextSettings
from pantel_export.context.train import ContextTrainer, TableBits, load_context
from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.tables import logistic_counts

CONFIGS = Path(__file__).parents[3] / "export" / "configs"
SETTINGS = ContextSettings(
    steps=3, batch=2, crop_px=96, warmup_steps=1, slices=(2, 1, 2), width=(8, 4, 6), reach=(1, 1, 2)
)
Begin = Callable[..., ContextTrainer]


@pytest.fixture
def begin(scene_run: Path, photos: PhotoSet, tmp_path: Path) -> Begin:
    """Return a function that begins a run in a folder of that name."""

    def run(name: str = "run", **others: object) -> ContextTrainer:
        settings = SETTINGS.model_copy(update=others)
        return ContextTrainer(settings, scene_run, logistic_counts(), photos, tmp_path / name)

    return run


def test_nothing_but_the_context_is_trained(begin: Begin) -> None:
    trainer = begin()
    frozen = {key: value.clone() for key, value in trainer._frozen.state_dict().items()}
    before = {key: value.clone() for key, value in trainer.context.state_dict().items()}
    trainer.run()
    assert all(torch.equal(value, frozen[key]) for key, value in trainer._frozen.state_dict().items())
    assert any(not torch.equal(value, before[key]) for key, value in trainer.context.state_dict().items())


def test_a_step_is_a_function_of_seed_and_number(begin: Begin) -> None:
    trainer, other = begin(), begin("other", seed=2)
    other.context.load_state_dict(trainer.context.state_dict())

    def cost(run: ContextTrainer, step: int) -> float:
        run.step = step
        return run.loss()[1]["cost"]

    torch.manual_seed(99)
    first = cost(trainer, 7)
    assert cost(trainer, 8) != first
    assert cost(trainer, 7) == first
    assert cost(other, 7) != first


def test_the_cost_falls(begin: Begin) -> None:
    trainer = begin(steps=60, learning_rate=1e-2)

    def cost() -> float:
        costs = []
        for trainer.step in range(100, 110):
            with torch.no_grad():
                costs.append(trainer.loss()[1]["cost"])
        trainer.step = 0
        return sum(costs)

    before = cost()
    trainer.run()
    assert cost() < 0.95 * before


def test_costs_are_those_of_the_tables_and_lie_between_them() -> None:
    counts = logistic_counts()
    bits = TableBits(counts, torch.device("cpu"))
    tables = [CodingTable.from_counts(row).cost_bits for row in counts]
    residual = torch.tensor([0.0, 1.0, -3.0, 40.0])
    index = [16, 17, 13, 32]
    for table in (0, 20, 47):
        middle = torch.full((4,), -3 + (table + 0.5) / 8)  # of the scales that choose the table
        np.testing.assert_allclose(bits(residual, middle), tables[table][index], rtol=1e-3)
    between = bits(residual, torch.full((4,), -3 + 21 / 8))
    np.testing.assert_allclose(between, (tables[20] + tables[21])[index] / 2, rtol=1e-4)
    np.testing.assert_allclose(bits(residual, torch.full((4,), -9.0)), tables[0][index], rtol=1e-4)


def test_scales_and_means_learn(begin: Begin) -> None:
    trainer = begin()
    head = trainer.context.nets[0].head
    with torch.no_grad():
        head.bias.fill_(0.3)
    trainer.loss()[0].backward()
    mean, scale = head.bias.grad.chunk(2)
    assert mean.abs().min() > 0
    assert scale.abs().min() > 0


def test_the_settings_of_the_shipped_networks_are_valid() -> None:
    for path in CONFIGS.glob("context-*.toml"):
        assert ContextSettings.from_toml(path).steps > 0


def test_networks_that_do_not_fit_the_codec_are_refused(begin: Begin) -> None:
    with pytest.raises(RunError, match="do not cut groups"):
        begin(slices=(3, 2), width=(8, 8), reach=(1, 1))


def test_a_run_of_something_else_is_refused(scene_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run of the context networks"):
        load_context(scene_run)
    with pytest.raises(RunError, match="train first"):
        load_context(tmp_path)
