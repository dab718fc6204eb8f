"""What docs/codec.md says of the pixels of thumbnails, worked out with its sums, is what the codec does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Part, Thumbnail
from pantel_models.thumbnails import ThumbnailCodec

PAGE = (Path(__file__).parents[2] / "docs" / "codec.md").read_text()
COLOURS = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
KEPT = (20, 8, 8, 12)


def amplitude(frequency: int) -> float:
    return math.sqrt((2 if frequency else 1) / 32)


def plane_at(coefficients: NDArray[np.float64], row: int, column: int) -> float:
    return float(
        sum(
            amplitude(u) * amplitude(v) * coefficients[u, v] * math.cos(math.pi * (row + 0.5) * u / 32)
            * math.cos(math.pi * (column + 0.5) * v / 32)
            for u, v in itertools.product(range(len(coefficients)), repeat=2)
        )
    )  # fmt: skip


def edge(index: int) -> float:
    place = (index + 0.5) / 32
    return min(min(place, 1 - place) / 0.06, 1.0)


@pytest.mark.parametrize(("shape", "with_detail"), [(0, True), (1, False), (2, True)])
def test_the_page_says_how_a_thumbnail_looks(
    shipped_tables: Mapping[str, NDArray[Any]], shape: int, with_detail: bool
) -> None:
    codec = ThumbnailCodec(shipped_tables)
    rng = np.random.default_rng(shape)
    core, detail = (
        Thumbnail(part, quality, 0, np.rint(rng.laplace(0, 1, codec.model.members[shape][part].size)).astype(np.int32))
        for part, quality in ((Part.CORE, 4), (Part.DETAIL, 2))
    )
    look = codec.decode(core, detail if with_detail else None, shape)
    exact = shipped_tables["thumbnail_mean"][shape].astype(np.float64)
    for thumbnail in (core, detail) if with_detail else (core,):
        own = np.flatnonzero(shipped_tables["thumbnail_part"][shape] == thumbnail.part)
        exact[own] += shipped_tables["thumbnail_steps"][thumbnail.quality, own] * thumbnail.symbols
    ends = np.cumsum([kept * kept for kept in KEPT])
    planes = [part.reshape(kept, kept) for part, kept in zip(np.split(exact, ends[:-1]), KEPT, strict=True)]
    for row, column in ((0, 0), (1, 30), (7, 19), (16, 16), (31, 4)):
        values = [plane_at(plane, row, column) for plane in planes]
        colour = np.clip(np.linalg.inv(COLOURS) @ values[:3], 0, 255)
        np.testing.assert_allclose(look.colour[row, column], colour, atol=0.02)
        alpha = min(max(0.5 + 1.5 * values[3], 0), 1) * edge(row) * edge(column)
        assert look.alpha[row, column] == pytest.approx(alpha, abs=1e-4)


def test_the_page_names_the_arrays_of_the_shipped_model(shipped_tables: Mapping[str, NDArray[Any]]) -> None:
    for name, array in shipped_tables.items():
        if name.startswith("thumbnail_"):
            shape = ", ".join(map(str, array.shape)) + "," * (array.ndim == 1)
            assert f"| `{name}` | ({shape}) {array.dtype} |" in PAGE
