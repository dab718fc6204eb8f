"""Elements: what each does to a scene, in whatever order packets arrive."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_codec import (
    MARGINS,
    STEP_RANGE_PX,
    STEP_SIZES,
    Block,
    CellElement,
    CellUpdate,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    Part,
    Pose,
    PoseElement,
    Scene,
    SpriteElement,
    StepElement,
    SymbolError,
    Thumbnail,
    Tone,
    ToneElement,
    Trajectory,
    apply_element,
    completed_knot,
    size_px,
)

S = 1_000_000_000
HEIGHT_CODE = 48  # 32 px
TALL, SQUARE = 0, 1
FAR_PX, FAR_SIZES = STEP_RANGE_PX // 2 - 1, STEP_SIZES // 2 - 1
"""As far from what is expected as a step can lead for certain."""


@pytest.fixture
def scene() -> Scene:
    return Scene(64, 48, (2, 3, 4))


def thumbnail(part: Part = Part.CORE, *, version: int = 0) -> Thumbnail:
    return Thumbnail(part, 3, version, np.zeros(5, np.int32))


def sprite(core: Thumbnail, *, new: bool = True, age_steps: int = 0, x: int = 20, sprite_id: int = 9) -> SpriteElement:
    knot = Knot(age_steps, x, 30, HEIGHT_CODE)
    return SpriteElement(sprite_id, new, 1, 30, (0, 1, 2, 3), knot, core)


def pose(age_steps: int, x: int, *, sprite_id: int = 9) -> PoseElement:
    return PoseElement(sprite_id, Knot(age_steps, x, 30, HEIGHT_CODE))


def test_cells_reach_the_background(scene: Scene) -> None:
    update = CellUpdate(Block(0, 0, 4, 3), 2, 1, np.ones((9, 3, 4), np.int64))
    assert apply_element(scene, CellElement(update), S) == 12
    assert np.all(scene.background.scales[0].level == 1)
    with pytest.raises(SymbolError):
        apply_element(scene, CellElement(CellUpdate(Block(1, 0, 4, 3), 2, 1, update.values)), S)


def test_a_sprite_becomes_known_with_a_look_and_a_place(scene: Scene) -> None:
    core = thumbnail()
    assert apply_element(scene, sprite(core, age_steps=3), S) == 1
    known = scene.sprites[9]
    assert (known.class_id, known.width_code, known.height_code, known.margins) == (1, 30, HEIGHT_CODE, (0, 1, 2, 3))
    assert (known.core, known.detail, known.look_ns, known.shape) == (core, None, S, TALL)
    assert known.trajectory.knots == [Pose(700_000_000, 20, 30, 32)]
    assert len(MARGINS) == 4


@pytest.mark.parametrize(
    "element",
    [
        pose(0, 20),
        StepElement(9, 0, 20, 30, 0),
        LookElement(9, TALL, thumbnail()),
        ForgetElement(9, 0),
    ],
)
def test_what_names_an_unknown_sprite_is_dropped(scene: Scene, element: Element) -> None:
    assert apply_element(scene, element, S) == 0
    assert not scene.sprites


def test_a_new_object_starts_anew_and_another_look_goes_on(scene: Scene) -> None:
    first, second, third = thumbnail(), thumbnail(), thumbnail()
    apply_element(scene, sprite(first), S)
    apply_element(scene, sprite(second, new=False, x=25), 2 * S)
    assert scene.sprites[9].core is second
    assert [knot.x for knot in scene.sprites[9].trajectory.knots] == [20, 25]
    apply_element(scene, sprite(third, x=50), 3 * S)
    assert scene.sprites[9].core is third
    assert [knot.x for knot in scene.sprites[9].trajectory.knots] == [50]


def test_a_sprite_that_comes_late_does_not_replace_a_newer_one(scene: Scene) -> None:
    newer = thumbnail()
    apply_element(scene, sprite(newer, x=50), 3 * S)
    assert apply_element(scene, sprite(thumbnail(), x=20), 2 * S) == 0
    assert scene.sprites[9].core is newer
    assert [knot.x for knot in scene.sprites[9].trajectory.knots] == [50]


def test_a_new_look_keeps_place_and_proportions(scene: Scene) -> None:
    apply_element(scene, sprite(thumbnail()), S)
    core = thumbnail(version=1)
    assert apply_element(scene, LookElement(9, TALL, core), 2 * S) == 1
    known = scene.sprites[9]
    assert (known.core, known.look_ns, known.width_code) == (core, 2 * S, 30)
    assert len(known.trajectory.knots) == 1


def test_detail_is_of_use_with_its_core_only(scene: Scene) -> None:
    apply_element(scene, sprite(thumbnail(version=2)), S)
    assert apply_element(scene, LookElement(9, TALL, thumbnail(Part.DETAIL, version=1)), 2 * S) == 0
    assert scene.sprites[9].detail is None
    detail = thumbnail(Part.DETAIL, version=2)
    assert apply_element(scene, LookElement(9, TALL, detail), 3 * S) == 1
    known = scene.sprites[9]
    assert known.detail is detail
    assert known.look_ns == 3 * S
    apply_element(scene, LookElement(9, TALL, thumbnail(version=3)), 4 * S)
    assert scene.sprites[9].detail is None


def test_a_look_of_another_shape_or_time_is_dropped(scene: Scene) -> None:
    core = thumbnail()
    apply_element(scene, sprite(core), 2 * S)
    assert apply_element(scene, LookElement(9, SQUARE, thumbnail(version=1)), 3 * S) == 0
    assert apply_element(scene, LookElement(9, TALL, thumbnail(version=1)), S) == 0
    assert apply_element(scene, LookElement(9, TALL, thumbnail(Part.DETAIL)), S) == 0
    assert scene.sprites[9].core is core


def test_poses_count_back_from_the_time_stamp(scene: Scene) -> None:
    apply_element(scene, sprite(thumbnail()), S)
    assert apply_element(scene, pose(5, 26), 3 * S) == 1
    assert [(knot.time_ns, knot.x) for knot in scene.sprites[9].trajectory.knots] == [(S, 20), (2 * S + S // 2, 26)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_poses_and_an_end_may_come_in_any_order(scene: Scene, order: tuple[int, ...]) -> None:
    apply_element(scene, sprite(thumbnail()), S)
    news: list[tuple[Element, int]] = [(pose(0, 30), 2 * S), (ForgetElement(9, 5), 3 * S), (pose(0, 50), 4 * S)]
    for index in order:
        element, time_ns = news[index]
        apply_element(scene, element, time_ns)
    trajectory = scene.sprites[9].trajectory
    assert trajectory.gone_ns is None  # it was seen after it had been said to be gone
    assert [knot.x for knot in trajectory.knots] == [20, 30, 50]


def test_a_sprite_that_is_gone_is_not_seen_from_then_on(scene: Scene) -> None:
    apply_element(scene, sprite(thumbnail()), S)
    assert apply_element(scene, ForgetElement(9, 5), 3 * S) == 1
    assert scene.sprites[9].trajectory.at(2 * S) is not None
    assert scene.sprites[9].trajectory.at(2 * S + S // 2) is None
    scene.forget(3 * S)
    assert apply_element(scene, ForgetElement(9, 5), 3 * S) == 0


def test_tones_count_back_and_come_in_32nds_of_an_octave(scene: Scene) -> None:
    assert apply_element(scene, ToneElement(5, (16, -8, 31)), 3 * S) == 1
    assert scene.tone.tones == [Tone(2 * S + S // 2, (0.5, -0.25, 31 / 32))]


def trajectory(*knots: tuple[int, float, float]) -> Trajectory:
    result = Trajectory()
    for tenths, x, height in knots:
        result.add(Pose(tenths * S // 10, x, x, height))
    return result


def step(age_steps: int, x: int, y: int, height_code: int) -> StepElement:
    """Return a step to a place and a size."""
    return StepElement(9, age_steps, x % STEP_RANGE_PX, y % STEP_RANGE_PX, height_code % STEP_SIZES)


def test_a_step_is_completed_from_where_the_object_is_expected() -> None:
    path = trajectory((10, 100, 32), (20, 120, 32))  # expected at 3 s: 140
    told = step(2, 140 + FAR_PX, 140 - FAR_PX, HEIGHT_CODE - FAR_SIZES)
    assert completed_knot(path, told, 3 * S + 2 * S // 10) == Knot(
        2, 140 + FAR_PX, 140 - FAR_PX, HEIGHT_CODE - FAR_SIZES
    )


def test_of_two_equally_near_places_a_step_means_the_one_further_on() -> None:
    half = STEP_RANGE_PX // 2
    path = trajectory((10, 100, 32))
    assert completed_knot(path, step(0, 100 + half, 100 - half, HEIGHT_CODE), S) == Knot(
        0, 100 + half, 100 + half, HEIGHT_CODE
    )


def test_a_step_may_lead_beyond_the_ends_of_a_trajectory() -> None:
    """Even long after the object was halted or forgotten: it only has to be guessed to within half the range."""
    path = trajectory((10, 0, 32), (20, 10, 32))
    assert completed_knot(path, step(0, 90, 88, HEIGHT_CODE), 10 * S) == Knot(0, 90, 88, HEIGHT_CODE)
    assert completed_knot(path, step(0, 5, -5, HEIGHT_CODE), 0) == Knot(0, 5, -5, HEIGHT_CODE)
    assert completed_knot(trajectory(), step(0, 20, 30, 0), S) is None


def test_a_step_becomes_a_knot(scene: Scene) -> None:
    apply_element(scene, sprite(thumbnail()), S)
    assert apply_element(scene, step(0, 5, 36, 49), 2 * S) == 1
    assert scene.sprites[9].trajectory.knots[-1] == Pose(2 * S, 5, 36, size_px(49))


@given(
    st.integers(-64, 300),
    st.integers(-FAR_PX, FAR_PX),
    st.integers(FAR_SIZES, 127 - FAR_SIZES),
    st.integers(-FAR_SIZES, FAR_SIZES),
)
def test_steps_within_half_the_range_are_exact(x: int, dx: int, height_code: int, dh: int) -> None:
    path = trajectory((10, x, size_px(height_code)))
    true = Knot(0, x + dx, x - dx, height_code + dh)
    assert completed_knot(path, step(0, true.x, true.y, true.height_code), S) == true


@given(st.integers(0, 127), st.integers(0, STEP_SIZES - 1))
def test_a_step_never_leaves_the_sizes_there_are(height_code: int, told: int) -> None:
    knot = completed_knot(trajectory((10, 0, size_px(height_code))), StepElement(9, 0, 0, 0, told), S)
    assert knot is not None
    assert 0 <= knot.height_code <= 127
    assert abs(knot.height_code - height_code) <= STEP_SIZES // 2


def test_a_sprite_that_is_told_again_alike_keeps_its_detail(scene: Scene) -> None:
    detail = thumbnail(Part.DETAIL)
    apply_element(scene, sprite(thumbnail()), 1 * S)
    apply_element(scene, LookElement(9, TALL, detail), 2 * S)
    apply_element(scene, sprite(thumbnail(), new=False, x=24), 3 * S)
    again = scene.sprites[9]
    assert again.detail is detail
    assert again.look_ns == 3 * S
    assert [knot.x for knot in again.trajectory.knots] == [20, 24]


@pytest.mark.parametrize("element", [sprite(thumbnail(version=1), new=False), sprite(thumbnail())])
def test_another_look_or_another_object_has_no_detail(scene: Scene, element: SpriteElement) -> None:
    apply_element(scene, sprite(thumbnail()), 1 * S)
    apply_element(scene, LookElement(9, TALL, thumbnail(Part.DETAIL)), 2 * S)
    apply_element(scene, element, 3 * S)
    assert scene.sprites[9].detail is None


def test_a_seed_fills_only_what_is_missing(scene: Scene) -> None:
    held = CellUpdate(Block(0, 0, 2, 1), 5, 1, np.full((9, 1, 2), 2))
    seed = CellUpdate(Block(0, 0, 4, 1), 1, 1, np.full((9, 1, 4), 7))
    apply_element(scene, CellElement(held), 1 * S)
    assert apply_element(scene, CellElement(seed, seed=True), 2 * S) == 2
    background = scene.background.scales[0]
    assert background.values[0, 0].tolist() == [2, 2, 7, 7]
    assert background.quality[0].tolist() == [5, 5, 1, 1]
    assert background.time_ns[0].tolist() == [S, S, 2 * S, 2 * S]
    assert apply_element(scene, CellElement(seed, seed=True), 3 * S) == 0
