"""Thumbnails of a training run join an artefact: the product runs them, and everything else stays what it was."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import Part
from pantel_export.__main__ import main
from pantel_export.errors import ExportError
from pantel_export.model_card import with_perceptual_thumbnails, with_thumbnails
from pantel_export.thumbnails.add import add_thumbnails, thumbnails_of
from pantel_export.thumbnails.augmentation import augmented, plain
from pantel_export.thumbnails.crops import ObjectCrop, gather
from pantel_export.thumbnails.networks import ThumbnailNetworks
from pantel_export.thumbnails.settings import ThumbnailSettings
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, THUMBNAIL_ROLES
from pantel_export.thumbnails.tables import thumbnail_arrays
from pantel_export.thumbnails.train import ThumbnailTrainer, fingerprint, load_thumbnail_networks
from pantel_models import MANIFEST, SceneCodec, find_artefact, load_scene_codec
from pantel_models.thumbnails import Cutting, Kind, condition

NAME = find_artefact().name
BOXES = ("2 0.25 0.5 0.25 0.25", "0 0.75 0.5 0.125 0.5")
ARRAYS = {f"thumbnail_{name}" for name in ("steps", "level", "slope", "part", "counts")}


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """A finished run and what there was before.

    Attributes:
        folders: Photographs, boxes and masks.
        crops: The objects in them.
        run: The run folder.
        said: What the command that added the thumbnails printed.
        artefacts: A copy of everything that is shipped, with these thumbnails.
    """

    folders: tuple[Path, Path, Path]
    crops: list[ObjectCrop]
    run: Path
    said: str
    artefacts: Path

    @property
    def folder(self) -> Path:
        return self.artefacts / NAME


@pytest.fixture(scope="module")
def workshop(
    paint: Callable[..., None], thumbnail_settings: ThumbnailSettings, tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    place = tmp_path_factory.mktemp("workshop")
    for number in range(4):
        paint(place, str(number), BOXES, (60, 80, 60 - number, 40), (180, 80, 30, 80 - 3 * number))
    photos, boxes, masks = (place / kind for kind in ("photos", "boxes", "masks"))
    crops, sources = gather([(photos, boxes)], [(photos, masks)])
    trainer = ThumbnailTrainer(thumbnail_settings, crops, place / "run", sources)
    trainer.run()
    trainer.history = [{"step": step, "loss": 1.0} for step in range(9)]
    trainer.save()
    shutil.copytree(MANIFEST.parent, place / "artefacts")
    command = ["thumbnails", "--run", str(place / "run"), "--name", NAME, "--artefacts", str(place / "artefacts")]
    command += ["--objects", f"{photos}:{boxes}", "--masked", f"{photos}:{masks}"]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as said:
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        assert main(command) == 0
    return Workshop((photos, boxes, masks), crops, place / "run", said.getvalue(), place / "artefacts")


@pytest.fixture(scope="module")
def codec(workshop: Workshop) -> SceneCodec:
    return load_scene_codec(find_artefact(name=NAME, manifest=workshop.artefacts / "manifest.json"))


@pytest.fixture(scope="module")
def networks(workshop: Workshop) -> ThumbnailNetworks:
    return load_thumbnail_networks(workshop.run)[0]


def test_the_command_says_what_it_did(workshop: Workshop) -> None:
    assert workshop.said.splitlines()[-1] == f"added the thumbnails of {workshop.run} to {NAME}"


def test_old_thumbnails_are_replaced_and_other_arrays_stay(workshop: Workshop) -> None:
    before = dict(np.load(MANIFEST.parent / NAME / "tables.npz"))
    after = dict(np.load(workshop.folder / "tables.npz"))
    assert {name for name in after if name.startswith("thumbnail_")} == ARRAYS
    assert {name for name in after if name not in ARRAYS} == {
        name for name in before if not name.startswith("thumbnail_")
    }
    for name in after.keys() - ARRAYS:
        np.testing.assert_array_equal(after[name], before[name])
    assert after["thumbnail_steps"].shape == (8, 8)
    assert before["thumbnail_steps"].shape != (8, 8)


def test_the_manifest_has_size_and_hash_of_every_file(workshop: Workshop) -> None:
    entry, before = (
        next(each for each in json.loads(path.read_text())["artefacts"] if each["name"] == NAME)
        for path in (workshop.artefacts / "manifest.json", MANIFEST)
    )
    assert entry["files"].keys() == (before["files"].keys() | set(THUMBNAIL_ROLES)) - {PERCEPTUAL_ROLE}
    for role, file in entry["files"].items():
        data = (workshop.folder / file["name"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        changed = role in {"tables", *THUMBNAIL_ROLES}
        assert (file != before["files"].get(role)) == changed


def test_the_artefact_is_another_one(codec: SceneCodec) -> None:
    codec.artefact.check()
    assert codec.artefact.hash != find_artefact().hash


def test_the_product_finds_the_latents_that_the_trained_network_does(
    workshop: Workshop, codec: SceneCodec, networks: ThumbnailNetworks
) -> None:
    with torch.no_grad():
        for crop, class_id in zip(workshop.crops, (3, 1), strict=False):
            specimen = plain(crop)
            assert specimen.kind in (Kind.VEHICLE, Kind.PERSON)
            known = np.ones_like(specimen.known)
            known[40:] = 0
            inputs = (
                specimen.pixels.transpose(2, 0, 1)[None].copy(),
                specimen.mask[None, None],
                known[None, None],
                condition(specimen.shape, specimen.kind)[None],
            )
            expected = networks.encoder(*map(torch.from_numpy, inputs))[0].numpy()
            cutting = Cutting(specimen.pixels, specimen.mask, known)
            found = codec.thumbnails.analyse(cutting, specimen.shape, class_id)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_product_paints_what_the_trained_network_does(codec: SceneCodec, networks: ThumbnailNetworks) -> None:
    with torch.no_grad():
        latents = np.random.default_rng(1).normal(0, 4, (3, 8)).astype(np.float32)
        told = torch.from_numpy(condition(0, Kind.PERSON)).expand(3, -1)
        for count in (1, 3):
            for quality in (2, 7):
                pairs, dequantized = [], np.zeros((count, 8), np.float32)
                for row, values in enumerate(latents[:count]):
                    core, detail = (
                        codec.thumbnails.quantize(values, 0, part, quality, version=0)[0]
                        for part in (Part.CORE, Part.DETAIL)
                    )
                    pairs.append((core, detail if row != 1 else None))
                    symbols = np.concatenate([core.symbols, detail.symbols * (row != 1)])
                    dequantized[row] = symbols / networks.gain(torch.tensor([float(quality)]))[0].numpy()
                side = torch.tensor([[quality / 7, float(row != 1)] for row in range(count)])
                colour, alpha = networks.generator(torch.from_numpy(dequantized), told[:count], side)
                looks = codec.thumbnails.decode_all(pairs, 0, 1)
                for look, expected, mask in zip(looks, colour.clamp(0, 1).numpy(), alpha.numpy()[:, 0], strict=True):
                    np.testing.assert_allclose(look.colour, 255 * expected.transpose(1, 2, 0), atol=0.05)
                    np.testing.assert_allclose(look.alpha[8:56, 8:56], mask[8:56, 8:56], atol=1e-3)


def test_objects_of_the_training_cost_few_bits(workshop: Workshop, codec: SceneCodec) -> None:
    """Their latents have tables as wide as they are."""
    thumbnails = codec.thumbnails
    paid = []
    for crop in workshop.crops:
        specimen = plain(crop)
        latents = thumbnails.analyse(Cutting(specimen.pixels, specimen.mask, specimen.known), specimen.shape, 1)
        thumbnail, bits = thumbnails.quantize(latents, specimen.shape, Part.CORE, 3, version=0)
        assert thumbnail.symbols.any()
        paid.append(bits)
    assert 2 < np.mean(paid) < 8 * 5


def test_record_and_card_say_how_the_thumbnails_were_made(workshop: Workshop) -> None:
    record = json.loads((workshop.folder / "record.json").read_text())
    before = json.loads((MANIFEST.parent / NAME / "record.json").read_text())
    ours = record.pop("thumbnails")
    for key in ("thumbnails", "perceptual_thumbnails"):
        before.pop(key, None)
    assert record == before
    run = json.loads((workshop.run / "record.json").read_text())
    assert len(run["history"]) == 9
    assert ours == run | {"history": run["history"][-5:]}
    assert ours["objects_sha256"] == fingerprint(workshop.crops)
    card = (workshop.folder / "CARD.md").read_text()
    shipped = (MANIFEST.parent / NAME / "CARD.md").read_text()
    assert card == with_perceptual_thumbnails(with_thumbnails(shipped, ours), None)
    assert card.count("## Thumbnails") == 1
    assert "16 people, vehicles and animals" in card
    assert "* `photos`: 8\n* `photos`: 8\n" in card


def test_tables_are_fitted_to_objects_as_they_are_and_as_they_might_be(
    workshop: Workshop, networks: ThumbnailNetworks, thumbnail_settings: ThumbnailSettings
) -> None:
    """To the same ones whenever they are fitted, because their hash names the artefact."""
    rng = np.random.default_rng(thumbnail_settings.seed)
    specimens = [plain(crop) for crop in workshop.crops] + [augmented(crop, rng) for crop in workshop.crops]
    latents = []
    with torch.no_grad():
        for each in specimens:
            planes = each.pixels.transpose(2, 0, 1), each.found[None], each.known[None]
            inputs = (*planes, condition(each.shape, each.kind))
            latents.append(networks.encoder(*(torch.tensor(plane)[None] for plane in inputs))[0].numpy())
    shapes = [each.shape for each in specimens]
    expected = thumbnail_arrays(networks, thumbnail_settings.network.core, np.stack(latents), shapes)
    for name, array in thumbnails_of(workshop.folder / "tables.npz"):
        np.testing.assert_array_equal(array, expected[name])


def test_thumbnails_are_told_from_the_other_arrays(workshop: Workshop, tmp_path: Path) -> None:
    assert {name for name, _ in thumbnails_of(workshop.folder / "tables.npz")} == ARRAYS
    assert list(thumbnails_of(tmp_path / "nowhere.npz")) == []


def test_other_objects_and_wrong_names_are_refused(workshop: Workshop, tmp_path: Path) -> None:
    tables = (workshop.folder / "tables.npz").read_bytes()
    manifest = (workshop.artefacts / "manifest.json").read_bytes()
    crops, run = workshop.crops, workshop.run

    def add(run: Path, name: str, crops: list[ObjectCrop], artefacts: Path = workshop.artefacts) -> None:
        add_thumbnails(run, name, crops, artefacts)

    for objects in (crops[1:], [*crops, crops[0]], [*crops[8:], *crops[:8]]):
        with pytest.raises(ExportError, match="was trained with other objects"):
            add(run, NAME, objects)
    with pytest.raises(ExportError, match="there is no artefact nothing"):
        add(run, "nothing", crops)
    with pytest.raises(ExportError, match="there is no artefact"):
        add(run, NAME, crops, tmp_path)
    with pytest.raises(ExportError, match="train first"):
        add(tmp_path, NAME, crops)
    assert (workshop.folder / "tables.npz").read_bytes() == tables
    assert (workshop.artefacts / "manifest.json").read_bytes() == manifest


def test_folders_of_the_command_line_are_checked(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    photos, boxes, _ = workshop.folders
    command = ["thumbnails", "--run", str(workshop.run), "--name", NAME, "--artefacts", str(workshop.artefacts)]
    assert main([*command, "--objects", f"{photos}:{boxes}"]) == 1  # without the masks
    assert "was trained with other objects" in capsys.readouterr().err
    for wrong in (str(photos), f"{photos}:", f"{photos}:nowhere", f"nowhere:{boxes}"):
        for option in ("--objects", "--masked"):
            with pytest.raises(SystemExit):
                main([*command, option, wrong])
            assert "does not name a folder of photographs and one of boxes or masks" in capsys.readouterr().err
