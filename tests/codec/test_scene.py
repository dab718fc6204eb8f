"""The scene: what an update does to a surface, and elements to a scene."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    Block,
    CellElement,
    CellUpdate,
    ForgetElement,
    ObjectElement,
    Pose,
    PoseElement,
    Raster,
    Scene,
    Sprite,
    Surface,
    SymbolError,
    apply_element,
    cells_across,
)
from pantel_codec.scene import MAX_POSES

GROUPS = (2, 3, 4)
WHOLE = Block(0, 0, 4, 3)
SECOND = 1_000_000_000


def update(
    groups: range = range(1), *, block: Block = WHOLE, value: int = 1, quality: int = 7, tag: int = 5
) -> CellUpdate:
    symbols = np.zeros((sum(GROUPS), block.rows, block.columns), np.int64)
    symbols[sum(GROUPS[: groups.start]) : sum(GROUPS[: groups.stop])] = value
    return CellUpdate(block, quality, groups, tag, symbols)


@pytest.fixture
def surface() -> Surface:
    return Surface(columns=4, rows=3, groups=GROUPS)


def state(surface: Surface) -> list[NDArray[np.generic]]:
    return [array.copy() for array in (surface.symbols, surface.level, surface.quality, surface.tag)]


def assert_unchanged(surface: Surface, before: list[NDArray[np.generic]]) -> None:
    for now, then in zip(state(surface), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_coarse_update_fills_its_block_only(surface: Surface) -> None:
    assert surface.apply(update(range(2), block=Block(1, 2, 3, 1)), time_ns=40) == 3
    held = np.zeros((3, 4), bool)
    held[2, 1:] = True
    np.testing.assert_array_equal(surface.level, 2 * held)
    np.testing.assert_array_equal(surface.tag, 5 * held)
    np.testing.assert_array_equal(surface.time_ns, 40 * held)
    np.testing.assert_array_equal(surface.quality, [7 * held, 7 * held, 0 * held])
    np.testing.assert_array_equal(surface.symbols, np.repeat([1, 0], [5, 4])[:, None, None] * held)
    assert surface.revision == 1


def test_a_refinement_adds_levels(surface: Surface) -> None:
    surface.apply(update(range(1)), SECOND)
    assert surface.apply(update(range(1, 3), value=-4, quality=9), 2 * SECOND) == 12
    assert np.all(surface.level == 3)
    assert surface.symbols[:, 0, 0].tolist() == [1] * 2 + [-4] * 7
    assert surface.quality[:, 0, 0].tolist() == [7, 9, 9]
    assert np.all(surface.time_ns == 2 * SECOND)


def test_a_refinement_of_another_version_is_dropped(surface: Surface) -> None:
    surface.apply(update(tag=5), SECOND)
    surface.apply(update(tag=6, block=Block(0, 0, 2, 1)), SECOND)
    assert surface.apply(update(range(1, 2), tag=6), 2 * SECOND) == 2
    assert (surface.level == 2).sum() == 2
    assert np.all(surface.time_ns[surface.level == 1] == SECOND)


def test_a_refinement_without_the_level_before_it_is_dropped(surface: Surface) -> None:
    assert surface.apply(update(range(1, 2), tag=0), SECOND) == 0
    surface.apply(update(tag=5), SECOND)
    before = state(surface)
    assert surface.apply(update(range(2, 3), tag=5), 2 * SECOND) == 0
    assert_unchanged(surface, before)
    assert surface.revision == 1


def test_an_unchanged_coarse_cell_keeps_its_refinement(surface: Surface) -> None:
    surface.apply(update(range(1)), SECOND)
    surface.apply(update(range(1, 3)), SECOND)
    before, revision = state(surface), surface.revision
    assert surface.apply(update(range(1)), 3 * SECOND) == 0
    assert_unchanged(surface, before)
    assert np.all(surface.time_ns == 3 * SECOND)
    assert surface.revision == revision


@pytest.mark.parametrize("other", [{"value": 2}, {"quality": 8}, {"tag": 6}])
def test_a_changed_coarse_cell_loses_its_refinement(surface: Surface, other: dict[str, int]) -> None:
    surface.apply(update(range(1)), SECOND)
    surface.apply(update(range(1, 3)), SECOND)
    assert surface.apply(update(range(1), **other), SECOND) == 12  # type: ignore[arg-type]
    assert np.all(surface.level == 1)


def test_only_the_cells_that_differ_change(surface: Surface) -> None:
    surface.apply(update(range(2)), SECOND)
    again = update(range(2))
    again.symbols[3, 2, 1] += 1
    assert surface.apply(again, 2 * SECOND) == 1
    assert surface.symbols[3, 2, 1] == 2
    assert np.all(surface.time_ns == 2 * SECOND)


def test_a_repeated_refinement_changes_nothing(surface: Surface) -> None:
    surface.apply(update(range(3)), SECOND)
    before = state(surface)
    assert surface.apply(update(range(1, 2)), 2 * SECOND) == 0
    assert_unchanged(surface, before)


def test_a_late_coarse_update_does_not_replace_a_newer_one(surface: Surface) -> None:
    surface.apply(update(value=2, tag=6), 5 * SECOND)
    before = state(surface)
    assert surface.apply(update(value=1, tag=5), 4 * SECOND) == 0
    assert_unchanged(surface, before)
    assert np.all(surface.time_ns == 5 * SECOND)
    assert surface.apply(update(range(1, 2), tag=6), 4 * SECOND) == 12  # late, but it refines what is held
    assert np.all(surface.time_ns == 5 * SECOND)


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
    with pytest.raises(SymbolError, match="channel groups"):
        surface.apply(CellUpdate(WHOLE, 0, range(4), 0, np.zeros((9, 3, 4), np.int64)), 0)
    with pytest.raises(SymbolError, match="shape"):
        surface.apply(CellUpdate(WHOLE, 0, range(1), 0, np.zeros((8, 3, 4), np.int64)), 0)


@pytest.mark.parametrize(("size_px", "cells"), [(1, 1), (16, 1), (17, 2), (240, 15), (1024, 64)])
def test_cells_cover_the_picture(size_px: int, cells: int) -> None:
    assert cells_across(size_px) == cells


def test_poses_stay_in_order_and_do_not_grow_for_ever() -> None:
    sprite = Sprite(1, Surface(1, 1, GROUPS))
    for time_ns in (30, 10, 20, 10):
        sprite.add_pose(Pose(time_ns, float(len(sprite.poses)), 0, 1, 1))
    assert [(pose.time_ns, pose.x) for pose in sprite.poses] == [(10, 3.0), (20, 2.0), (30, 0.0)]
    for time_ns in range(100, 100 + 2 * MAX_POSES):
        sprite.add_pose(Pose(time_ns, 0, 0, 1, 1))
    assert len(sprite.poses) == MAX_POSES
    assert sprite.poses[-1].time_ns == 99 + 2 * MAX_POSES


@pytest.fixture
def scene() -> Scene:
    return Scene(64, 48, GROUPS)


def test_cells_reach_the_background(scene: Scene) -> None:
    assert apply_element(scene, CellElement(update()), SECOND) == 12
    assert np.all(scene.background.level == 1)
    assert scene.surface(None) is scene.background


def test_cells_make_a_sprite_known(scene: Scene) -> None:
    raster = Raster(9, columns=4, rows=3)
    assert apply_element(scene, CellElement(update(), raster), SECOND) == 12
    assert scene.sprites[9].class_id == 0
    surface = scene.surface(9)
    assert surface is not None
    assert np.all(surface.level == 1)


def test_identity_keeps_the_appearance_unless_the_raster_changes(scene: Scene) -> None:
    raster = Raster(9, columns=4, rows=3)
    apply_element(scene, CellElement(update(), raster), SECOND)
    assert apply_element(scene, ObjectElement(raster, 3), SECOND) == 1
    assert scene.sprites[9].class_id == 3
    assert np.all(scene.sprites[9].surface.level == 1)
    apply_element(scene, ObjectElement(Raster(9, columns=2, rows=2), 3), SECOND)
    assert not scene.sprites[9].surface.level.any()


def test_poses_count_back_from_the_capture_time(scene: Scene) -> None:
    pose = PoseElement(9, age_steps=3, x=1, y=2, width=3, height=4)
    assert apply_element(scene, pose, SECOND) == 0
    apply_element(scene, ObjectElement(Raster(9, 1, 1), 3), SECOND)
    assert apply_element(scene, pose, SECOND) == 1
    assert scene.sprites[9].poses == [Pose(700_000_000, 1, 2, 3, 4)]


def test_a_sprite_can_be_forgotten_once(scene: Scene) -> None:
    apply_element(scene, ObjectElement(Raster(9, 1, 1), 3), SECOND)
    assert apply_element(scene, ForgetElement(9), SECOND) == 1
    assert apply_element(scene, ForgetElement(9), SECOND) == 0
    assert scene.surface(9) is None
