"""What was told of moving objects, settled apart from what is on its way."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_codec import ForgetElement, Knot, LookElement, Part, PoseElement, SpriteElement, Thumbnail, size_code
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.objects.told_sprites import ToldSprites
from pantel_models.thumbnails import RASTER_PX, Look

_S = 1_000_000_000
_LOOK = Look(np.zeros((RASTER_PX, RASTER_PX, 3), np.float32), np.zeros((RASTER_PX, RASTER_PX), np.float32))
_NEW_LOOK = Look(np.ones((RASTER_PX, RASTER_PX, 3), np.float32), np.ones((RASTER_PX, RASTER_PX), np.float32))
_CORE, _NEW_CORE = (Thumbnail(Part.CORE, 3, version, np.zeros(4, np.int32)) for version in (0, 1))


def _introduction(track_id: int, sprite_id: int = 3) -> News:
    knot = Knot(2, 50, 60, size_code(40))
    element = SpriteElement(sprite_id, True, 1, size_code(16), (0, 0, 0, 0), knot, _CORE)
    return News("sprites", (element,), 100.0, 1.0, track_id, _LOOK)


def _move(track_id: int, x: int, sprite_id: int = 3) -> News:
    return News("poses", (PoseElement(sprite_id, Knot(2, x, 60, size_code(40))),), 30.0, 1.0, track_id)


def _look(track_id: int) -> News:
    return News("sprites", (LookElement(3, 0, _NEW_CORE),), 60.0, 1.0, track_id, _NEW_LOOK)


def test_what_arrived_is_missing_nowhere() -> None:
    told = ToldSprites()
    told.note(_introduction(1), _S, 0.0)
    assert told[1].missing == 0.0
    other = ToldSprites()
    other.note(_introduction(1), _S, 0.1)
    assert other[1].missing == 0.1


def test_news_are_of_use_only_to_who_knows_the_object() -> None:
    told = ToldSprites()
    told.note_if_known(_move(1, 70), _S, 0.0)
    told.note_if_known(_look(1), _S, 0.0)
    assert told == {}
    with pytest.raises(ValueError, match="not introduced"):
        told.note(_move(1, 70), _S, 0.0)


def test_a_copy_goes_its_own_way() -> None:
    told = ToldSprites()
    told.note(_introduction(1), _S, 0.0)
    settled = told.copy()
    told.note(_move(1, 70), 2 * _S, 0.0)
    told.note(_look(1), 2 * _S, 0.0)
    assert settled[1].knot_ns < told[1].knot_ns
    assert settled[1].look is _LOOK
    assert settled[1].sprite.core is _CORE
    assert told[1].look is _NEW_LOOK
    told.note(News("farewells", (ForgetElement(3, 2),), 9.0, 1.0, 1), 3 * _S, 0.0)
    assert 1 not in told
    assert 1 in settled


def test_an_id_that_is_given_again_takes_the_place_of_who_had_it() -> None:
    told = ToldSprites()
    told.note_if_known(_introduction(1), _S, 0.0)
    told.note_if_known(_introduction(2, 4), _S, 0.0)
    told.note_if_known(_introduction(3, 3), 2 * _S, 0.0)  # nobody heard that the first one had gone
    assert set(told) == {2, 3}


def test_whose_id_is_given_again_is_not_bidden_farewell_any_more() -> None:
    told = ToldSprites()
    told.note(_introduction(1), _S, 0.0)
    told.note(News("farewells", (ForgetElement(3, 2),), 9.0, 1.0, 1), 2 * _S, 0.1)
    assert told.gone({2}, 2 * _S)[1][1] == 0.1
    told.note_if_known(_introduction(2, 3), 3 * _S, 0.1)
    assert told.gone({2}, 3 * _S) == {}
