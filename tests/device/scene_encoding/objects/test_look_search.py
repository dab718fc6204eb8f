"""The search for a thumbnail that fits the picture better than the one the encoder network gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Part, shape_of, size_code
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import paste, place, raster_box
from pantel_device.scene_encoding.objects.look_fit import fit_looks
from pantel_device.scene_encoding.objects.look_search import LookDraft, refine_look
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models import SceneCodec

_BOX = Box(40, 40, 56, 72)
_TIGHT = (0, 0, 0, 0)  # margins
_PERSON = 1
_QUALITY = 3
_PLENTY_BITS = 1e3


@pytest.fixture
def view(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> ObjectView:
    track = walk(lambda _: (48.0, 56.0), 0, size_px=(16, 32))
    return ObjectView(observe(paint(street, _BOX), street, 0, [track]), track, [_BOX], weight=4.0)


@pytest.fixture
def draft(codec: SceneCodec, view: ObjectView) -> LookDraft:
    raster = raster_box(_BOX, _TIGHT)
    cutting = view.cut(raster)
    assert cutting is not None
    shape = shape_of(size_code(16), size_code(32))
    latents = codec.thumbnails.analyse(cutting, shape, _PERSON)
    core, _ = codec.thumbnails.quantize(latents, shape, Part.CORE, _QUALITY, 0)
    look = codec.thumbnails.decode(core, None, shape, _PERSON)
    return LookDraft(core, None, look, shape, _PERSON, [(view, raster)])


@pytest.fixture
def detailed(codec: SceneCodec, view: ObjectView, draft: LookDraft) -> LookDraft:
    cutting = view.cut(raster_box(_BOX, _TIGHT))
    assert cutting is not None
    latents = codec.thumbnails.analyse(cutting, draft.shape, _PERSON)
    detail, _ = codec.thumbnails.quantize(latents, draft.shape, Part.DETAIL, _QUALITY, 0)
    return replace(draft, detail=detail, look=codec.thumbnails.decode(draft.core, detail, draft.shape, _PERSON))


def _bits(codec: SceneCodec, draft: LookDraft) -> float:
    return draft.size_bits(codec.thumbnails)


def _error(draft: LookDraft) -> float:
    residual = draft.residual()
    return float(residual @ residual)


def test_the_search_finds_a_better_look_for_the_same_bits(codec: SceneCodec, draft: LookDraft) -> None:
    bits = _bits(codec, draft)
    found = refine_look(codec.thumbnails, draft, bits)
    assert _error(found) < _error(draft)
    assert _bits(codec, found) <= bits
    shown = codec.thumbnails.decode(found.core, None, draft.shape, _PERSON)
    np.testing.assert_allclose(shown.colour, found.look.colour, atol=0.5)
    assert (found.core.quality, found.core.version) == (draft.core.quality, draft.core.version)


def test_the_search_saves_bits_where_there_are_few(codec: SceneCodec, draft: LookDraft, detailed: LookDraft) -> None:
    # A symbol changes by 3 at most, and those of a core may be larger.
    for each, share in ((draft, 0.75), (detailed, 0.7)):
        limit_bits = share * _bits(codec, each)
        assert _bits(codec, refine_look(codec.thumbnails, each, limit_bits)) <= limit_bits


def test_detail_is_searched_for_and_the_core_left_alone(codec: SceneCodec, detailed: LookDraft) -> None:
    found = refine_look(codec.thumbnails, detailed, _PLENTY_BITS)
    assert found.sent.part is Part.DETAIL
    assert found.core is detailed.core
    assert _error(found) < _error(detailed) or _bits(codec, found) < _bits(codec, detailed)


def test_what_cannot_be_improved_stays(codec: SceneCodec, draft: LookDraft) -> None:
    found = draft
    for _ in range(6):
        found = refine_look(codec.thumbnails, found, _PLENTY_BITS)
    assert refine_look(codec.thumbnails, found, _PLENTY_BITS) is found


def test_two_frames_count_alike(view: ObjectView, draft: LookDraft) -> None:
    raster = raster_box(_BOX, _TIGHT)
    away = raster_box(Box(80, 40, 96, 72), _TIGHT)
    both = replace(draft, places=[(view, raster), (view, away)])
    alone = [_error(replace(draft, places=[place])) for place in both.places]
    assert _error(both) == pytest.approx(sum(alone) / 2, rel=1e-4)


@pytest.mark.parametrize("part", Part)
def test_drafts_of_all_qualities_are_fitted(
    codec: SceneCodec,
    street: NDArray[np.uint8],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
    part: Part,
) -> None:
    """None gets worse at the price of its bits; of what thumbnails can show, together they show much more."""
    box = Box(40, 6, 88, 106)
    raster, shape = raster_box(box, _TIGHT), shape_of(size_code(48), size_code(100))
    rng = np.random.default_rng(3)
    nothing = np.zeros(codec.thumbnails.model.coefficients, np.float32)
    truth = [codec.thumbnails.quantize(nothing, shape, each, 4, 0)[0] for each in Part]
    core, detail = (replace(each, symbols=rng.integers(-2, 3, each.symbols.size).astype(np.int32)) for each in truth)
    picture = street.copy()
    told = None if part is Part.CORE else detail  # what cores cannot show would hide what they gain
    paste(picture, place(codec.thumbnails.decode(core, told, shape, _PERSON), raster, (160, 112)))
    track = walk(lambda _: (64.0, 56.0), 0, size_px=(48, 100))
    view = ObjectView(observe(picture, street, 0, [track]), track, [box], weight=4.0)
    cutting = view.cut(raster)
    assert cutting is not None
    latents = codec.thumbnails.analyse(cutting, shape, _PERSON)
    drafts = []
    for quality in (2, 4, 6):
        sent, _ = codec.thumbnails.quantize(latents, shape, part, quality, 0)
        pair = (sent, None) if part is Part.CORE else (core, sent)
        look = codec.thumbnails.decode(pair[0], pair[1], shape, _PERSON)
        drafts.append(LookDraft(pair[0], pair[1], look, shape, _PERSON, [(view, raster)]))
    fitted = fit_looks(codec.thumbnails, drafts)
    assert [each.sent.quality for each in fitted] == [2, 4, 6]
    assert all(each.sent.part is part for each in fitted)
    for before, after in zip(drafts, fitted, strict=True):
        assert after is before or _error(after) < _error(before) or _bits(codec, after) < _bits(codec, before)
        shown = codec.thumbnails.decode(after.core, after.detail, shape, _PERSON)
        np.testing.assert_allclose(shown.colour, after.look.colour, atol=0.5)
    assert sum(map(_error, fitted)) < 0.9 * sum(map(_error, drafts))
