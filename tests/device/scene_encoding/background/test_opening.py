"""The opening of a stream, and rounds: the whole picture in as many payloads as it takes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Background, CellElement
from pantel_device.scene_encoding.background.background_view import SeenBackground
from pantel_device.scene_encoding.background.opening import Opening
from pantel_device.scene_encoding.background.rounds import Round, finest_quality
from pantel_device.scene_encoding.cell_coding import Way
from pantel_models import SceneCodec

ROOM_BITS = 8.0 * 33
SIZE_PX = 320, 240


def picture(size_px: tuple[int, int], *, patches: int) -> NDArray[np.uint8]:
    """Return smooth random patches, so many across."""
    colours = np.random.default_rng(3).integers(60, 196, (patches, patches, 3), np.uint8)
    return np.asarray(cv2.resize(colours, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="module")
def seen(codec: SceneCodec) -> SeenBackground:
    return SeenBackground.of(picture(SIZE_PX, patches=6), codec)


def opened(codec: SceneCodec, seen: SeenBackground, room_bits: float) -> list[tuple[CellElement, float]]:
    """Return what the opening tells, and what it takes, an element a payload."""
    opening, told = Opening(codec), []
    while not opening.finished:
        found = opening.next(seen.latents, seen.hidden, room_bits)
        if found is not None:
            told.append(found)
            opening.sent(found[0])
        assert len(told) < 100
    return told


def shown(codec: SceneCodec, elements: list[CellElement], size_px: tuple[int, int] = SIZE_PX) -> NDArray[np.uint8]:
    background = Background(*size_px, codec.entropy.groups)
    for time_ns, element in enumerate(elements):
        background.apply(element.update, time_ns)
    return codec.synthesise(background)


def test_the_first_payload_shows_the_whole_picture_and_a_few_more_show_it_better(
    codec: SceneCodec, seen: SeenBackground
) -> None:
    told = opened(codec, seen, ROOM_BITS)
    elements = [element for element, _ in told]
    assert 4 <= len(told) <= 6
    assert all(bits <= ROOM_BITS for _, bits in told)
    first = elements[0].update
    assert (first.block.rows, first.block.columns) == seen.latents[first.scale].shape[1:]
    errors = [float(((shown(codec, elements[:n]).astype(float) - seen.pixels) ** 2).mean()) for n in (0, 1, len(told))]
    assert errors[2] < 0.7 * errors[1] < 0.7 * 0.5 * errors[0]


def test_every_round_tells_each_cell_once_in_one_way(codec: SceneCodec, seen: SeenBackground) -> None:
    told = opened(codec, seen, ROOM_BITS)[1:]
    ((scale, _),) = {(element.update.scale, element.update.quality) for element, _ in told}
    count = np.zeros(seen.latents[scale].shape[1:], int)
    for element, _ in told:
        assert element.base is None
        assert not element.seed
        count[element.update.block.window] += 1
    assert (count == 1).all()


def test_more_room_makes_a_better_picture(codec: SceneCodec, seen: SeenBackground) -> None:
    errors = []
    for room_bits in (150.0, ROOM_BITS, 500.0):
        elements = [element for element, _ in opened(codec, seen, room_bits)]
        errors.append(float(((shown(codec, elements).astype(float) - seen.pixels) ** 2).mean()))
    assert errors == sorted(errors, reverse=True)


def test_a_longer_payload_holds_the_second_round_and_no_more(codec: SceneCodec, seen: SeenBackground) -> None:
    """Whether that was begun in what the first payload had left, or not."""
    for begun in (False, True):
        opening = Opening(codec)
        first = opening.next(seen.latents, seen.hidden, ROOM_BITS)
        assert first is not None
        opening.sent(first[0])
        if begun:
            assert opening.next(seen.latents, seen.hidden, 30.0) is None
        second = opening.next(seen.latents, seen.hidden, 3.3 * ROOM_BITS)
        assert second is not None
        assert 2 * ROOM_BITS < second[1] <= 3.3 * ROOM_BITS
        opening.sent(second[0])
        assert opening.finished


def test_what_is_left_of_a_payload_is_used_if_anything_fits(codec: SceneCodec, seen: SeenBackground) -> None:
    opening = Opening(codec)
    first = opening.next(seen.latents, seen.hidden, ROOM_BITS)
    assert first is not None
    opening.sent(first[0])
    assert opening.next(seen.latents, seen.hidden, 30.0) is None
    more = opening.next(seen.latents, seen.hidden, 120.0)
    assert more is not None
    assert more[1] <= 120.0
    assert more[0].update.block.row == 0


@pytest.mark.parametrize("room_bits", [8.0 * 21, ROOM_BITS])
@pytest.mark.parametrize("size_px", [(32, 32), (48, 400), (640, 480)])
def test_pictures_of_any_size_are_opened_in_a_few_payloads(
    codec: SceneCodec, size_px: tuple[int, int], room_bits: float
) -> None:
    seen = SeenBackground.of(picture(size_px, patches=8), codec)
    elements = [element for element, _ in opened(codec, seen, room_bits)]
    assert len(elements) <= 8
    nothing, told = (abs(shown(codec, each, size_px).astype(float) - seen.pixels).mean() for each in ([], elements))
    assert told < 0.75 * nothing


def test_a_picture_that_fits_at_no_quality_is_told_at_the_scale_that_takes_least(codec: SceneCodec) -> None:
    seen = SeenBackground.of(picture((640, 480), patches=40), codec)
    told = opened(codec, seen, 8.0 * 21)
    assert {element.update.scale for element, _ in told} == {2}
    assert len(told) <= 14


def test_a_cell_that_got_into_no_payload_is_not_offered_for_ever(codec: SceneCodec) -> None:
    """What cells take is an estimate."""
    opening = Opening(codec)
    seen = SeenBackground.of(picture((32, 32), patches=3), codec)
    offers = 0
    while not opening.finished:
        found = opening.next(seen.latents, seen.hidden, ROOM_BITS)
        offers += found is not None
        if found is not None:
            opening.next(seen.latents, seen.hidden, ROOM_BITS - 8)  # once more with less room, and again in vain
        assert offers < 9


def test_a_cell_that_fits_no_payload_is_left_out(codec: SceneCodec) -> None:
    """Of noise, at the finest quality."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    latents = SeenBackground.of(noise, codec).latents[0]
    told = Round(codec, Way(0, 31))
    assert told.band(latents, 100.0) is None
    for _ in range(16):
        assert not told.finished
        told.skip()
    assert told.finished


def test_the_finest_quality_that_fits_is_found(codec: SceneCodec, seen: SeenBackground) -> None:
    latents = seen.latents[1]
    found = [finest_quality(codec, latents, 1, range(5, 19), limit_bits) for limit_bits in (0.0, 500.0, 900.0, 1e6)]
    assert found[0] == 5
    assert 5 < found[1] < found[2] < 18
    assert found[3] == 18
