"""Thumbnails as pixels: what an object looks like after its way through a few symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, Part
from pantel_models import ManifestError, find_artefact, load_scene_codec
from pantel_models.thumbnails import (
    CONDITIONS,
    EFFECTS_PX,
    RASTER_PX,
    Cutting,
    Kind,
    Look,
    ThumbnailCodec,
    condition,
    halved,
    kind_of,
)

TALL, SQUARE, WIDE = range(3)
NOBODY, PERSON, BICYCLE, CAR, DOG, CHAIR = 0, 1, 2, 3, 17, 57


@pytest.fixture(scope="module")
def thumbnails() -> ThumbnailCodec:
    return load_scene_codec(find_artefact()).thumbnails


def ellipse(height: int, width: int, *, reach: float = 0.4) -> NDArray[np.float32]:
    """Return a mask (height, width) of an ellipse in the middle, with soft edges."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    distance = np.hypot(x, y) / reach
    return np.asarray(np.clip((1 - distance) * 6 + 0.5, 0, 1), np.float32)


def dressed(height: int, width: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return pixels (height, width, 3) of one colour above the middle and another below it."""
    above, below = np.random.default_rng(seed).uniform(30, 220, (2, 3))
    rows = np.clip((np.arange(height) / height - 0.5) * 10 + 0.5, 0, 1)[:, None, None]
    pixels = above * (1 - rows) + below * rows
    return np.asarray(np.rint(np.broadcast_to(pixels, (height, width, 3))), np.uint8)


def coded(
    codec: ThumbnailCodec, cutting: Cutting, shape: int, quality: int, *, detail: bool = False, class_id: int = PERSON
) -> tuple[Look, float]:
    """Return how an object comes back, and the bits that its symbols took."""
    latents = codec.analyse(cutting, shape, class_id)
    core, bits = codec.quantize(latents, shape, Part.CORE, quality, 0)
    more = None
    if detail:
        more, more_bits = codec.quantize(latents, shape, Part.DETAIL, quality, 0)
        bits += more_bits
    return codec.decode(core, more, shape, class_id), bits


def error(look: Look, cutting: Cutting) -> float:
    """Return the root mean square error in front of mid-grey, 0..1."""
    grey = 0.5
    shown = grey + look.alpha[..., None] * (look.colour / 255 - grey)
    truth = grey + cutting.mask[..., None] * (cutting.pixels - grey)
    return float(np.sqrt(((shown - truth) ** 2).mean()))


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(90, 30, TALL), (30, 12, TALL), (40, 40, SQUARE), (40, 90, WIDE)]
)
def test_an_object_comes_back(thumbnails: ThumbnailCodec, height: int, width: int, shape: int) -> None:
    cutting = Cutting.from_pixels(dressed(height, width), ellipse(height, width))
    look, _ = coded(thumbnails, cutting, shape, 6, detail=True, class_id=NOBODY)
    assert look.colour.shape == (RASTER_PX, RASTER_PX, 3)
    assert look.alpha.shape == (RASTER_PX, RASTER_PX)
    assert look.colour.dtype == look.alpha.dtype == np.float32
    inside, shown = cutting.mask > 0.5, look.alpha > 0.5
    assert (inside & shown).sum() / (inside | shown).sum() > 0.8
    for rows in (slice(16, 24), slice(40, 48)):
        middle = (rows, slice(28, 36))
        np.testing.assert_allclose(
            look.colour[middle].mean((0, 1)) / 255, cutting.pixels[middle].mean((0, 1)), atol=0.15
        )
    assert 0 <= look.alpha.min() <= look.alpha.max() <= 1
    assert 0 <= look.colour.min() <= look.colour.max() <= 255


def test_a_sprite_never_ends_in_a_straight_line(thumbnails: ThumbnailCodec) -> None:
    """Even of an object that fills its raster the mask fades out before the border."""
    cutting = Cutting.from_pixels(dressed(60, 30), np.ones((60, 30), np.float32))
    look, _ = coded(thumbnails, cutting, TALL, 5)
    border = np.concatenate([look.alpha[0], look.alpha[-1], look.alpha[:, 0], look.alpha[:, -1]])
    assert border.max() < 0.5
    assert look.alpha[24:40, 24:40].min() > 0.8


def test_what_lies_outside_the_mask_does_not_matter(thumbnails: ThumbnailCodec) -> None:
    mask = (ellipse(RASTER_PX, RASTER_PX) > 0.5).astype(np.float32)
    pixels = dressed(RASTER_PX, RASTER_PX)
    other = np.where(mask[..., None] > 0, pixels, dressed(RASTER_PX, RASTER_PX, seed=1))
    assert_same_latents(thumbnails, Cutting.from_pixels(pixels, mask), Cutting.from_pixels(other, mask))


def test_what_something_hides_does_not_matter(thumbnails: ThumbnailCodec) -> None:
    """Neither its colours nor whether it counts as object."""
    mask = ellipse(RASTER_PX, RASTER_PX)
    pixels, seen = dressed(RASTER_PX, RASTER_PX), np.ones((RASTER_PX, RASTER_PX), np.float32)
    seen[40:] = 0
    other, other_mask = pixels.copy(), mask.copy()
    other[40:], other_mask[40:] = 255, 0
    assert_same_latents(
        thumbnails, Cutting.from_pixels(pixels, mask, seen), Cutting.from_pixels(other, other_mask, seen)
    )


def assert_same_latents(codec: ThumbnailCodec, one: Cutting, other: Cutting) -> None:
    latents = [codec.analyse(cutting, SQUARE, NOBODY) for cutting in (one, other)]
    np.testing.assert_allclose(latents[0], latents[1], atol=1e-4)
    assert np.ptp(latents[0]) > 0.1


def test_a_hidden_part_is_completed(thumbnails: ThumbnailCodec) -> None:
    """Of somebody whose legs are behind a wall, something is shown where they should be."""
    pixels, mask = dressed(80, 32), ellipse(80, 32, reach=0.45)
    seen = np.ones_like(mask)
    seen[56:] = 0
    hidden, _ = coded(thumbnails, Cutting.from_pixels(pixels, mask, seen), TALL, 5)
    short, _ = coded(thumbnails, Cutting.from_pixels(pixels, mask * seen), TALL, 5)
    below = (slice(48, 58), slice(24, 40))
    assert hidden.alpha[below].mean() > short.alpha[below].mean() + 0.2


def test_finer_qualities_have_less_error_and_more_bits_on_average(thumbnails: ThumbnailCodec) -> None:
    objects = [Cutting.from_pixels(dressed(72, 30, seed=seed), ellipse(72, 30)) for seed in range(6)]
    errors, bits = [], []
    for quality in range(THUMBNAIL_QUALITIES):
        looks = [coded(thumbnails, each, TALL, quality, detail=True) for each in objects]
        errors.append(np.mean([error(look, each) for (look, _), each in zip(looks, objects, strict=True)]))
        bits.append(np.mean([cost for _, cost in looks]))
    assert bits == sorted(bits)
    assert errors[0] > errors[2] > errors[5]
    assert bits[0] < 40 < bits[7]


def test_detail_tells_what_the_core_does_not(thumbnails: ThumbnailCodec) -> None:
    cuttings = [Cutting.from_pixels(dressed(72, 30, seed=seed), ellipse(72, 30, reach=0.36)) for seed in range(6)]
    with_detail, without = (
        np.mean([error(coded(thumbnails, each, TALL, 6, detail=detail)[0], each) for each in cuttings])
        for detail in (True, False)
    )
    assert with_detail < without


def test_the_estimate_of_bits_is_that_of_the_model(thumbnails: ThumbnailCodec) -> None:
    latents = thumbnails.analyse(Cutting.from_pixels(dressed(72, 30), ellipse(72, 30)), TALL, PERSON)
    for part in Part:
        thumbnail, bits = thumbnails.quantize(latents, TALL, part, 4, 2)
        assert (thumbnail.part, thumbnail.quality, thumbnail.version) == (part, 4, 2)
        assert bits == pytest.approx(thumbnails.model.bits(TALL, part, 4, thumbnail.symbols).sum())


def test_many_thumbnails_are_decoded_as_one_by_one(thumbnails: ThumbnailCodec) -> None:
    latents = thumbnails.analyse(Cutting.from_pixels(dressed(72, 30), ellipse(72, 30)), TALL, PERSON)
    core, _ = thumbnails.quantize(latents, TALL, Part.CORE, 5, 0)
    coarse, _ = thumbnails.quantize(latents, TALL, Part.CORE, 1, 0)
    detail, _ = thumbnails.quantize(latents, TALL, Part.DETAIL, 5, 0)
    pairs = [(core, None), (coarse, None), (core, detail)]
    looks = thumbnails.decode_all(pairs, TALL, PERSON)
    for pair, look in zip(pairs, looks, strict=True):
        alone = thumbnails.decode(*pair, TALL, PERSON)
        np.testing.assert_allclose(look.colour, alone.colour, atol=0.01)
        np.testing.assert_allclose(look.alpha, alone.alpha, atol=1e-4)
    assert not np.allclose(looks[0].colour, looks[2].colour, atol=0.5)


def test_the_usual_object_of_a_kind_has_an_outline(thumbnails: ThumbnailCodec) -> None:
    """Without a single bit of the object itself the generator still shows what such things look like."""
    latents = thumbnails.analyse(Cutting.from_pixels(dressed(72, 30), ellipse(72, 30)), TALL, PERSON)
    core, _ = thumbnails.quantize(latents, TALL, Part.CORE, 0, 0)
    nothing = replace(core, symbols=np.zeros_like(core.symbols))
    for shape, class_id in ((TALL, PERSON), (WIDE, CAR)):
        alpha = thumbnails.decode(nothing, None, shape, class_id).alpha
        assert alpha[24:40, 28:36].mean() > 0.6
        assert alpha[:4, :4].max() < 0.4


@pytest.mark.parametrize(
    ("class_id", "kind"),
    [
        (NOBODY, Kind.UNKNOWN),
        (PERSON, Kind.PERSON),
        (BICYCLE, Kind.TWO_WHEELER),
        (CAR, Kind.VEHICLE),
        (DOG, Kind.ANIMAL),
        (CHAIR, Kind.UNKNOWN),
        (255, Kind.UNKNOWN),
    ],
)
def test_classes_have_kinds(class_id: int, kind: Kind) -> None:
    assert kind_of(class_id) is kind


def test_a_condition_names_shape_and_kind() -> None:
    told = condition(WIDE, Kind.VEHICLE)
    assert told.shape == (CONDITIONS,)
    assert np.flatnonzero(told).tolist() == [2, 3 + 3]


def test_arrays_of_other_shapes_are_refused(shipped_tables: Mapping[str, NDArray[Any]]) -> None:
    arrays = {**shipped_tables, "thumbnail_steps": shipped_tables["thumbnail_steps"][:-1]}
    with pytest.raises(ValueError, match="do not fit together"):
        ThumbnailCodec(arrays, find_artefact())


def test_an_artefact_without_the_networks_says_so(shipped_tables: Mapping[str, NDArray[Any]]) -> None:
    artefact = find_artefact()
    bare = replace(artefact, files={role: name for role, name in artefact.files.items() if "thumbnail" not in role})
    codec = ThumbnailCodec(shipped_tables, bare)
    with pytest.raises(ManifestError, match="no file for 'thumbnail_encoder'"):
        codec.analyse(Cutting.from_pixels(dressed(20, 20), ellipse(20, 20)), SQUARE, NOBODY)


def test_effects_tell_what_a_symbol_does_to_first_order(thumbnails: ThumbnailCodec) -> None:
    effects = thumbnails.effects(TALL, PERSON)
    assert effects.shape == (thumbnails.model.coefficients, EFFECTS_PX, EFFECTS_PX, 4)
    assert thumbnails.effects(TALL, PERSON) is effects
    nothing = np.zeros(len(effects), np.float32)
    core, detail = (thumbnails.quantize(nothing, TALL, part, 7, 0)[0] for part in Part)
    members, steps = thumbnails.model.members[TALL][Part.CORE], thumbnails.steps(TALL, Part.CORE, 7)
    likeness = []
    for index in range(core.symbols.size):
        one = np.eye(1, core.symbols.size, index, np.int32)[0]
        less, more = (
            thumbnails.decode(replace(core, symbols=sign * one), detail, TALL, PERSON).colour for sign in (-1, 1)
        )
        change, told = halved(more - less), 2 * steps[index] * effects[members[index], ..., :3]
        likeness.append(float(np.vdot(change, told) / (np.linalg.norm(change) * np.linalg.norm(told))))
    assert np.median(likeness) > 0.95
