"""Seeds: the whole picture at half the resolution, again and again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import CellElement
from pantel_device.scene_encoding.background.seed_encoder import SEED_SCALE, SeedEncoder
from pantel_device.scene_encoding.news import News
from pantel_models import SceneCodec, contour_map, reduced

_ROOM_BITS = 8.0 * 33
_GRID = (4, 5)


@pytest.fixture(scope="module")
def latents(codec: SceneCodec) -> NDArray[np.float32]:
    """Of a picture of 160x112 pixels."""
    patches = np.random.default_rng(3).integers(0, 256, (14, 20, 3), np.uint8)
    pixels = reduced(np.asarray(cv2.resize(patches, (160, 112), interpolation=cv2.INTER_CUBIC), np.uint8), SEED_SCALE)
    return codec.analyse(pixels, contour_map(pixels))


def told(seeds: SeedEncoder, latents: NDArray[np.float32], payloads: int, room_bits: float) -> list[News | None]:
    """Return the news of so many payloads, all of which go on the air."""
    news = []
    for _ in range(payloads):
        news.append(seeds.news(latents, room_bits))
        if news[-1] is not None:
            seeds.sent(news[-1])
    return news


def cells(news: News) -> CellElement:
    (element,) = news.elements
    assert isinstance(element, CellElement)
    return element


def test_some_payloads_have_seeds_and_most_have_none(codec: SceneCodec, latents: NDArray[np.float32]) -> None:
    news = told(SeedEncoder(codec), latents, 90, _ROOM_BITS)
    places = [number for number, each in enumerate(news) if each is not None]
    assert len(places) >= 9
    assert min(np.diff(places)) >= 8


def test_of_longer_payloads_seeds_take_a_part_the_more_often(codec: SceneCodec, latents: NDArray[np.float32]) -> None:
    seeds = SeedEncoder(codec)
    seeds.measure(_ROOM_BITS)  # the opening had short ones
    news = told(seeds, latents, 300, 3.3 * _ROOM_BITS)
    seeded = [each for each in news if each is not None]
    assert all(each.bits <= _ROOM_BITS for each in seeded)
    short = [each for each in told(SeedEncoder(codec), latents, 990, _ROOM_BITS) if each is not None]
    assert len(seeded) == pytest.approx(len(short), rel=0.05)


def test_round_after_round_every_cell_is_told(codec: SceneCodec, latents: NDArray[np.float32]) -> None:
    count = np.zeros(_GRID, int)
    for news in told(SeedEncoder(codec), latents, 400, _ROOM_BITS):
        if news is not None:
            element = cells(news)
            assert element.seed
            assert element.base is None
            assert element.update.scale == SEED_SCALE
            assert news.bits <= _ROOM_BITS
            count[element.update.block.window] += 1
    assert count.min() >= 5
    assert count.max() - count.min() <= 1


def test_the_quality_is_what_a_round_of_two_payloads_can_carry(codec: SceneCodec, latents: NDArray[np.float32]) -> None:
    qualities = []
    for room_bits in (150.0, 264.0, 600.0):
        news = [each for each in told(SeedEncoder(codec), latents, 60, room_bits) if each is not None]
        qualities.append(cells(news[0]).update.quality)
        in_round = [cells(each).update.block for each in news[:2]]
        assert sum(block.rows * block.columns for block in in_round) >= np.prod(_GRID)
    assert qualities == sorted(qualities)
    assert qualities[0] < qualities[-1]


def test_what_did_not_fit_comes_back_smaller(codec: SceneCodec, latents: NDArray[np.float32]) -> None:
    """The bits of a seed are an estimate: one that is too large must not be offered for ever."""
    seeds = SeedEncoder(codec)
    offered = [each.bits for each in (seeds.news(latents, _ROOM_BITS) for _ in range(30)) if each is not None]
    assert len(offered) > 10
    assert max(offered) <= _ROOM_BITS
    assert offered[-1] < offered[0] - 50
