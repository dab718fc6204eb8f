"""What docs/codec.md says of the pixels of thumbnails, worked out with its sums, is what the codec does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from pantel_codec import Part, Thumbnail
from pantel_models import find_artefact
from pantel_models.thumbnails import ThumbnailCodec, kind_of

PAGE = (Path(__file__).parents[2] / "docs" / "codec.md").read_text()
TAPER = 0.05
KINDS = {1: [1], 2: [2, 4], 3: [3, *range(5, 10)], 4: list(range(15, 25))}


@pytest.fixture(scope="module")
def generator() -> Any:
    return onnxruntime.InferenceSession(find_artefact().read("thumbnail_generator"))


def edge(index: int) -> float:
    place = (index + 0.5) / 64
    return min(max(min(place, 1 - place) / TAPER, 0), 1)


@pytest.mark.parametrize(
    ("shape", "told", "with_detail"),
    [(0, (1, 1), True), (1, (17, 4), False), (2, (8, 3), True), (0, (25, 0), False)],  # told: class and its kind
)
def test_the_page_says_how_a_thumbnail_looks(
    shipped_tables: Mapping[str, NDArray[Any]], generator: Any, shape: int, told: tuple[int, int], with_detail: bool
) -> None:
    class_id, kind = told
    codec = ThumbnailCodec(shipped_tables, find_artefact())
    rng = np.random.default_rng(shape)
    core, detail = (
        Thumbnail(part, quality, 0, np.rint(rng.laplace(0, 1, codec.model.members[shape][part].size)).astype(np.int32))
        for part, quality in ((Part.CORE, 4), (Part.DETAIL, 2))
    )
    look = codec.decode(core, detail if with_detail else None, shape, class_id)
    latents, condition = np.zeros((1, 96), np.float32), np.zeros((1, 8), np.float32)
    for thumbnail in (core, detail) if with_detail else (core,):
        own = np.flatnonzero(shipped_tables["thumbnail_part"][shape] == thumbnail.part)
        latents[0, own] = shipped_tables["thumbnail_steps"][thumbnail.quality, own] * thumbnail.symbols
    condition[0, [shape, 3 + kind]] = 1
    side = np.array([[4 / 7, with_detail]], np.float32)
    inputs = {"latents": latents, "condition": condition, "side": side}
    colour, alpha = generator.run(["colour", "alpha"], inputs)
    for row, column in ((0, 0), (1, 60), (2, 33), (14, 38), (32, 32), (62, 8)):
        shown = [min(max(float(colour[0, channel, row, column]), 0), 1) * 255 for channel in range(3)]
        np.testing.assert_allclose(look.colour[row, column], shown, atol=0.02)
        mask = min(max(float(alpha[0, 0, row, column]), 0), 1) * edge(row) * edge(column)
        assert look.alpha[row, column] == pytest.approx(mask, abs=1e-4)


def test_the_page_gives_the_numbers_that_were_used_here() -> None:
    page = " ".join(PAGE.split())
    assert f" / {TAPER}, 0, 1), p = (i + 1/2) / 64" in page
    assert "1 person (class 1), 2 two-wheeler (2 and 4), 3 vehicle (3 and 5 to 9), 4 animal (15 to 24), else 0" in page
    assert "1 at the shape, 0 to 2, and 1 at 3 + kind" in page


def test_the_page_gives_the_kind_of_every_class() -> None:
    kinds = {class_id: kind for kind, classes in KINDS.items() for class_id in classes}
    assert [int(kind_of(class_id)) for class_id in range(256)] == [kinds.get(class_id, 0) for class_id in range(256)]


@pytest.mark.parametrize("role", ["thumbnail_encoder", "thumbnail_generator"])
def test_the_page_names_inputs_and_outputs_of_the_networks(role: str) -> None:
    session = onnxruntime.InferenceSession(find_artefact().read(role))
    section = PAGE.split("**Thumbnail.**")[1].split("**Background.**")[0]
    told = section.split("`thumbnail_encoder.onnx`")[role == "thumbnail_encoder"]
    for value in (*session.get_inputs(), *session.get_outputs()):
        batch, *sizes = value.shape
        assert f"`{value.name}`" in told
        assert f"({batch if isinstance(batch, int) else 'n'}, {', '.join(map(str, sizes))})" in told


def test_the_page_names_the_arrays_of_the_shipped_model(shipped_tables: Mapping[str, NDArray[Any]]) -> None:
    for name, array in shipped_tables.items():
        if name.startswith("thumbnail_"):
            shape = ", ".join(map(str, array.shape)) + "," * (array.ndim == 1)
            assert f"| `{name}` | ({shape}) {array.dtype} |" in PAGE
    for part in shipped_tables["thumbnail_part"]:
        core, detail = (int((part == number).sum()) for number in (0, 1))
        assert f"A thumbnail has {part.size} latents" in PAGE
        assert f"The shipped model has {core} and {detail} for every shape" in PAGE
