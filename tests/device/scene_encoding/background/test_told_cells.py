"""What was told of a background, settled apart from what is on its way."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_codec import VALUE_ONE, Background, Block, CellElement, CellUpdate
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.told_cells import ToldCells
from pantel_models import SceneCodec

_S = 1_000_000_000
_BLOCK = Block(1, 0, 1, 1)


@pytest.fixture
def told(codec: SceneCodec) -> ToldCells:
    return ToldCells(codec, Background(48, 32, codec.entropy.groups), Audience(0.1, 1e9))


def _cells(told: ToldCells, codec: SceneCodec, value: int, *, quality: int = 5, refines: bool = False) -> CellElement:
    values = np.zeros((codec.entropy.channels, 1, 1), np.int64)
    values[0] = value * VALUE_ONE
    base = told.background.scales[0].base(_BLOCK) if refines else None
    return CellElement(CellUpdate(_BLOCK, quality, 4, values), base=base)


def test_who_has_it_for_certain_holds_it(told: ToldCells, codec: SceneCodec) -> None:
    told.note(_cells(told, codec, 3), _S, 1.0)
    assert told.beliefs[0].newest_share(_S)[0, 1] == 1.0
    told.note(_cells(told, codec, 4), 2 * _S, 0.9)
    assert told.beliefs[0].newest_share(2 * _S)[0, 1] == pytest.approx(0.9)


def test_a_copy_goes_its_own_way(told: ToldCells, codec: SceneCodec) -> None:
    told.note(_cells(told, codec, 3), _S, 1.0)
    settled = told.copy()
    told.note(_cells(told, codec, 4), 2 * _S, 0.9)
    assert settled.background.scales[0].values[0, 0, 1] == 3 * VALUE_ONE
    told.copy_from(settled)
    assert told.background.scales[0].values[0, 0, 1] == 3 * VALUE_ONE
    assert told.beliefs[0].newest_share(2 * _S)[0, 1] == pytest.approx(1.0)
    told.note(_cells(told, codec, 5), 3 * _S, 1.0)
    assert settled.background.scales[0].values[0, 0, 1] == 3 * VALUE_ONE


def test_what_refines_can_be_read_with_the_same_base_only(told: ToldCells, codec: SceneCodec) -> None:
    told.note(_cells(told, codec, 3), _S, 1.0)
    settled = told.copy()
    finer = _cells(told, codec, 7, quality=12, refines=True)
    assert settled.can_read(finer)
    assert settled.can_read(_cells(told, codec, 7))
    settled.note(_cells(told, codec, 4), 2 * _S, 1.0)
    assert not settled.can_read(finer)
    assert not told.untold().can_read(finer)
