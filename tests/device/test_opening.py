"""The opening of a stream, and rounds: the whole picture in as many payloads as it takes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Background, CellElement
from pantel_device.background_view import SeenBackground
from pantel_device.cell_coding import Way
from pantel_device.opening import Opening
from pantel_device.rounds import Round, finest_quality
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


def opened(codec: SceneCodec, seen: SeenBackground, room_bits: float) -> list[tuple[Way, CellElement, float]]:
    """Return what the opening tells, an element a payload."""
    opening, told = Opening(codec), []
    while not opening.finished:
        found = opening.next(seen.latents, seen.hidden, room_bits)
        if found is not None:
            told.append(found)
            opening.sent(found[1])
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
    elements = [element for _, element, _ in told]
    assert 4 <= len(told) <= 6
    assert all(bits <= ROOM_BITS for _, _, bits in told)
    first = elements[0].update
    assert (first.block.rows, first.block.columns) == seen.latents[first.scale].shape[1:]
    errors = [float(((shown(codec, elements[:n]).astype(float) - seen.pixels) ** 2).mean()) for n in (0, 1, len(told))]
    assert errors[2] < 0.7 * errors[1] < 0.7 * 0.5 * errors[0]


def test_every_round_tells_each_cell_once_in_one_way(codec: SceneCodec, seen: SeenBackground) -> None:
    told = opened(codec, seen, ROOM_BITS)[1:]
    (way,) = {way for way, _, _ in told}
    count = np.zeros(seen.latents[way.scale].shape[1:], int)
    for _, element, _ in told:
        assert (element.update.scale, element.update.quality) == (way.scale, way.quality)
        assert element.base is None
        assert not element.seed
        count[element.update.block.window] += 1
    assert (count == 1).all()


def test_more_room_makes_a_better_picture(codec: SceneCodec, seen: SeenBackground) -> None:
    errors = []
    for room_bits in (150.0, ROOM_BITS, 500.0):
        elements = [element for _, element, _ in opened(codec, seen, room_bits)]
        errors.append(float(((shown(codec, elements).astype(float) - seen.pixels) ** 2).mean()))
    assert errors == sorted(errors, reverse=True)


def test_what_is_left_of_a_payload_is_used_if_anything_fits(codec: SceneCodec, seen: SeenBackground) -> None:
    opening = Opening(codec)
    first = opening.next(seen.latents, seen.hidden, ROOM_BITS)
    assert first is not None
    opening.sent(first[1])
    assert opening.next(seen.latents, seen.hidden, 30.0) is None
    more = opening.next(seen.latents, seen.hidden, 120.0)
    assert more is not None
    assert more[2] <= 120.0
    assert more[1].update.block.row == 0


@pytest.mark.parametrize("size_px", [(32, 32), (48, 400), (640, 480)])
def test_pictures_of_any_size_are_opened(codec: SceneCodec, size_px: tuple[int, int]) -> None:
    seen = SeenBackground.of(picture(size_px, patches=40), codec)
    elements = [element for _, element, _ in opened(codec, seen, ROOM_BITS)]
    assert abs(shown(codec, elements, size_px).astype(float) - seen.pixels).mean() < 60


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
