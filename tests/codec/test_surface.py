"""The background: what an update does to the surfaces of its scales."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    NEVER,
    SCALES,
    Background,
    Block,
    CellUpdate,
    Surface,
    SymbolError,
    cells_across,
    scaled_px,
)

GROUPS = (2, 3, 4)
WHOLE = Block(0, 0, 4, 3)
SECOND = 1_000_000_000


def update(levels: int = 1, *, block: Block = WHOLE, value: int = 1, quality: int = 7) -> CellUpdate:
    values = np.zeros((sum(GROUPS), block.rows, block.columns), np.int64)
    values[: sum(GROUPS[:levels])] = value
    return CellUpdate(block, quality, levels, values)


@pytest.fixture
def surface() -> Surface:
    return Surface(columns=4, rows=3, groups=GROUPS)


def state(surface: Surface) -> list[NDArray[np.generic]]:
    return [array.copy() for array in (surface.values, surface.level, surface.quality)]


def assert_unchanged(surface: Surface, before: list[NDArray[np.generic]]) -> None:
    for after, expected in zip(state(surface), before, strict=True):
        np.testing.assert_array_equal(after, expected)


def test_an_update_fills_its_block_only(surface: Surface) -> None:
    assert surface.apply(update(2, block=Block(1, 2, 3, 1)), time_ns=40) == 3
    held = np.zeros((3, 4), bool)
    held[2, 1:] = True
    np.testing.assert_array_equal(surface.level, 2 * held)
    np.testing.assert_array_equal(surface.time_ns, 40 * held)
    np.testing.assert_array_equal(surface.quality, 7 * held)
    np.testing.assert_array_equal(surface.values, np.repeat([1, 0], [5, 4])[:, None, None] * held)
    assert surface.revision == 1


def test_an_update_replaces_all_that_a_cell_holds(surface: Surface) -> None:
    surface.apply(update(3), SECOND)
    assert surface.apply(update(1, value=-4, quality=9), SECOND) == 12
    assert np.all(surface.level == 1)
    assert np.all(surface.quality == 9)
    assert surface.values[:, 0, 0].tolist() == [-4] * 2 + [0] * 7


@pytest.mark.parametrize("other", [{"value": 2}, {"quality": 8}, {"levels": 2}])
def test_another_version_of_a_cell_is_a_change(surface: Surface, other: dict[str, int]) -> None:
    surface.apply(update(), SECOND)
    assert surface.apply(update(**other), SECOND) == 12  # type: ignore[arg-type]
    assert surface.revision == 2


def test_a_repeated_update_renews_the_time_only(surface: Surface) -> None:
    surface.apply(update(3), SECOND)
    before = state(surface)
    assert surface.apply(update(3), 3 * SECOND) == 0
    assert_unchanged(surface, before)
    assert np.all(surface.time_ns == 3 * SECOND)
    assert surface.revision == 1


def test_only_the_cells_that_differ_change(surface: Surface) -> None:
    surface.apply(update(2), SECOND)
    again = update(2)
    again.values[3, 2, 1] += 1
    assert surface.apply(again, 2 * SECOND) == 1
    assert surface.values[3, 2, 1] == 2
    assert np.all(surface.time_ns == 2 * SECOND)


def test_a_late_update_does_not_replace_a_newer_one(surface: Surface) -> None:
    surface.apply(update(value=2), 5 * SECOND)
    before = state(surface)
    assert surface.apply(update(value=1), 4 * SECOND) == 0
    assert_unchanged(surface, before)
    assert np.all(surface.time_ns == 5 * SECOND)


def test_a_base_is_what_is_held_of_a_block(surface: Surface) -> None:
    surface.apply(update(2), SECOND)
    surface.apply(update(1, value=5, block=Block(3, 2, 1, 1)), SECOND)
    base = surface.base(Block(2, 1, 2, 2))
    assert base is not None
    assert base.quality == 7
    assert base.level.tolist() == [[2, 2], [2, 1]]
    np.testing.assert_array_equal(base.values, surface.values[:, 1:, 2:])
    surface.apply(update(3, value=9), 2 * SECOND)
    assert base.level.max() == 2  # it is a copy
    assert base.values.max() == 5


def test_a_block_has_no_base_unless_all_of_it_is_held_in_one_quality(surface: Surface) -> None:
    surface.apply(update(2, block=Block(0, 0, 3, 3)), SECOND)
    assert surface.base(Block(1, 0, 2, 1)) is not None
    assert surface.base(Block(1, 0, 3, 1)) is None
    surface.apply(update(2, block=Block(2, 0, 1, 1), quality=8), SECOND)
    assert surface.base(Block(1, 0, 2, 1)) is None


def test_a_checksum_tells_bases_apart(surface: Surface) -> None:
    surface.apply(update(2), SECOND)
    checksums = set()
    for value in range(40):
        surface.values[0, 0, 0] = value
        base = surface.base(WHOLE)
        assert base is not None
        checksums.add(base.checksum)
    assert len(checksums) > 30
    assert all(0 <= checksum < 256 for checksum in checksums)


def test_any_capture_time_will_do_for_the_first_update(surface: Surface) -> None:
    assert surface.apply(update(), -SECOND) == 12
    assert surface.apply(update(value=2), -SECOND // 2) == 12


@pytest.mark.parametrize(
    "block", [Block(1, 0, 4, 3), Block(0, 1, 4, 3), Block(-1, 0, 2, 2), Block(0, 0, 0, 3), Block(4, 3, 1, 1)]
)
def test_a_block_beside_the_surface_is_refused(surface: Surface, block: Block) -> None:
    with pytest.raises(SymbolError, match="does not lie on"):
        surface.apply(update(block=block), 0)


def test_an_update_for_another_model_is_refused(surface: Surface) -> None:
    for levels in (0, 4):
        with pytest.raises(SymbolError, match="channel groups"):
            surface.apply(CellUpdate(WHOLE, 0, levels, np.zeros((9, 3, 4), np.int64)), 0)
    with pytest.raises(SymbolError, match="shape"):
        surface.apply(CellUpdate(WHOLE, 0, 1, np.zeros((8, 3, 4), np.int64)), 0)


@pytest.mark.parametrize(("size_px", "cells"), [(1, 1), (16, 1), (17, 2), (240, 15), (1024, 64)])
def test_cells_cover_the_picture(size_px: int, cells: int) -> None:
    assert cells_across(size_px) == cells


@pytest.mark.parametrize(("size_px", "scaled"), [(1, (1, 1, 1)), (16, (16, 8, 4)), (241, (241, 121, 61))])
def test_pictures_get_smaller_with_the_scale(size_px: int, scaled: tuple[int, ...]) -> None:
    assert tuple(scaled_px(size_px, scale) for scale in range(SCALES)) == scaled


@pytest.fixture
def background() -> Background:
    """Return a background of 7x5, 4x3 and 2x2 cells."""
    return Background(100, 75, GROUPS)


CORNER = Block(1, 1, 1, 1)  # of scale 1: the cells 2 and 3 of scale 0


def at(scale: int, **values: Any) -> CellUpdate:
    return replace(update(**values), scale=scale)


def test_every_scale_covers_the_picture(background: Background) -> None:
    assert [(surface.rows, surface.columns) for surface in background.scales] == [(5, 7), (3, 4), (2, 2)]


def test_cells_of_one_scale_are_no_cells_of_another(background: Background) -> None:
    assert background.apply(at(1, block=CORNER), SECOND) == 1
    assert [int((surface.level > 0).sum()) for surface in background.scales] == [0, 1, 0]
    assert background.revision == 1


def test_coarser_news_take_the_place_of_what_is_held_below(background: Background) -> None:
    background.apply(at(0, block=Block(0, 0, 7, 5)), 2 * SECOND)
    background.apply(at(0, block=Block(3, 3, 1, 1), value=5), 4 * SECOND)
    before = background.revision
    background.apply(at(1, block=CORNER), 3 * SECOND)
    assert background.revision > before
    dropped = np.zeros((5, 7), bool)
    dropped[2:4, 2:4] = True
    dropped[3, 3] = False  # that is newer
    np.testing.assert_array_equal(background.scales[0].level == 0, dropped)
    assert not background.scales[0].values[:, dropped].any()
    assert not background.scales[0].time_ns[dropped].any()


def test_news_of_the_same_time_leave_finer_ones_alone() -> None:
    """So the elements of a payload may stand in any order."""
    for order in (0, 1), (1, 0):
        each = Background(100, 75, GROUPS)
        for scale in order:
            each.apply(at(scale, block=CORNER), SECOND)
        assert [int((surface.level > 0).sum()) for surface in each.scales] == [1, 1, 0]


def test_the_coarsest_reaches_all_below_it_also_at_the_border(background: Background) -> None:
    for scale in (0, 1):
        surface = background.scales[scale]
        background.apply(at(scale, block=Block(0, 0, surface.columns, surface.rows)), SECOND)
    background.apply(at(2, block=Block(1, 1, 1, 1)), 2 * SECOND)
    assert (background.scales[0].level[4:, 4:] == 0).all()
    assert (background.scales[1].level[2:, 2:] == 0).all()
    assert int((background.scales[0].level == 0).sum()) == 3
    assert int((background.scales[1].level == 0).sum()) == 2


def test_finer_news_that_come_late_change_nothing_where_coarser_ones_are_newer(background: Background) -> None:
    background.apply(at(1, block=CORNER), 3 * SECOND)
    assert background.apply(at(0, block=Block(0, 0, 7, 5)), 2 * SECOND) == 7 * 5 - 4
    assert (background.scales[0].level[2:4, 2:4] == 0).all()
    assert background.apply(at(0, block=Block(2, 2, 1, 1)), 4 * SECOND) == 1


def test_seeds_take_no_place_of_anything(background: Background) -> None:
    background.apply(at(0, block=Block(2, 2, 1, 1)), SECOND)
    assert background.apply(at(1, block=CORNER), 2 * SECOND, only_missing=True) == 1
    assert background.scales[0].level[2, 2] == 1
    assert background.apply(at(1, block=CORNER, value=3), 3 * SECOND, only_missing=True) == 0


def test_what_is_shown_of_a_cell_is_as_old_as_the_finest_that_is_held(background: Background) -> None:
    assert (background.shown_ns() == NEVER).all()
    background.apply(at(2, block=Block(0, 0, 1, 1)), -SECOND)
    background.apply(at(1, block=CORNER), 2 * SECOND)
    background.apply(at(0, block=Block(3, 3, 1, 1)), 3 * SECOND)
    shown_ns = background.shown_ns()
    assert shown_ns.shape == (5, 7)
    assert shown_ns[2:4, 2:4].tolist() == [[2 * SECOND, 2 * SECOND], [2 * SECOND, 3 * SECOND]]
    assert (shown_ns[:2, :4] == -SECOND).all()
    assert (shown_ns[4:] == NEVER).all()


@pytest.mark.parametrize(("scale", "block"), [(3, WHOLE), (-1, WHOLE), (1, Block(4, 0, 1, 1)), (2, Block(0, 2, 1, 1))])
def test_cells_beside_the_scales_are_refused(background: Background, scale: int, block: Block) -> None:
    with pytest.raises(SymbolError, match=r"scales|does not lie on"):
        background.apply(at(scale, block=block), 0)
