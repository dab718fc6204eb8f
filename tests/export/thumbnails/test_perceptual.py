"""Training of the perceptual generator of thumbnails, on toy networks, with an LPIPS whose weights mean nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor

from pantel_export.__main__ import main
from pantel_export.errors import DataError, RunError
from pantel_export.perceptual.train import load_perceptual_generator
from pantel_export.thumbnails.augmentation import plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import ThumbnailGenerator
from pantel_export.thumbnails.perceptual import (
    ObjectDiscriminator,
    Onlookers,
    PerceptualThumbnailTrainer,
    load_perceptual_thumbnails,
)
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings
from pantel_export.thumbnails.shipped import ShippedThumbnails
from pantel_export.thumbnails.train import Batch, fingerprint, load_thumbnail_networks
from pantel_models import find_artefact
from pantel_models.thumbnails import CONDITIONS, RASTER_PX

NAME = find_artefact().name
CONFIGS = Path(__file__).parents[3] / "export" / "configs"
LAST_BIAS = "discriminator.body.8.bias"  # photographs push it up as much as generated ones down, as long as both count
Begin = Callable[..., PerceptualThumbnailTrainer]


def slopes(trainer: PerceptualThumbnailTrainer, part: str, step: int) -> dict[str, Tensor]:
    """Return the gradients of the generator or the discriminator at a step."""
    trainer.step = step
    trainer.networks.zero_grad()
    trainer.loss()[0].backward()
    return {name: value.grad.clone() for name, value in trainer.networks[part].named_parameters()}


def alike(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.allclose(value, other[name], rtol=1e-3, atol=1e-6) for name, value in one.items())


def scores(trainer: PerceptualThumbnailTrainer, crops: list[ObjectCrop]) -> tuple[float, float]:
    """Return the mean score of objects as they were photographed, and of the same as they are generated."""
    batch = Batch.of([plain(crop) for crop in crops], trainer.device)
    latents, side = trainer._received(batch, batch.pixels, np.random.default_rng(3))
    judge = trainer.networks["discriminator"].eval()
    with torch.no_grad():
        colour, alpha = trainer.networks["generator"](latents, batch.condition, side)
        photographed, generated = (
            float(judge(0.5 + mask * (pixels - 0.5), latents, batch.condition).mean())
            for pixels, mask in ((batch.pixels, batch.mask), (colour, alpha))
        )
    judge.train()
    return photographed, generated


def means(trainer: PerceptualThumbnailTrainer) -> dict[str, float]:
    """Return the mean figures of some steps that no training here comes to."""
    before, drawn = trainer.step, []
    with torch.no_grad():
        for trainer.step in range(1000, 1006):
            drawn.append(trainer.loss()[1])
    trainer.step = before
    return {name: float(np.mean([each[name] for each in drawn])) for name in drawn[0]}


def test_the_loss_of_a_step_is_finite_and_made_of_its_figures(begin: Begin) -> None:
    trainer = begin()
    for trainer.step in range(4):
        loss, figures = trainer.loss()
        assert all(np.isfinite(value) for value in figures.values())
        assert min(figures[name] for name in ("l1", "mask", "lpips", "display", "judge")) > 0
        fidelity = 6.0 * figures["l1"] + 1.0 * figures["mask"] + 1.0 * figures["lpips"]
        fidelity += 8.0 * figures["hue"] + 4.0 * figures["display"] + 0.1 * figures["detected"]
        assert figures["fidelity"] == pytest.approx(fidelity, rel=1e-4)
        dispute = figures["judge"] + (5.0 if trainer.step >= 2 else 0.0) * figures["fooled"]
        assert loss.item() == pytest.approx(fidelity + dispute, rel=1e-4)


@pytest.mark.parametrize(
    ("weight", "figure"),
    [
        ("l1_weight", "l1"),
        ("hue_weight", "hue"),
        ("mask_weight", "mask"),
        ("lpips_weight", "lpips"),
        ("display_weight", "display"),
        ("detector_weight", "detected"),
    ],
)
def test_every_weight_counts(
    begin: Begin, perceptual_settings: PerceptualThumbnailSettings, weight: str, figure: str
) -> None:
    plain, weighted = begin().loss()[1], begin(**{weight: 100.0}).loss()[1]
    more = (weighted["fidelity"] - plain["fidelity"]) / (100.0 - perceptual_settings.model_dump()[weight])
    assert more == pytest.approx(plain[figure], rel=1e-3)


def test_it_begins_as_the_faithful_generator_and_only_that_changes(begin: Begin, thumbnail_run: Path) -> None:
    faithful, _, _ = load_thumbnail_networks(thumbnail_run)
    trainer = begin()
    started = {key: value.clone() for key, value in trainer.networks.state_dict().items()}
    told = torch.randn(5, 8), torch.rand(5, CONDITIONS), torch.rand(5, 2)
    with torch.no_grad():
        for ours, theirs in zip(trainer.networks["generator"](*told), faithful.generator(*told), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)
            assert theirs.std() > 0.01
    assert (
        trainer.networks["generator"].blocks[0].first.weight.shape[0]
        > faithful.generator.blocks[0].first.weight.shape[0]
    )
    trainer.run()
    for name, parameter in trainer.networks.named_parameters():
        if name != LAST_BIAS:
            assert not torch.equal(parameter, started[name]), name
    for name, value in faithful.state_dict().items():
        if name.startswith("log_"):  # read from the steps of the quantizer, or not at all
            continue
        assert torch.equal(trainer._frozen.state_dict()[name].cpu(), value), name
    state = torch.load(trainer.folder / "checkpoint.pt", weights_only=True)
    assert {name.partition(".")[0] for name in state["networks"]} == {"generator", "discriminator"}


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(begin: Begin) -> None:
    whole = begin("whole")
    whole.run()
    begun = begin("parts")
    begun._train_step()
    begun.step += 1
    begun.save()
    resumed = begin("parts")
    assert resumed.resume()
    assert resumed.step == 1
    resumed.run()
    for key, value in whole.networks.state_dict().items():
        assert torch.equal(value, resumed.networks.state_dict()[key]), key
        assert torch.equal(whole.average[key], resumed.average[key]), key


def test_two_runs_of_one_seed_have_the_same_losses(begin: Begin) -> None:
    """Whatever the state of PyTorch's own generator of random numbers was."""

    def losses(name: str, **others: float) -> list[dict[str, float]]:
        trainer = begin(name, **others)
        torch.rand(7)
        found = []
        for trainer.step in range(3):
            found.append(trainer._train_step())
        return found

    first = losses("first")
    assert losses("again") == first
    assert first[0]["l1"] != first[1]["l1"]
    assert losses("other", seed=2)[0]["l1"] != first[0]["l1"]


def test_what_a_step_sees_depends_on_seed_and_step_alone(begin: Begin) -> None:
    trainer = begin()

    def figures(step: int) -> tuple[float, float]:
        trainer.step = step
        found = trainer.loss()[1]
        return found["fidelity"], found["mask"]

    first = figures(7)
    assert figures(8) != first
    assert figures(7) == first


def test_training_brings_generated_objects_nearer_to_photographed_ones(begin: Begin) -> None:
    """From random weights; the start as the faithful generator is far ahead of them."""
    trainer = begin(steps=15, learning_rate=5e-3, adversarial_weight=0.0)
    ahead = means(trainer)
    fresh = trainer._scale.network.model_copy(update={"generator_width": trainer.settings.generator_width})
    trainer.networks["generator"].load_state_dict(ThumbnailGenerator(fresh).state_dict())
    before = means(trainer)
    trainer.run()
    after = means(trainer)
    assert after["l1"] < 0.8 * before["l1"]
    assert after["lpips"] < 0.9 * before["lpips"]
    assert ahead["l1"] < 0.5 * before["l1"]
    assert ahead["mask"] < 0.7 * before["mask"]


def test_the_generator_heeds_the_discriminator_from_a_step_on(begin: Begin) -> None:
    """Until then, and never the other way round, neither feels the weight of their dispute."""
    for step in (1, 2):
        judged, otherwise, not_at_all = begin(), begin(), begin(adversarial_weight=0.0)
        otherwise.networks["discriminator"].load_state_dict(ObjectDiscriminator(8).state_dict())
        ours, others, free = (slopes(each, "generator", step) for each in (judged, otherwise, not_at_all))
        assert alike(ours, others) == alike(ours, free) == (step == 1)
    with_weight, without = begin(), begin(adversarial_weight=0.0)
    dispute = slopes(with_weight, "discriminator", 2)
    assert alike(dispute, slopes(without, "discriminator", 2))
    assert all(slope.abs().max() > 0 for name, slope in dispute.items() if f"discriminator.{name}" != LAST_BIAS)


@pytest.mark.parametrize(("part", "figure"), [("discriminator", "judge"), ("generator", "fooled")])
def test_each_side_of_the_dispute_gets_what_it_is_after(
    begin: Begin, crops: list[ObjectCrop], part: str, figure: str
) -> None:
    """The discriminator better scores for photographed than for generated objects, the generator better ones."""
    trainer = begin(batch=24, adversarial_weight=1e4)
    before = scores(trainer, crops)
    downhill = slopes(trainer, part, 2)
    length = torch.stack([slope.norm() for slope in downhill.values()]).norm()
    lost = trainer.loss()[1][figure]
    with torch.no_grad():
        for name, parameter in trainer.networks[part].named_parameters():
            parameter.sub_(0.2 * downhill[name] / length)
    assert trainer.loss()[1][figure] < lost - 0.01
    after = scores(trainer, crops)
    if part == "discriminator":
        assert after[0] - after[1] > before[0] - before[1] + 0.01
    else:
        assert after[1] > before[1] + 0.003


@pytest.mark.parametrize("score", [-10.0, 10.0])
def test_a_discriminator_that_scores_everything_alike_pays_for_one_half(begin: Begin, score: float) -> None:
    """By a hinge: what is photographed should have more than 1, what is generated less than -1."""
    trainer = begin()
    torch.nn.init.constant_(trainer.networks["discriminator"].body[8].bias, score)
    figures = trainer.loss()[1]
    assert figures["judge"] == pytest.approx(11, abs=1)
    assert figures["fooled"] == pytest.approx(-score, abs=1)


def test_a_discriminator_has_a_score_for_each_patch_and_is_told_latents_and_condition() -> None:
    torch.manual_seed(1)
    judge = ObjectDiscriminator(8).eval()
    x, told = torch.rand(2, 3, RASTER_PX, RASTER_PX), [torch.randn(2, 8), torch.rand(2, CONDITIONS)]
    scores = judge(x, *told)
    assert scores.shape == (2, 1, 2, 2)
    corner = x.clone()
    corner[0, :, -4:, -4:] = 1 - corner[0, :, -4:, -4:]
    moved = (judge(corner, *told) - scores).abs()[:, 0]
    assert moved[0, 1, 1] > 3 * moved[0, 0, 0]
    assert moved[1].max() == 0
    for index in range(2):
        other = [each.clone() for each in told]
        other[index][0] += 1
        moved = (judge(x, *other) - scores).abs()[:, 0]
        assert moved[0].max() > 0
        assert moved[1].max() == 0


def test_a_run_keeps_the_averaged_generator_and_what_it_builds_on(
    begin: Begin, shipped: ShippedThumbnails, thumbnail_run: Path, crops: list[ObjectCrop]
) -> None:
    trainer = begin()
    trainer.run()
    generator, record = load_perceptual_thumbnails(trainer.folder)
    assert not generator.training
    for name, value in generator.state_dict().items():
        assert torch.equal(value, trainer.average[f"generator.{name}"].cpu()), name
    built_on = json.loads((thumbnail_run / "record.json").read_text())
    assert record["thumbnails"] == {"sha256": shipped.sha256, "settings": built_on["settings"]}
    assert record["begun_as_sha256"] is None
    assert (record["objects"], record["objects_sha256"]) == (24, fingerprint(crops))
    assert record["settings"] == trainer.settings.model_dump(mode="json")


def test_runs_of_other_kinds_are_refused(begin: Begin, thumbnail_run: Path, scene_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="train first"):
        load_perceptual_thumbnails(tmp_path)
    for other in (thumbnail_run, scene_run):
        with pytest.raises(RunError, match=f"{other} is no run of the perceptual generator of thumbnails"):
            load_perceptual_thumbnails(other)
    begin().save()
    with pytest.raises(RunError, match="is no run of the perceptual generator"):
        load_perceptual_generator(tmp_path / "run")
    with pytest.raises(RunError, match="is no run of thumbnails"):
        load_thumbnail_networks(tmp_path / "run")
    with pytest.raises(RunError, match="was made with other settings"):
        begin(seed=2).resume()


def test_what_it_builds_on_is_checked(
    shipped: ShippedThumbnails, onlookers: Onlookers, crops: list[ObjectCrop], tmp_path: Path
) -> None:
    def begin(**others: Any) -> None:
        settings = PerceptualThumbnailSettings(steps=1)
        PerceptualThumbnailTrainer(settings, shipped, replace(onlookers, **others), crops, tmp_path / "run")

    with pytest.raises(DataError, match="does not hold the weights of LPIPS"):
        begin(lpips=tmp_path / "nowhere.npz")
    with pytest.raises(DataError, match=r"nowhere\.onnx cannot be read"):
        begin(detectors=[tmp_path / "nowhere.onnx"])


def test_the_settings_of_the_shipped_generator_are_valid() -> None:
    settings = PerceptualThumbnailSettings.from_toml(CONFIGS / "perceptual-thumbnails-v3.toml")
    assert settings.adversarial_from_step < settings.steps


def test_the_workshop_trains_and_continues(
    bare: Path, tmp_path: Path, onlookers: Onlookers, paint: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    paint(tmp_path, "one", ["2 0.25 0.5 0.25 0.25", "16 0.75 0.5 0.25 0.375"], (60, 80, 60, 40), (180, 80, 60, 60))
    photos, boxes, masks = (tmp_path / kind for kind in ("photos", "boxes", "masks"))
    config, run = tmp_path / "settings.toml", tmp_path / "run"
    objects = ["--objects", f"{photos}:{boxes}", "--masked", f"{photos}:{masks}"]
    config.write_text("steps = 2\nbatch = 1\ngenerator_width = [8, 8, 6, 4]\n")
    command = ["train-perceptual-thumbnails", "--config", str(config), "--lpips", str(onlookers.lpips), *objects]
    command += ["--detectors", *map(str, onlookers.detectors), "--photos", str(photos)]
    command += ["--name", NAME, "--artefacts", str(bare), "--out", str(run)]
    assert main(command) == 0
    assert capsys.readouterr().out == f"objects=4 out={run}\n"
    _, record = load_perceptual_thumbnails(run)
    assert (record["step"], record["objects"]) == (2, 4)
    assert main(command) == 0
    assert capsys.readouterr().out == f"objects=4 out={run}\nresumed step=2\n"
    assert main([*command, "--go-on", "--out", str(tmp_path / "other")]) == 1
    assert f"{NAME} has no perceptual generator of thumbnails to begin as" in capsys.readouterr().err
