"""The arrays of thumbnails: fitted to latents of known distributions, they expect what comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, Part, ThumbnailModel
from pantel_codec.coding_table import CodingTable
from pantel_export.thumbnails.networks import ThumbnailNetworks
from pantel_export.thumbnails.settings import ThumbnailNetworkSettings
from pantel_export.thumbnails.tables import thumbnail_arrays

TALL, SQUARE, WIDE = range(3)
CORE, LATENTS = 4, 6
WIDTHS = np.array([0.02, 0.3, 1, 3, 8, 20])  # of latents; the step at quality 0 is 2
OBJECTS = 4000


@pytest.fixture(scope="module")
def networks() -> ThumbnailNetworks:
    return ThumbnailNetworks(
        ThumbnailNetworkSettings(latents=LATENTS, core=CORE, encoder_width=(4, 4, 4, 4), generator_width=(4, 4, 4, 4))
    )


def laplacian(widths: NDArray[np.float64], count: int = OBJECTS, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).laplace(0, widths, (count, len(widths))).astype(np.float32)


@pytest.fixture(scope="module")
def arrays(networks: ThumbnailNetworks) -> dict[str, NDArray[Any]]:
    """Return arrays fitted to tall objects."""
    return thumbnail_arrays(networks, CORE, laplacian(WIDTHS), [TALL] * OBJECTS)


def test_arrays_have_the_shapes_and_types_of_the_format(arrays: dict[str, NDArray[Any]]) -> None:
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "thumbnail_steps": ((THUMBNAIL_QUALITIES, LATENTS), "float32"),
        "thumbnail_level": ((THUMBNAIL_SHAPES, LATENTS), "int16"),
        "thumbnail_slope": ((LATENTS,), "int16"),
        "thumbnail_part": ((THUMBNAIL_SHAPES, LATENTS), "uint8"),
        "thumbnail_counts": ((56, 31), "int32"),
    }


def test_the_first_latents_are_the_core_of_every_shape(arrays: dict[str, NDArray[Any]]) -> None:
    model = ThumbnailModel(arrays)
    for members in model.members:
        np.testing.assert_array_equal(members[Part.CORE], np.arange(CORE))
        np.testing.assert_array_equal(members[Part.DETAIL], np.arange(CORE, LATENTS))


@pytest.mark.parametrize("quality", range(THUMBNAIL_QUALITIES))
def test_tables_expect_what_comes(arrays: dict[str, NDArray[Any]], quality: int) -> None:
    """Other objects with such latents cost little more than a code made for these very objects would."""
    model = ThumbnailModel(arrays)
    symbols = np.rint(laplacian(WIDTHS, seed=2) / arrays["thumbnail_steps"][quality]).astype(np.int32)
    for part, columns in ((Part.CORE, slice(CORE)), (Part.DETAIL, slice(CORE, None))):
        paid = model.bits(TALL, part, quality, symbols[:, columns]).mean(axis=0)
        for column, bits in zip(symbols[:, columns].T, paid, strict=True):
            share = np.unique(column, return_counts=True)[1] / len(column)
            entropy = -(share * np.log2(share)).sum()
            if np.abs(column).mean() < 6:  # wider ones are escaped
                assert entropy - 0.01 <= bits <= 1.04 * entropy + 0.03


def test_each_quality_has_steps_half_an_octave_finer_and_tables_as_much_wider(
    networks: ThumbnailNetworks, arrays: dict[str, NDArray[Any]]
) -> None:
    steps, slope, counts = (arrays[f"thumbnail_{name}"] for name in ("steps", "slope", "counts"))
    np.testing.assert_allclose(steps[:-1] / steps[1:], np.sqrt(2), rtol=1e-5)
    np.testing.assert_allclose(steps[0], (-networks.log_gain).exp().detach(), rtol=1e-5)
    magnitude = (counts * abs(np.arange(-15, 16))).sum(axis=1) / counts.sum(axis=1)
    assert len(set(slope.tolist())) == 1
    middle = np.arange(28, 36)  # neither is nearly all of it zero nor escaped
    np.testing.assert_allclose(magnitude[middle + slope[0]] / magnitude[middle], np.sqrt(2), rtol=0.12)


def test_a_shape_leans_on_all_objects_until_it_has_many_of_its_own(networks: ThumbnailNetworks) -> None:
    wide, tall = laplacian(WIDTHS, 300), laplacian(WIDTHS * 4, 100)
    shapes = [WIDE] * 300 + [TALL] * 98 + [SQUARE] * 2
    level = thumbnail_arrays(networks, CORE, np.concatenate([wide, tall]), shapes)["thumbnail_level"]
    alone = thumbnail_arrays(networks, CORE, wide, [WIDE] * 300)["thumbnail_level"]
    np.testing.assert_allclose(level[WIDE], alone[WIDE], atol=1)
    np.testing.assert_allclose(level[TALL] - level[WIDE], 8, atol=2)  # two octaves of four tables each
    assert (level[SQUARE] < level[TALL]).all()
    assert (level[SQUARE] > level[WIDE]).all()
    np.testing.assert_array_equal(alone[TALL], alone[SQUARE])
    np.testing.assert_allclose(alone[TALL], alone[WIDE], atol=1)


def test_coding_tables_are_laplacians_from_narrow_to_wide(arrays: dict[str, NDArray[Any]]) -> None:
    counts = arrays["thumbnail_counts"]
    assert counts.min() >= 1
    np.testing.assert_array_equal(counts, counts[:, ::-1])
    zeros = counts[:, 15] / counts.sum(axis=1)
    assert np.all(np.diff(zeros) <= 0)
    assert np.all(np.diff(zeros[20:]) < 0)  # narrower ones know nothing but zero
    assert zeros[0] > 0.999
    assert zeros[-1] < 0.05
    assert np.all(np.diff(counts[:, 15:30], axis=1) <= 0)  # falling, but for the last, which stands for all beyond
    unit = counts[32] / counts[32].sum()  # mean magnitude 1
    np.testing.assert_allclose(unit[15], 1 - np.exp(-0.5), rtol=1e-4)
    np.testing.assert_allclose(unit[17:20] / unit[16:19], np.exp(-1), rtol=1e-3)
    for row in counts:
        CodingTable.from_counts(row)
