"""What a camera might see of an object: drawn many times, of objects whose every pixel is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_export.thumbnails.augmentation import Specimen, augmented, plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_models.thumbnails import RASTER_PX, Kind

TALL, SQUARE, WIDE = range(3)
DRAWS = 200


def crop_of(mask: NDArray[np.bool_], pixels: NDArray[np.integer] | None = None) -> ObjectCrop:
    """Return an object, white before black by default."""
    if pixels is None:
        pixels = np.where(mask, 255, 0)[..., None].repeat(3, axis=2)
    return ObjectCrop(pixels.astype(np.uint8), mask.astype(np.float32), Kind.PERSON)


def block(height: int, width: int, around: int = 0) -> NDArray[np.bool_]:
    """Return the mask of a block, with a frame of that many pixels that are not the object."""
    return np.pad(np.ones((height, width), np.bool_), around)


def draws(crop: ObjectCrop, count: int = DRAWS) -> list[Specimen]:
    return [augmented(crop, np.random.default_rng(seed)) for seed in range(count)]


def share(truths: Sequence[bool] | Sequence[np.bool_]) -> float:
    return float(np.mean(truths))


def extent(mask: NDArray[np.float32], axis: int) -> tuple[int, int]:
    """Return the first and the last column (axis 0) or row (axis 1) of a mask."""
    places = np.flatnonzero((mask > 0.5).any(axis=axis))
    return int(places[0]), int(places[-1])


@pytest.mark.parametrize(
    ("height", "width", "around", "shape"), [(80, 30, 0, TALL), (40, 40, 20, SQUARE), (20, 60, 5, WIDE)]
)
def test_an_object_as_it_is_fills_its_raster_but_for_a_margin(height: int, width: int, around: int, shape: int) -> None:
    crop = crop_of(block(height, width, around))
    specimen = plain(crop)
    margin = RASTER_PX * 0.08 / 1.16
    for axis in (0, 1):
        first, last = extent(specimen.mask, axis)
        assert first == pytest.approx(margin, abs=1)
        assert last == pytest.approx(RASTER_PX - 1 - margin, abs=1)
    np.testing.assert_array_equal(specimen.mask, specimen.found)
    assert specimen.known.min() == 1
    assert specimen.shape == shape
    assert specimen.kind is Kind.PERSON
    if around:  # the frame is black
        np.testing.assert_allclose(specimen.pixels, specimen.mask[..., None].repeat(3, axis=2), atol=1e-5)


def test_pixels_keep_their_places_and_colours() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32], pixels[32:, 32:] = (
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (51, 102, 153)
    )  # fmt: skip
    specimen = plain(crop_of(block(64, 64), pixels))
    for (row, column), colour in {(16, 16): (1, 0, 0), (16, 48): (0, 1, 0), (48, 16): (0, 0, 1)}.items():
        np.testing.assert_allclose(specimen.pixels[row, column], colour, atol=1e-5)
    np.testing.assert_allclose(specimen.pixels[48, 48], (0.2, 0.4, 0.6), atol=1e-5)


def test_what_is_too_fine_for_the_raster_is_averaged() -> None:
    pixels = np.zeros((96, 96, 3), np.uint8)
    pixels[:, ::2] = 255
    inside = plain(crop_of(block(96, 96), pixels)).pixels[16:48, 16:48]
    assert inside.mean() == pytest.approx(0.5, abs=0.02)
    assert inside.std() < 0.15


def test_every_draw_has_the_types_and_ranges_of_a_specimen() -> None:
    mask = block(60, 40, 10)
    noise = np.random.default_rng(0).integers(0, 256, (*mask.shape, 3))
    for specimen in draws(crop_of(mask, noise), 60):
        assert specimen.pixels.shape == (RASTER_PX, RASTER_PX, 3)
        assert 0 <= specimen.pixels.min() <= specimen.pixels.max() <= 1 + 1e-6
        for plane in (specimen.mask, specimen.found, specimen.known):
            assert plane.shape == (RASTER_PX, RASTER_PX)
            assert plane.dtype == specimen.pixels.dtype == np.float32
            assert 0 <= plane.min() <= plane.max() <= 1 + 1e-6
        assert specimen.mask.max() > 0.9
        assert specimen.shape in (TALL, SQUARE, WIDE)


def test_the_same_numbers_draw_the_same() -> None:
    crop = crop_of(block(60, 40, 10))
    for seed in range(20):
        one, same, other = (augmented(crop, np.random.default_rng(number)) for number in (seed, seed, seed + 1000))
        for name in ("pixels", "mask", "found", "known"):
            np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert (one.shape, one.kind) == (same.shape, same.kind)
        assert not np.array_equal(one.mask, other.mask)


def test_half_of_all_draws_are_mirrored_pixels_and_mask_together() -> None:
    flag = block(60, 40, 8)
    flag[30:60, 28:48] = False  # a mast on the left
    heavy_left = []
    for specimen in draws(crop_of(flag)):
        first, last = extent(specimen.mask, 0)
        halves = np.array_split(specimen.mask[:, first : last + 1].sum(axis=0), 2)
        heavy_left.append(halves[0].sum() > halves[1].sum())
        contrast = np.corrcoef(specimen.mask.ravel(), specimen.pixels.mean(axis=2).ravel())[0, 1]
        assert contrast > 0.75
    assert 0.4 < share(heavy_left) < 0.6


def test_some_rasters_reach_wider_than_the_object() -> None:
    widths: list[float] = []
    heights: list[float] = []
    for specimen in draws(crop_of(block(48, 48, 24))):
        for sizes, axis in ((widths, 0), (heights, 1)):
            first, last = extent(specimen.mask, axis)
            sizes.append((last + 1 - first) / RASTER_PX)
    for sizes in (widths, heights):
        assert np.percentile(sizes, 80) == pytest.approx(1 / 1.16, abs=0.08)
        assert 0.2 < share([size < 0.78 for size in sizes]) < 0.6
        assert min(sizes) > 0.25


def test_some_objects_lean_to_either_side() -> None:
    """About their middle, wherever they were in the photograph."""
    leans, middles = [], []
    for specimen in draws(crop_of(np.pad(block(48, 48), ((150, 10), (20, 20))))):
        first, last = extent(specimen.mask, 1)
        rows = first + (last - first) // 5, first + (last - first) // 2
        above, below = (np.flatnonzero(specimen.mask[row] > 0.5).mean() for row in rows)
        leans.append((above - below) / (rows[1] - rows[0]))
        middles.append(below)
    assert np.std(leans) == pytest.approx(0.05, rel=0.4)
    assert abs(np.mean(leans)) < 0.02
    assert abs(np.corrcoef(leans, middles)[0, 1]) < 0.3
    assert np.mean(middles) == pytest.approx((RASTER_PX - 1) / 2, abs=1.5)


def has_gap(mask: NDArray[np.float32]) -> bool:
    """Tell whether some row of a mask goes down between two places where it is up."""
    up = mask > 0.5
    between = np.maximum.accumulate(up, axis=1) & np.maximum.accumulate(up[:, ::-1], axis=1)[:, ::-1]
    return bool((between & ~up).any())


def test_masks_are_flawed_only_as_they_are_found() -> None:
    """Holes and soft edges are in what the encoder is given, never in what it should bring back."""
    specimens = draws(crop_of(block(64, 64, 20)))
    assert not any(has_gap(each.mask) for each in specimens)
    assert 0.1 < share([has_gap(each.found) for each in specimens]) < 0.4
    spread = [bool(each.found[each.mask < 0.01].max() > 0.1) for each in specimens]
    assert 0.1 < share(spread) < 0.4
    assert 0.3 < share([np.array_equal(each.found, each.mask) for each in specimens]) < 0.55


def test_sometimes_a_part_is_hidden_but_the_whole_object_is_asked_for() -> None:
    hidden = []
    for specimen in draws(crop_of(block(64, 64, 20))):
        assert set(np.unique(specimen.known)) <= {0, 1}
        if specimen.known.all():
            continue
        hidden.append(specimen)
        rows, columns = (specimen.known.any(axis=axis) for axis in (1, 0))
        np.testing.assert_array_equal(specimen.known, np.outer(rows, columns))
        assert specimen.known[0].any()  # never from above
        assert 0.3 < specimen.known.mean() < 0.95
    assert share([bool(each.mask[each.known == 0].max() > 0.9) for each in hidden]) > 0.8
    assert share([bool(each.found[each.known == 0].max() > 0.9) for each in hidden]) > 0.7
    assert 0.15 < len(hidden) / DRAWS < 0.35
    sides = {(bool(each.known[-1, 32]), bool(each.known[32, 0]), bool(each.known[32, -1])) for each in hidden}
    assert {(False, True, True), (True, False, True), (True, True, False)} <= sides


def test_sometimes_an_object_has_a_shadow_on_the_ground() -> None:
    """It is a part of the mask, dark, and below the feet: nothing else darkens parts of a white object."""
    mask = block(48, 48, 24)
    white = np.full((*mask.shape, 3), 255)
    shadows = 0
    for specimen in draws(crop_of(mask, white)):
        light = specimen.pixels.mean(axis=2)
        dark = (specimen.mask > 0.5) & (light < 0.7 * light.max())
        if dark.any():
            shadows += 1
            assert np.flatnonzero(dark.any(axis=1))[0] > 0.5 * RASTER_PX
            assert specimen.mask[light > 0.99 * light.max()].max() > 0.9
    assert 0.05 < shadows / DRAWS < 0.35


def test_light_and_colours_vary() -> None:
    pixels = np.full((40, 40, 3), (200, 60, 40))
    centres = np.stack([each.pixels[32, 32] for each in draws(crop_of(block(40, 40), pixels))])
    assert centres.mean(axis=1).std() > 0.05
    strongest = np.bincount(centres.argmax(axis=1), minlength=3) / DRAWS
    assert strongest[0] > 0.7
    assert strongest.min() > 0.01
    saturation = centres.max(axis=1) - centres.min(axis=1)
    assert 0.05 < share([value < 0.25 for value in saturation]) < 0.35


def test_the_shape_may_change_and_the_kind_may_be_unknown() -> None:
    specimens = draws(crop_of(block(57, 40)))  # nearly tall
    shapes = np.bincount([each.shape for each in specimens], minlength=3) / DRAWS
    assert plain(crop_of(block(57, 40))).shape == SQUARE
    assert shapes[TALL] > 0.1
    assert shapes[SQUARE] > 0.3
    assert shapes[WIDE] == 0
    kinds = [each.kind for each in specimens]
    assert set(kinds) == {Kind.PERSON, Kind.UNKNOWN}
    assert 0.15 < share([kind is Kind.UNKNOWN for kind in kinds]) < 0.35
