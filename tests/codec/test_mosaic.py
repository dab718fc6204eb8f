"""Mosaics: where pictures lie in them, how they hang together, and what late and lost packets do."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_codec import (
    MOSAICS,
    TURN_LIMIT,
    ZOOM_LIMIT,
    Block,
    CameraElement,
    CameraPose,
    CellElement,
    CellUpdate,
    LinkElement,
    Scene,
    apply_element,
    mosaic_size_px,
)

S = 1_000_000_000
GROUPS = (2, 3, 4)
STILL = CameraPose(0, 0, 0, 0)


@pytest.fixture
def scene() -> Scene:
    return Scene(320, 240, GROUPS)


def look(scene: Scene, mosaic: int, time_ns: int, x: int = 0, y: int = 0) -> None:
    apply_element(scene, CameraElement(mosaic, 0, CameraPose(x, y, 0, 0)), time_ns)


def places(scene: Scene, time_ns: int) -> list[tuple[float, float]]:
    """Return where the middle of the picture lies in each layer, the nearest first."""
    sight = scene.mosaics.sight(scene.background, time_ns)
    middles = [(layer.matrix @ sight.placed)[:2, 2] for layer in sight.layers]
    return [(round(float(x), 6), round(float(y), 6)) for x, y in middles]


@given(
    st.builds(
        CameraPose,
        st.integers(-96, 96),
        st.integers(-96, 96),
        st.integers(-ZOOM_LIMIT, ZOOM_LIMIT),
        st.integers(-TURN_LIMIT, TURN_LIMIT),
    )
)
def test_a_pose_is_the_nearest_to_its_own_matrix(pose: CameraPose) -> None:
    assert CameraPose.nearest(pose.matrix) == pose


def test_a_pose_enlarges_turns_and_shifts() -> None:
    mapped = CameraPose(5, -7, 16, 32).matrix @ np.array([100.0, 0.0, 1.0])
    scale, angle = 2**0.25, 0.25
    np.testing.assert_allclose(mapped[:2], [5 + 100 * scale * np.cos(angle), -7 + 100 * scale * np.sin(angle)])


def test_mosaics_are_larger_than_pictures() -> None:
    assert mosaic_size_px(320, 240) == (448, 368)
    assert mosaic_size_px(160, 120) == (288, 248)
    assert mosaic_size_px(640, 480) == (896, 736)


def test_a_camera_that_stands_still_has_its_background_alone(scene: Scene) -> None:
    sight = scene.mosaics.sight(scene.background, 3 * S)
    (layer,) = sight.layers
    assert layer.background is sight.background is scene.background
    np.testing.assert_array_equal(layer.matrix, np.eye(3))
    np.testing.assert_array_equal(sight.placed, np.eye(3))


def test_between_two_poses_the_picture_moves_evenly(scene: Scene) -> None:
    look(scene, 0, S, x=10)
    look(scene, 0, 2 * S, x=30, y=8)
    assert [places(scene, round(at_s * S)) for at_s in (0, 1.25, 1.75, 5)] == [
        [(10, 0)],
        [(15, 2)],
        [(25, 6)],
        [(30, 8)],
    ]


def test_a_link_tells_where_older_backgrounds_lie(scene: Scene) -> None:
    look(scene, 0, S, x=4)
    apply_element(scene, LinkElement(0, None, CameraPose(1, 2, 0, 0)), S)
    look(scene, 0, 2 * S, x=60)
    look(scene, 1, 3 * S)
    apply_element(scene, LinkElement(1, 0, CameraPose(80, 0, 0, 0)), 3 * S)
    assert places(scene, 3 * S) == [(0, 0), (80, 0), (81, 2)]
    # In between, poses of both count.
    assert places(scene, round(2.5 * S)) == [(-10, 0), (70, 0), (71, 2)]
    backgrounds = [scene.mosaics.background(1), scene.mosaics.background(0), scene.background]
    for time_ns, current in ((S, 1), (2 * S, 1), (3 * S, 0)):  # the picture lies in that in which it was taken
        sight = scene.mosaics.sight(scene.background, time_ns)
        assert [layer.background for layer in sight.layers] == backgrounds
        assert sight.background is backgrounds[current]
        np.testing.assert_array_equal(sight.layers[current].matrix, np.eye(3))


def test_as_long_as_no_link_is_known_a_mosaic_begins_where_the_camera_was(scene: Scene) -> None:
    look(scene, 0, S, x=40)
    look(scene, 1, 2 * S)
    assert places(scene, 2 * S) == [(0, 0), (40, 0)]


def test_behind_what_is_not_known_nothing_is_seen(scene: Scene) -> None:
    assert apply_element(scene, LinkElement(3, None, STILL), S) == 0
    look(scene, 0, S)
    look(scene, 1, 2 * S)
    assert len(places(scene, 2 * S)) == 2
    assert apply_element(scene, LinkElement(1, 1, STILL), 2 * S) == 0
    assert len(places(scene, 2 * S)) == 2
    assert apply_element(scene, LinkElement(1, 5, STILL), 2 * S) == 0
    assert places(scene, 2 * S) == [(0, 0)]


def test_links_in_a_circle_end(scene: Scene) -> None:
    look(scene, 0, S)
    look(scene, 1, 2 * S)
    apply_element(scene, LinkElement(1, 0, STILL), 2 * S)
    apply_element(scene, LinkElement(0, 1, STILL), 2 * S)
    assert places(scene, 2 * S) == [(0, 0), (0, 0)]


def test_cells_are_those_of_their_mosaic(scene: Scene) -> None:
    update = CellUpdate(Block(20, 3, 2, 2), 2, 1, np.ones((9, 2, 2), np.int64))
    assert apply_element(scene, CellElement(update, mosaic=2), S) == 0  # not known
    look(scene, 2, S)
    assert apply_element(scene, CellElement(update, mosaic=2), S) == 4
    background = scene.mosaics.background(2)
    assert background is not None
    assert background.scales[0].level.sum() == 4
    assert scene.background.scales[0].level.sum() == 0


def test_a_number_that_comes_again_is_that_of_a_new_mosaic(scene: Scene) -> None:
    look(scene, 0, S, x=1)
    look(scene, 1, 3 * S, x=2)
    first = scene.mosaics.background(0)
    look(scene, 0, 2 * S, x=3)  # came late
    assert scene.mosaics.background(0) is first
    assert scene.mosaics.known[-1].number == 1
    look(scene, 0, 4 * S)  # all between were lost
    assert scene.mosaics.background(0) is not first
    look(scene, 0, 60 * S)  # the newest stays the same, however long it lasts
    assert [mosaic.number for mosaic in scene.mosaics.known] == [1, 0]


def test_a_mosaic_whose_first_packet_comes_late_is_no_newer(scene: Scene) -> None:
    look(scene, 1, 2 * S)
    look(scene, 0, S)
    assert [mosaic.number for mosaic in scene.mosaics.known] == [0, 1]
    apply_element(scene, LinkElement(1, 0, CameraPose(80, 0, 0, 0)), 3 * S)
    assert places(scene, 3 * S) == [(0, 0), (80, 0)]


def test_old_mosaics_are_forgotten(scene: Scene) -> None:
    alive = [weakref.ref(scene.background)]
    for step in range(30):
        look(scene, step % MOSAICS, (step + 1) * S, x=5)
        apply_element(scene, LinkElement(step % MOSAICS, (step - 1) % MOSAICS, STILL), (step + 1) * S)
        background = scene.mosaics.background(step % MOSAICS)
        assert background is not None
        alive.append(weakref.ref(background))
        del background
    assert [mosaic.number for mosaic in scene.mosaics.known] == [step % MOSAICS for step in range(24, 30)]
    assert len(places(scene, 30 * S)) == 6  # what hung behind them is not known any more
    gc.collect()
    assert sum(each() is not None for each in alive) == 7


def test_a_camera_that_was_not_told_of_has_rested(scene: Scene) -> None:
    look(scene, 0, S)
    for tenth in range(14, 40, 4):
        apply_element(scene, CameraElement(0), tenth * S // 10)
    look(scene, 0, 4 * S, x=20)
    assert places(scene, round(3.1 * S)) == [(0, 0)]
    assert places(scene, round(3.6 * S))[0][0] == pytest.approx(20 * (3.6 - 3.2) / 0.8)


def test_before_the_first_mosaic_the_camera_stood_still(scene: Scene) -> None:
    look(scene, 0, 3 * S)
    apply_element(scene, LinkElement(0, None, CameraPose(10, 0, 0, 0)), 3 * S)
    assert [places(scene, round(at_s * S))[1] for at_s in (1, 2.5, 2.75, 3)] == [(0, 0), (0, 0), (5, 0), (10, 0)]
