"""The scene: what an update does to a surface, and when sprites are dropped."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    Block,
    CellUpdate,
    Part,
    Pose,
    Scene,
    Sprite,
    Surface,
    SymbolError,
    Thumbnail,
    cells_across,
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


def sprite(*knot_times_s: int) -> Sprite:
    thumbnail = Thumbnail(Part.CORE, 0, 0, np.zeros(3, np.int32))
    result = Sprite(1, 20, 40, (0, 0, 0, 0), thumbnail, 0)
    for time_s in knot_times_s:
        result.trajectory.add(Pose(time_s * SECOND, 10, 10, 20))
    return result


def test_sprites_that_will_not_be_seen_again_are_dropped() -> None:
    scene = Scene(64, 48, GROUPS)
    scene.sprites = {3: sprite(1), 4: sprite(1, 5), 5: sprite(20)}
    scene.sprites[4].trajectory.end(6 * SECOND)
    scene.forget(6 * SECOND - 1)
    assert list(scene.sprites) == [3, 4, 5]
    scene.forget(6 * SECOND)
    assert list(scene.sprites) == [3, 5]
    scene.forget(9 * SECOND)
    assert list(scene.sprites) == [3, 5]
    scene.forget(9 * SECOND + 1)
    assert list(scene.sprites) == [5]


@pytest.mark.parametrize(("codes", "shape"), [((20, 40), 0), ((40, 40), 1), ((60, 40), 2)])
def test_the_shape_of_a_sprite_is_that_of_its_size_codes(codes: tuple[int, int], shape: int) -> None:
    each = sprite()
    each.width_code, each.height_code = codes
    assert each.shape == shape
