"""The arrays of thumbnails: fitted to objects that were painted here, they serve such objects well."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, Part
from pantel_codec.coding_table import CodingTable
from pantel_export.object_crops import ObjectCrop
from pantel_export.thumbnail_tables import thumbnail_arrays
from pantel_models.thumbnails import KEPT, RASTER_PX, Cutting, ThumbnailCodec

TALL, SQUARE, WIDE = range(3)
COEFFICIENTS = sum(kept * kept for kept in KEPT)
NEVER = 2  # the part of coefficients that are not coded


def crop(height: int, width: int, seed: int, colour: tuple[int, int, int] = (200, 60, 40)) -> ObjectCrop:
    """Return an ellipse of nearly that colour, somewhat shaded, before noise."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    mask = (np.hypot(x, y) <= rng.uniform(0.36, 0.44)).astype(np.float32)
    shade = rng.uniform(-30, 30) * y + rng.uniform(-10, 10)
    inside = np.array(colour) + rng.uniform(-8, 8, 3) + shade[..., None]
    pixels = np.where(mask[..., None] > 0, inside, rng.integers(0, 256, (height, width, 3)))
    return ObjectCrop(np.clip(pixels, 0, 255).astype(np.uint8), mask)


TALL_OBJECTS = [crop(80, 32, seed) for seed in range(12)]
WIDE_OBJECTS = [crop(32, 80, seed, (40, 60, 200)) for seed in range(12)]


@pytest.fixture(scope="module")
def codec() -> ThumbnailCodec:
    return ThumbnailCodec(thumbnail_arrays([*TALL_OBJECTS, *WIDE_OBJECTS]))


def cutting(crop: ObjectCrop) -> Cutting:
    return Cutting.from_pixels(crop.pixels, crop.mask)


def bits(codec: ThumbnailCodec, crop: ObjectCrop, shape: int, quality: int = 4) -> float:
    core = codec.encode(cutting(crop), shape, quality, version=0)
    return float(codec.model.bits(shape, Part.CORE, quality, core.symbols).sum())


def test_arrays_have_the_shapes_and_types_of_the_format() -> None:
    arrays = thumbnail_arrays(TALL_OBJECTS)
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        "thumbnail_mean": ((THUMBNAIL_SHAPES, COEFFICIENTS), "float32"),
        "thumbnail_steps": ((THUMBNAIL_QUALITIES, COEFFICIENTS), "float32"),
        "thumbnail_level": ((THUMBNAIL_SHAPES, COEFFICIENTS), "int16"),
        "thumbnail_slope": ((COEFFICIENTS,), "int16"),
        "thumbnail_part": ((THUMBNAIL_SHAPES, COEFFICIENTS), "uint8"),
        "thumbnail_counts": ((52, 31), "int32"),
    }
    ThumbnailCodec(arrays)


def test_the_usual_object_of_a_shape_is_the_mean_of_its_objects(codec: ThumbnailCodec) -> None:
    for shape, colour in ((TALL, (200, 60, 40)), (WIDE, (40, 60, 200))):
        nothing = codec.encode(cutting(crop(80, 32, 0)), shape, 0, version=0)
        nothing.symbols[:] = 0
        look = codec.decode(nothing, None, shape)
        middle = slice(RASTER_PX // 2 - 4, RASTER_PX // 2 + 4)
        np.testing.assert_allclose(look.colour[middle, middle].mean(axis=(0, 1)), colour, atol=12)
        assert look.alpha[middle, middle].min() > 0.9
        assert look.alpha[:2].max() < 0.2


def test_objects_like_those_seen_cost_little(codec: ThumbnailCodec) -> None:
    usual = np.mean([bits(codec, crop(80, 32, seed), TALL) for seed in range(100, 106)])
    unusual = np.mean([bits(codec, crop(80, 32, seed, (90, 200, 90)), TALL) for seed in range(100, 106)])
    assert usual < 40
    assert unusual > 2 * usual


def test_tables_expect_what_comes(codec: ThumbnailCodec) -> None:
    """Symbols cost not much more than a code made for these very objects would take."""
    quality = 7
    members = codec.model.members[TALL][Part.CORE]
    cores = [codec.encode(cutting(crop), TALL, quality, version=0).symbols for crop in TALL_OBJECTS]
    symbols = np.clip(np.stack(cores), -15, 15)
    paid = np.mean([codec.model.bits(TALL, Part.CORE, quality, core).sum() for core in cores])
    entropy = 0.0
    for column in range(members.size):
        share = np.bincount(symbols[:, column] + 15) / len(symbols)
        entropy -= float((share * np.log2(np.maximum(share, 1e-9))).sum())
    assert entropy < paid < 2 * entropy + 10


def test_a_shape_without_objects_borrows_from_the_others() -> None:
    arrays = thumbnail_arrays(TALL_OBJECTS)
    mean, coded = arrays["thumbnail_mean"], arrays["thumbnail_part"] != NEVER
    np.testing.assert_array_equal(mean[SQUARE, coded[SQUARE] & coded[WIDE]], mean[WIDE, coded[SQUARE] & coded[WIDE]])
    both = coded[SQUARE] & coded[TALL]
    np.testing.assert_allclose(mean[SQUARE, both], mean[TALL, both], rtol=1e-4, atol=0.1)


def test_left_and_right_are_alike(codec: ThumbnailCodec) -> None:
    """Objects count with their mirror images, so the usual object is symmetric and both ways cost the same."""
    mean = thumbnail_arrays(TALL_OBJECTS)["thumbnail_mean"][TALL]
    luma = mean[: KEPT[0] ** 2].reshape(KEPT[0], KEPT[0])
    assert np.abs(luma[:, 1::2]).max() < 0.1
    one = TALL_OBJECTS[3]
    mirrored = ObjectCrop(np.ascontiguousarray(one.pixels[:, ::-1]), np.ascontiguousarray(one.mask[:, ::-1]))
    assert bits(codec, mirrored, TALL) == pytest.approx(bits(codec, one, TALL), abs=3)


def planes_of(part: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the parts (kept, kept) of the coefficients of each plane."""
    ends = np.cumsum([kept * kept for kept in KEPT])
    return [own.reshape(kept, kept) for own, kept in zip(np.split(part, ends[:-1]), KEPT, strict=True)]


def test_the_core_has_the_lowest_frequencies_of_each_plane_and_the_detail_the_next() -> None:
    arrays = thumbnail_arrays(TALL_OBJECTS)
    for part in arrays["thumbnail_part"]:
        for grid in planes_of(part):
            assert set(grid.ravel().tolist()) == {Part.CORE, Part.DETAIL, NEVER}
            assert grid[0, 0] == Part.CORE
            assert np.all(np.diff(grid.astype(int), axis=0) >= 0)
            assert np.all(np.diff(grid.astype(int), axis=1) >= 0)
    assert np.all(arrays["thumbnail_mean"][arrays["thumbnail_part"] == NEVER] == 0)


def test_the_longer_side_of_an_object_has_more_frequencies() -> None:
    tall, square, wide = (planes_of(part) for part in thumbnail_arrays(TALL_OBJECTS)["thumbnail_part"])
    for grid, even, other in zip(tall, square, wide, strict=True):
        rows, columns = (int((grid.take(0, axis=axis) != NEVER).sum()) for axis in (1, 0))
        assert rows > columns
        np.testing.assert_allclose(even != NEVER, (even != NEVER).T, atol=1)
        across, along = (int((other.take(0, axis=axis) != NEVER).sum()) for axis in (1, 0))
        assert along > across
        assert len({np.count_nonzero(each == Part.CORE) for each in (grid, even, other)}) == 1


def test_each_quality_has_finer_steps_and_wider_tables() -> None:
    arrays = thumbnail_arrays(TALL_OBJECTS)
    steps, slope = arrays["thumbnail_steps"], arrays["thumbnail_slope"]
    octaves = np.log2(steps[:-1] / steps[1:])
    np.testing.assert_allclose(octaves, np.broadcast_to(slope / 4, octaves.shape), atol=1e-5)
    assert slope.min() > 0


def test_coding_tables_are_laplacians_from_narrow_to_wide() -> None:
    counts = thumbnail_arrays(TALL_OBJECTS)["thumbnail_counts"]
    assert counts.min() >= 1
    np.testing.assert_array_equal(counts, counts[:, ::-1])
    zeros = counts[:, 15] / counts.sum(axis=1)
    assert np.all(np.diff(zeros) <= 0)
    assert np.all(np.diff(zeros[20:]) < 0)  # narrower ones know nothing but zero
    assert zeros[0] > 0.999
    assert zeros[-1] < 0.1
    assert np.all(np.diff(counts[:, 16:30], axis=1) <= 0)  # falling, but for the last, which stands for all beyond
    for row in counts:
        CodingTable.from_counts(row)


def test_without_objects_there_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="no objects"):
        thumbnail_arrays([])
