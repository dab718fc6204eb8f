"""Training of the perceptual generator, with networks of toy size and an LPIPS whose weights mean nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor

from pantel_export.__main__ import main
from pantel_export.data import PhotoSet
from pantel_export.errors import DataError, RunError
from pantel_export.perceptual.discriminator import PatchDiscriminator
from pantel_export.perceptual.settings import PerceptualSettings
from pantel_export.perceptual.train import PerceptualTrainer, load_perceptual_generator
from pantel_export.train import load_networks

CONFIGS = Path(__file__).parents[3] / "export" / "configs"
SETTINGS = PerceptualSettings(
    steps=3, batch=2, crop_px=96, warmup_steps=1, adversarial_from_step=2, adversarial_weight=5.0
)
LAST_BIAS = "discriminator.body.6.bias"  # photographs push it up as much as generated ones down, as long as both count
WEIGHTS = ("l1_weight", "contour_weight", "ms_ssim_weight", "lpips_weight")
Begin = Callable[..., PerceptualTrainer]


@pytest.fixture
def begin(scene_run: Path, lpips_file: Path, photos: PhotoSet, tmp_path: Path) -> Begin:
    """Return a function that begins a run in a folder of that name."""

    def run(name: str = "run", **others: float) -> PerceptualTrainer:
        settings = SETTINGS.model_copy(update=others)
        return PerceptualTrainer(settings, scene_run, lpips_file, photos, tmp_path / name)

    return run


def slopes(trainer: PerceptualTrainer, part: str, step: int) -> dict[str, Tensor]:
    """Return the gradients of the generator or the discriminator at a step."""
    trainer.step = step
    trainer.networks.zero_grad()
    trainer.loss()[0].backward()
    return {name: value.grad.clone() for name, value in trainer.networks[part].named_parameters()}


def alike(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.allclose(value, other[name], rtol=1e-3, atol=1e-6) for name, value in one.items())


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


def test_it_begins_as_the_faithful_generator_and_only_that_changes(begin: Begin, scene_run: Path) -> None:
    faithful, _, _ = load_networks(scene_run)
    trainer = begin()
    started = {key: value.clone() for key, value in trainer.networks.state_dict().items()}
    for name, value in faithful.generator.state_dict().items():
        assert torch.equal(started[f"generator.{name}"], value), name
    trainer.run()
    for name, parameter in trainer.networks.named_parameters():
        if name != LAST_BIAS:
            assert not torch.equal(parameter, started[name]), name
    for name, value in faithful.state_dict().items():
        assert torch.equal(trainer._frozen.state_dict()[name], value), name
    state = torch.load(trainer.folder / "checkpoint.pt", weights_only=True)
    assert {name.partition(".")[0] for name in state["networks"]} == {"generator", "discriminator"}


def test_what_a_step_sees_depends_on_seed_and_step_alone(begin: Begin) -> None:
    trainer, other = begin(), begin("other", seed=2)
    other.networks.load_state_dict(trainer.networks.state_dict())

    def figures(run: PerceptualTrainer, step: int) -> tuple[float, float, float]:
        run.step = step
        found = run.loss()[1]
        return found["fidelity"], found["lpips"], found["psnr"]

    torch.manual_seed(99)
    first = figures(trainer, 7)
    assert figures(trainer, 8) != first
    assert figures(trainer, 7) == first
    assert figures(other, 7) != first


def test_the_generator_heeds_the_discriminator_from_a_step_on(begin: Begin) -> None:
    """Until then, and never the other way round, neither feels the weight of their dispute."""
    for step in (1, 2):
        judged, otherwise, not_at_all = begin(), begin(), begin(adversarial_weight=0.0)
        otherwise.networks["discriminator"].load_state_dict(PatchDiscriminator(5).state_dict())
        ours, others, free = (slopes(each, "generator", step) for each in (judged, otherwise, not_at_all))
        assert alike(ours, others) == alike(ours, free) == (step == 1)
    with_weight, without = begin(), begin(adversarial_weight=0.0)
    dispute = slopes(with_weight, "discriminator", 2)
    assert alike(dispute, slopes(without, "discriminator", 2))
    assert all(slope.abs().max() > 0 for name, slope in dispute.items() if f"discriminator.{name}" != LAST_BIAS)


def test_some_missing_cells_are_what_half_the_resolution_shows(begin: Begin) -> None:
    trainer = begin(enlarged_crops=1)
    torch.manual_seed(1)
    pixels = trainer.photos.batch(size=2, crop_px=96, seed=1, step=1).pixels
    seen_whole = seen_partly = False
    for seed in range(8):
        y_hat, side = torch.randn(2, 5, 6, 6), torch.ones(2, 3, 6, 6)
        y_hat[:, :, 2:4], side[:, :2, 2:4] = 0, 0
        side[:, 2] = 0.4
        before = y_hat.clone(), side.clone()
        trainer._enlarge(y_hat, side, pixels[:1], torch.Generator().manual_seed(seed))
        changed = (y_hat != before[0]).any(1)
        assert not changed[1].any()  # only the first crop
        assert torch.equal(side[1], before[1][1])
        assert changed[0, 2:4].all()
        assert (side[0, :, changed[0]] == 1).all()
        seen_whole |= bool(changed[0].all())
        seen_partly |= not changed[0, :2].any() and torch.equal(side[0, :, :2], before[1][0, :, :2])
    assert seen_whole
    assert seen_partly


def test_quality_and_losses_vary_from_step_to_step(
    scene_run: Path, lpips_file: Path, tmp_path: Path, photo_folder: Path
) -> None:
    """Even where the photographs do not."""
    (tmp_path / "one").mkdir()
    photo = cv2.imread(str(photo_folder / "1.png"))
    assert photo is not None
    assert cv2.imwrite(str(tmp_path / "one" / "square.png"), photo[:96, :96] // 2 + photo[:96, 95::-1] // 2)
    photos = PhotoSet([tmp_path / "one"], minimum_px=96)
    trainer = PerceptualTrainer(SETTINGS.model_copy(update={"batch": 1}), scene_run, lpips_file, photos, tmp_path)
    psnr: dict[bytes, set[float]] = {}
    for trainer.step in range(6):
        seen = photos.batch(size=1, crop_px=96, seed=1, step=trainer.step + 1)
        psnr.setdefault(seen.pixels.tobytes() + seen.contours.tobytes(), set()).add(trainer.loss()[1]["psnr"])
    assert len(psnr) < 6
    assert max(len(values) for values in psnr.values()) > 1


def test_every_weight_counts(begin: Begin, photos: PhotoSet) -> None:
    def has_contours(step: int) -> bool:
        return bool(photos.batch(size=2, crop_px=96, seed=1, step=step + 1).contours.any())

    def figures(**weights: float) -> dict[str, float]:
        trainer.settings = SETTINGS.model_copy(update=weights)
        return trainer.loss()[1]

    trainer = begin()
    trainer.step = next(filter(has_contours, range(100)))
    plain = figures()
    fidelity = {name: figures(**{name: 100.0})["fidelity"] for name in WEIGHTS}
    assert all(value > plain["fidelity"] + 0.01 for value in fidelity.values())
    lpips = (fidelity["lpips_weight"] - plain["fidelity"]) / (100.0 - SETTINGS.lpips_weight)
    assert lpips == pytest.approx(plain["lpips"], rel=1e-3)
    structure = (fidelity["ms_ssim_weight"] - plain["fidelity"]) / (100.0 - SETTINGS.ms_ssim_weight)
    assert structure == pytest.approx(1 - plain["msssim"], rel=1e-3)


@pytest.mark.parametrize(("part", "figure"), [("discriminator", "judge"), ("generator", "fooled")])
def test_each_side_of_the_dispute_lowers_what_it_is_after(begin: Begin, part: str, figure: str) -> None:
    trainer = begin(adversarial_weight=1e4)
    downhill = slopes(trainer, part, 2)
    length = torch.stack([slope.norm() for slope in downhill.values()]).norm()
    before = trainer.loss()[1][figure]
    with torch.no_grad():
        for name, parameter in trainer.networks[part].named_parameters():
            parameter.sub_(0.1 * downhill[name] / length)
    assert trainer.loss()[1][figure] < before - 0.01


def test_a_discriminator_has_a_score_for_each_8x8_pixels_and_looks_at_the_latents() -> None:
    torch.manual_seed(1)
    judge = PatchDiscriminator(5).eval()
    x, y_hat = torch.rand(2, 3, 96, 64), torch.randn(2, 5, 6, 4)
    scores = judge(x, y_hat)
    assert scores.shape == (2, 1, 12, 8)
    there = y_hat.clone()
    there[0, :, 5, 3] += 3
    moved = (judge(x, there) - scores).abs()[:, 0]
    assert moved[0, 10:, 6:].max() > 0
    assert moved[0, :6, :4].max() == 0
    assert moved[1].max() == 0


def test_a_run_keeps_the_averaged_generator_and_what_it_builds_on(
    begin: Begin, scene_run: Path, photos: PhotoSet, tmp_path: Path
) -> None:
    trainer = begin()
    trainer.run()
    generator, record = load_perceptual_generator(trainer.folder)
    assert not generator.training
    for name, value in generator.state_dict().items():
        assert torch.equal(value, trainer.average[f"generator.{name}"]), name
    scene = json.loads((scene_run / "record.json").read_text())
    assert record["scene_run"] == {"step": scene["step"], "settings": scene["settings"]}
    assert record["pictures_sha256"] == photos.fingerprint
    assert record["settings"] == SETTINGS.model_dump(mode="json")
    with pytest.raises(RunError, match="train first"):
        load_perceptual_generator(tmp_path)
    with pytest.raises(RunError, match="is no run of the perceptual generator"):
        load_perceptual_generator(scene_run)


def test_mistakes_are_named(begin: Begin, scene_run: Path, lpips_file: Path, photos: PhotoSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not hold the weights of LPIPS"):
        PerceptualTrainer(SETTINGS, scene_run, tmp_path / "nowhere.npz", photos, tmp_path)
    begin().save()
    with pytest.raises(RunError, match="is no run of the scene codec"):
        PerceptualTrainer(SETTINGS, tmp_path / "run", lpips_file, photos, tmp_path)
    with pytest.raises(RunError, match="was made with other settings"):
        begin(seed=2).resume()


def test_the_settings_of_the_shipped_generator_are_valid() -> None:
    settings = PerceptualSettings.from_toml(CONFIGS / "perceptual-v5.toml")
    assert settings.adversarial_from_step < settings.steps


def test_the_workshop_trains_and_continues(
    scene_run: Path, lpips_file: Path, photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("steps = 1\nbatch = 1\ncrop_px = 96\n")
    command = ["train-perceptual", "--config", str(config), "--scene-run", str(scene_run), "--lpips", str(lpips_file)]
    command += ["--out", str(tmp_path / "run"), "--photos"]
    assert main([*command, str(photo_folder)]) == 0
    assert main([*command, str(photo_folder)]) == 0
    started, again, resumed = capsys.readouterr().out.splitlines()
    assert started == again == f"pictures=6 out={tmp_path / 'run'}"
    assert resumed == "resumed step=1"
    assert main([*command, str(tmp_path / "nowhere")]) == 1
    assert "is no folder; name folders of photographs" in capsys.readouterr().err
