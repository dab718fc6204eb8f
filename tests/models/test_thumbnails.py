"""Thumbnails as pixels: what an object looks like after its way through a few symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, Part
from pantel_models import find_artefact, load_scene_codec
from pantel_models.thumbnails import RASTER_PX, Cutting, ThumbnailCodec, from_ycc, to_ycc

TALL, SQUARE, WIDE = range(3)


@pytest.fixture(scope="module")
def thumbnails() -> ThumbnailCodec:
    return load_scene_codec(find_artefact()).thumbnails


def ellipse(height: int, width: int, *, reach: float = 0.4) -> NDArray[np.float32]:
    """Return a mask (height, width) of an ellipse in the middle, with soft edges."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    distance = np.hypot(x, y) / reach
    return np.asarray(np.clip((1 - distance) * 6 + 0.5, 0, 1), np.float32)


def smooth(height: int, width: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return pixels (height, width, 3) of which each channel rises or falls evenly in some direction."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    middle, slopes = np.split(np.random.default_rng(seed).uniform(-40, 40, (3, 3)), [1])
    pixels = 128 + middle + y[..., None] * slopes[0] + x[..., None] * slopes[1]
    return np.asarray(np.rint(pixels), np.uint8)


def striped(height: int, width: int) -> NDArray[np.uint8]:
    """Return smooth pixels with bars across, of nine half waves in the raster."""
    bars = 40 * np.cos(np.pi * 9 * (np.arange(height) + 0.5) / height)
    return np.asarray(np.rint(smooth(height, width) + bars[:, None, None]), np.uint8)


def error(codec: ThumbnailCodec, cutting: Cutting, shape: int, quality: int, *, detail: bool = False) -> float:
    """Return the root mean square error of the colours inside [grey level] of what comes back."""
    core = codec.encode(cutting, shape, quality, version=0)
    more = codec.encode_detail(cutting, shape, core, quality) if detail else None
    difference = codec.decode(core, more, shape).colour - from_ycc(cutting.planes)
    return float(np.sqrt((difference[cutting.mask > 0.5] ** 2).mean()))


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(90, 30, TALL), (30, 12, TALL), (40, 40, SQUARE), (40, 90, WIDE)]
)
def test_a_smooth_object_comes_back(thumbnails: ThumbnailCodec, height: int, width: int, shape: int) -> None:
    pixels, mask = smooth(height, width), ellipse(height, width)
    cutting = Cutting.from_pixels(pixels, mask)
    core = thumbnails.encode(cutting, shape, quality=7, version=3)
    assert (core.part, core.quality, core.version) == (Part.CORE, 7, 3)
    look = thumbnails.decode(core, thumbnails.encode_detail(cutting, shape, core, quality=7), shape)
    assert look.colour.shape == (RASTER_PX, RASTER_PX, 3)
    assert look.alpha.shape == (RASTER_PX, RASTER_PX)
    assert look.colour.dtype == look.alpha.dtype == np.float32
    inside, shown = cutting.mask > 0.5, look.alpha > 0.5
    assert (inside & shown).sum() / (inside | shown).sum() > 0.85  # masks are told coarsely
    difference = (look.colour - from_ycc(cutting.planes))[cutting.mask > 0.7]
    assert np.sqrt((difference**2).mean()) < 8
    assert 0 <= look.alpha.min() <= look.alpha.max() <= 1
    assert 0 <= look.colour.min() <= look.colour.max() <= 255


def test_a_sprite_never_ends_in_a_straight_line(thumbnails: ThumbnailCodec) -> None:
    """Even of an object that fills its raster the mask fades out before the border."""
    cutting = Cutting.from_pixels(smooth(60, 30), np.ones((60, 30), np.float32))
    alpha = thumbnails.decode(thumbnails.encode(cutting, TALL, 5, 0), None, TALL).alpha
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert border.max() < 0.5
    assert alpha[12:20, 12:20].min() > 0.9


def test_what_lies_outside_the_mask_does_not_matter(thumbnails: ThumbnailCodec) -> None:
    mask = (ellipse(RASTER_PX, RASTER_PX) > 0.5).astype(np.float32)
    pixels = smooth(RASTER_PX, RASTER_PX)
    other = np.where(mask[..., None] > 0, pixels, smooth(RASTER_PX, RASTER_PX, seed=1))
    assert_same_symbols(thumbnails, Cutting.from_pixels(pixels, mask), Cutting.from_pixels(other, mask))


def test_what_something_hides_does_not_matter(thumbnails: ThumbnailCodec) -> None:
    """Neither its colours nor whether it counts as object."""
    mask = ellipse(RASTER_PX, RASTER_PX)
    pixels, seen = smooth(RASTER_PX, RASTER_PX), np.ones((RASTER_PX, RASTER_PX), np.float32)
    seen[20:] = 0
    other, other_mask = pixels.copy(), mask.copy()
    other[20:], other_mask[20:] = 255, 0
    assert_same_symbols(
        thumbnails, Cutting.from_pixels(pixels, mask, seen), Cutting.from_pixels(other, other_mask, seen)
    )


def assert_same_symbols(codec: ThumbnailCodec, one: Cutting, other: Cutting) -> None:
    cores = [codec.encode(cutting, SQUARE, 5, 0) for cutting in (one, other)]
    details = [codec.encode_detail(cutting, SQUARE, cores[0], 5) for cutting in (one, other)]
    np.testing.assert_array_equal(cores[0].symbols, cores[1].symbols)
    np.testing.assert_array_equal(details[0].symbols, details[1].symbols)
    assert cores[0].symbols.any()


def test_where_nothing_is_known_an_object_is_believed_to_be_as_usual(thumbnails: ThumbnailCodec) -> None:
    nothing = np.zeros((40, 20), np.float32)
    cutting = Cutting.from_pixels(smooth(40, 20), nothing, seen=nothing)
    core = thumbnails.encode(cutting, TALL, 4, 0)
    assert thumbnails.model.bits(TALL, Part.CORE, 4, core.symbols).sum() < 60
    alpha = thumbnails.decode(core, None, TALL).alpha
    assert alpha[16, 16] > 0.5
    assert alpha[:3, :3].max() < 0.5


def test_finer_qualities_have_less_error_and_more_bits_on_average(thumbnails: ThumbnailCodec) -> None:
    objects = [Cutting.from_pixels(smooth(72, 30, seed=seed), ellipse(72, 30)) for seed in range(6)]
    errors = [np.mean([error(thumbnails, each, TALL, quality) for each in objects]) for quality in range(8)]
    bits = []
    for quality in range(THUMBNAIL_QUALITIES):
        cores = [thumbnails.encode(each, TALL, quality, 0) for each in objects]
        bits.append(np.mean([thumbnails.model.bits(TALL, Part.CORE, quality, c.symbols).sum() for c in cores]))
    assert bits == sorted(bits)
    assert errors[0] > errors[2] > errors[4] > errors[6]
    assert bits[0] < 80 < bits[7]


def test_detail_tells_what_is_too_fine_for_the_core(thumbnails: ThumbnailCodec) -> None:
    cutting = Cutting.from_pixels(striped(72, 30), ellipse(72, 30))
    assert error(thumbnails, cutting, TALL, 5, detail=True) < 0.6 * error(thumbnails, cutting, TALL, 5)


def test_most_symbols_of_a_smooth_object_are_not_worth_their_bits(thumbnails: ThumbnailCodec) -> None:
    cutting = Cutting.from_pixels(smooth(72, 30), ellipse(72, 30))
    core = thumbnails.encode(cutting, TALL, 3, 0)
    few = np.count_nonzero(core.symbols)
    assert 0 < few < core.symbols.size / 3


def test_luma_and_chroma_lead_back() -> None:
    pixels = smooth(9, 7).astype(np.float32)
    planes = to_ycc(pixels)
    assert planes.shape == (3, 9, 7)
    np.testing.assert_allclose(planes[0], pixels @ np.array([0.299, 0.587, 0.114], np.float32), rtol=1e-5)
    np.testing.assert_allclose(from_ycc(planes), pixels, atol=0.01)


@pytest.mark.parametrize("name", ["thumbnail_mean", "thumbnail_steps"])
def test_arrays_of_other_shapes_are_refused(shipped_tables: Mapping[str, NDArray[Any]], name: str) -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        ThumbnailCodec({**shipped_tables, name: shipped_tables[name][:-1]})


def test_coefficients_that_are_never_coded_stay_those_of_the_usual_object(
    shipped_tables: Mapping[str, NDArray[Any]],
) -> None:
    """Where a shape codes nothing, whatever the object is, its look is the usual one."""
    part = shipped_tables["thumbnail_part"].copy()
    part[WIDE] = 2
    codec = ThumbnailCodec({**shipped_tables, "thumbnail_part": part})
    looks = []
    for seed in (1, 2):
        cutting = Cutting.from_pixels(smooth(40, 90, seed=seed), ellipse(40, 90))
        core = codec.encode(cutting, WIDE, 5, 0)
        assert core.symbols.size == 0
        looks.append(codec.decode(core, codec.encode_detail(cutting, WIDE, core, 5), WIDE))
    np.testing.assert_array_equal(looks[0].colour, looks[1].colour)
    np.testing.assert_array_equal(looks[0].alpha, looks[1].alpha)
