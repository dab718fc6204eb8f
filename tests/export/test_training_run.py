"""The loop that all trainings share, around a straight line that is learned in moments."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor, nn

from pantel_export.errors import RunError
from pantel_export.settings import TrainSettings
from pantel_export.training_run import TrainingRun, load_run

MATERIAL = {"pictures": 3}


class InterruptionError(Exception):
    """Somebody pulls the plug."""


class Line(TrainingRun):
    """Learns y = 2 x + 1 from points that depend on the seed and the step."""

    def __init__(self, settings: TrainSettings, folder: Path, *, ends_at: int | None = None) -> None:
        torch.manual_seed(settings.seed)
        self.network = nn.Linear(1, 1)
        self.seed = settings.seed
        self.ends_at = ends_at
        self.rates: list[float] = []
        super().__init__(settings, self.network, folder, MATERIAL)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        if self.step == self.ends_at:
            raise InterruptionError
        self.rates.append(self._optimizer.param_groups[0]["lr"])
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(self.seed * 1000 + self.step))
        loss = ((self.network(x) - (2 * x + 1)) ** 2).mean()
        return loss, {"loss": loss.item(), "count": float(self.step)}


def settings(**others: float) -> TrainSettings:
    return TrainSettings.model_validate({"steps": 40, "warmup_steps": 4, "learning_rate": 0.05, **others})


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole = Line(settings(), tmp_path / "whole")
    whole.run()
    begun = Line(settings(), tmp_path / "parts", ends_at=17)
    with pytest.raises(InterruptionError):
        begun.run()
    begun.save()
    resumed = Line(settings(), tmp_path / "parts")
    assert resumed.resume()
    assert resumed.step == 17
    resumed.run()
    assert begun.rates + resumed.rates == whole.rates
    assert_same(whole.network.state_dict(), resumed.network.state_dict())
    assert_same(whole.average, resumed.average)
    assert_same(load_run(tmp_path / "whole")[0]["average"], load_run(tmp_path / "parts")[0]["average"])


def test_an_interrupted_run_goes_on_from_its_last_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InterruptionError):
        Line(settings(steps=1200), tmp_path, ends_at=1050).run()
    again = Line(settings(steps=1200), tmp_path)
    assert again.resume()
    assert again.step == 1000
    again.run()
    steps = list(range(200, 1201, 200))
    assert [entry["step"] for entry in again.history] == steps
    printed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == [f"step={step}" for step in steps]


def test_a_run_learns_and_reports_what_its_steps_say_on_average(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Line(settings(steps=400), tmp_path)
    run.run()
    assert run.network.weight.item() == pytest.approx(2, abs=0.01)
    assert run.network.bias.item() == pytest.approx(1, abs=0.01)
    first, second = run.history
    assert [first["step"], second["step"]] == [200, 400]
    assert [first["count"], second["count"]] == pytest.approx([99.5, 299.5])
    assert first["loss"] > 10 * second["loss"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"step=200 loss={first['loss']:.4f} count=99.5000 steps_per_s=")
    assert len(lines) == 2


def test_the_learning_rate_rises_and_falls(tmp_path: Path) -> None:
    run = Line(settings(steps=44, final_learning_rate=0.01), tmp_path)
    run.run()
    assert run.rates[:4] == pytest.approx([0.0125, 0.025, 0.0375, 0.05])
    assert run.rates[4] == pytest.approx(0.05)
    assert run.rates[24] == pytest.approx(0.03)  # half-way along a cosine
    assert run.rates[14] == pytest.approx(0.01 + 0.04 * 0.5 * (1 + math.cos(math.pi / 4)))
    assert run.rates[-1] == pytest.approx(0.01, abs=1e-3)
    assert all(a >= b for a, b in zip(run.rates[4:], run.rates[5:], strict=False))


def lag(folder: Path, ema_decay: float) -> float:
    """Return how far the average is behind weights that are still on their way."""
    run = Line(settings(steps=191, learning_rate=0.002, final_learning_rate=0.002, ema_decay=ema_decay), folder)
    run.run()
    assert run.network.weight.item() < 1.5
    return float(run.network.weight.item()) - float(run.average["weight"].item())


def test_the_average_forgets_with_every_step(tmp_path: Path) -> None:
    """However often it is brought up to date."""
    assert lag(tmp_path, 0.5) == pytest.approx(0, abs=1e-3)
    assert lag(tmp_path, 0.95) == pytest.approx(0.002 * 10 * 0.6 / (1 - 0.6), rel=0.2)
    assert lag(tmp_path, 0.95) < lag(tmp_path, 0.99999) < 0.05  # early steps hardly count all the same


def test_other_settings_do_not_resume_a_run(tmp_path: Path) -> None:
    assert not Line(settings(), tmp_path).resume()
    Line(settings(), tmp_path).save()
    with pytest.raises(RunError, match="was made with other settings"):
        Line(settings(learning_rate=0.04), tmp_path).resume()


def test_the_record_says_what_was_done(tmp_path: Path) -> None:
    run = Line(settings(steps=200), tmp_path / "new" / "run")
    run.run()
    assert {path.name for path in run.folder.iterdir()} == {"checkpoint.pt", "record.json"}
    state, record = load_run(run.folder)
    assert record == json.loads((run.folder / "record.json").read_text())
    assert record["pictures"] == 3
    assert record["settings"] == settings(steps=200).model_dump(mode="json") == state["settings"]
    assert record["step"] == state["step"] == 200
    assert record["history"] == run.history
    assert record["torch"] == torch.__version__
    assert_same(state["networks"], run.network.state_dict())


def test_earlier_weights_begin_a_run(tmp_path: Path) -> None:
    earlier, later = Line(settings(), tmp_path), Line(settings(seed=9), tmp_path)
    later.warm_start(earlier.network.state_dict())
    assert_same(later.network.state_dict(), earlier.network.state_dict())
    assert_same(later.average, earlier.network.state_dict())
    later.run()
    assert not torch.equal(later.network.weight, earlier.network.weight)
    named = load_run(later.folder)[1]["warm_start_sha256"]
    assert len(named) == 64
    again = Line(settings(seed=9), tmp_path)
    assert again.resume()
    again.save()
    assert load_run(again.folder)[1]["warm_start_sha256"] == named


def test_a_folder_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no checkpoint\.pt in .*; train first"):
        load_run(tmp_path)


def test_a_place_that_cannot_be_a_folder_is_said_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    run = Line(TrainSettings(steps=2, crop_px=96), tmp_path / "taken")
    with pytest.raises(RunError, match="another --out"):
        run.run()
    assert run.step == 0
