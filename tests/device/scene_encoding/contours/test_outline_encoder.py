"""Objects as lines: introduced whole, moved, drawn finer while they stand, and told to be gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    ForgetElement,
    OutlineElement,
    PoseElement,
    Scene,
    StepElement,
    apply_element,
    size_px,
)
from pantel_device.frame import Observation, Track
from pantel_device.scene_encoding.contours.line_news import LineNews
from pantel_device.scene_encoding.contours.line_view import LineView
from pantel_device.scene_encoding.contours.outline_encoder import OutlineEncoder

WIDTH, HEIGHT = 160, 112
TENTH_NS = 100_000_000
SECOND_NS = 10 * TENTH_NS
FIGURE_PX = 24, 60
GROUND = np.zeros((HEIGHT, WIDTH), np.uint8)
ROOM_BITS = 264.0


@pytest.fixture
def encoder() -> OutlineEncoder:
    return OutlineEncoder((WIDTH, HEIGHT), loss=0.05, refresh_s=120.0)


@pytest.fixture
def see(
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> Callable[..., LineView]:
    """Return a function that shows a figure before a grey wall; its centre at a time is what `path` says."""
    wall = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)

    def make(now_ns: int, path: Callable[[float], tuple[float, float]] | None = None) -> LineView:
        tracks = [] if path is None else [walk(path, now_ns, size_px=FIGURE_PX)]
        boxes = [track.box for track in tracks]
        return LineView(observe(paint(wall, *boxes), wall, now_ns, tracks), now_ns + 4 * TENTH_NS)

    return make


def standing(_: float) -> tuple[float, float]:
    return 70.0, 60.0


def best(found: Sequence[LineNews]) -> LineNews:
    return max(found, key=lambda news: news.worth)


def tell(encoder: OutlineEncoder, view: LineView, scene: Scene | None = None) -> LineNews | None:
    """Tell what is worth most of what is worth something, and return it."""
    found = [news for news in encoder.news(view, GROUND, ROOM_BITS) if news.gain_px > 10]
    if not found:
        return None
    chosen = best(found)
    encoder.sent(chosen, view.stamp_ns)
    for element in chosen.elements:
        if scene is not None:
            apply_element(scene, element, view.stamp_ns)
    return chosen


def test_a_new_object_is_told_whole_with_all_that_makes_it_known(
    encoder: OutlineEncoder, see: Callable[..., LineView]
) -> None:
    found = encoder.news(see(SECOND_NS, standing), GROUND, ROOM_BITS)
    assert {news.kind for news in found} == {"outlines"}
    for news in found:
        (element,) = news.elements
        assert isinstance(element, OutlineElement)
        assert element.new
        assert element.class_id == 1
        assert (element.knot.x, element.knot.y, element.knot.age_steps) == (70, 60, 4)
        assert element.past is not None
        assert size_px(element.width_code) == pytest.approx(24, rel=0.03)
        assert (element.patch.block.column, element.patch.block.row) == (0, 0)
        assert news.bits <= ROOM_BITS


def test_who_walks_is_moved_by_steps(encoder: OutlineEncoder, see: Callable[..., LineView], codec_scene: Scene) -> None:
    def path(time_s: float) -> tuple[float, float]:
        return 40 + 12 * time_s + 6 * np.sin(time_s), 60.0

    kinds: list[type] = []
    for k in range(10, 60, 5):
        told = tell(encoder, see(k * TENTH_NS, path), codec_scene)
        if told is not None:
            kinds += [type(element) for element in told.elements]
    assert kinds[0] is OutlineElement
    assert StepElement in kinds
    pose = codec_scene.outlines[0].trajectory.at(5 * SECOND_NS)
    assert pose is not None
    assert pose.x == pytest.approx(path(5)[0], abs=3)


@pytest.fixture
def codec_scene() -> Scene:
    return Scene(WIDTH, HEIGHT, (1,))


def test_who_stands_is_drawn_finer_and_then_left_alone(
    encoder: OutlineEncoder, see: Callable[..., LineView], codec_scene: Scene
) -> None:
    told = [tell(encoder, see(k * TENTH_NS, standing), codec_scene) for k in range(10, 70, 6)]
    elements = [element for news in told if news is not None for element in news.elements]
    steps = [element.patch.step for element in elements if isinstance(element, OutlineElement)]
    assert steps
    assert steps[-1] <= steps[0]
    assert told[-1] is None
    assert len(codec_scene.outlines[0].drawing.patches) >= 1


def test_who_stands_is_not_forgotten(encoder: OutlineEncoder, see: Callable[..., LineView], codec_scene: Scene) -> None:
    for k in range(10, 300, 6):
        tell(encoder, see(k * TENTH_NS, standing), codec_scene)
        assert codec_scene.outlines[0].trajectory.at(k * TENTH_NS) is not None or k == 10


def test_who_has_left_is_told_to_be_gone(
    encoder: OutlineEncoder, see: Callable[..., LineView], codec_scene: Scene
) -> None:
    tell(encoder, see(SECOND_NS, standing), codec_scene)
    gone = tell(encoder, see(2 * SECOND_NS), codec_scene)
    assert gone is not None
    assert gone.kind == "farewells"
    assert isinstance(gone.elements[0], ForgetElement)
    assert codec_scene.outlines[0].trajectory.at(3 * SECOND_NS) is None
    assert tell(encoder, see(3 * SECOND_NS)) is None


def test_a_step_is_told_whole_where_the_receiver_could_guess_wrong(
    encoder: OutlineEncoder, see: Callable[..., LineView]
) -> None:
    tell(encoder, see(SECOND_NS, standing))
    moves = [
        news
        for news in encoder.news(see(2 * SECOND_NS, lambda _: (140.0, 60.0)), GROUND, ROOM_BITS)
        if news.kind == "poses"
    ]
    assert [type(element) for news in moves for element in news.elements] == [PoseElement]


def test_what_matters_more_is_worth_more(encoder: OutlineEncoder, see: Callable[..., LineView]) -> None:
    view = see(SECOND_NS, standing)
    usual = best(encoder.news(view, GROUND, ROOM_BITS)).worth
    view.tracks = tuple(replace(track, weight=3.0) for track in view.tracks)
    assert best(encoder.news(view, GROUND, ROOM_BITS)).worth == pytest.approx(3 * usual)


def test_frames_that_are_too_old_for_a_knot_say_nothing(encoder: OutlineEncoder, see: Callable[..., LineView]) -> None:
    view = see(SECOND_NS, standing)
    view.age_steps = 16
    assert encoder.news(view, GROUND, ROOM_BITS) == []


def test_only_who_was_introduced_can_be_moved(encoder: OutlineEncoder) -> None:
    step = LineNews("poses", (StepElement(0, 0, 0, 0, 0),), 20.0, 1.0, 1.0, track_id=7)
    with pytest.raises(ValueError, match="introduced"):
        encoder.sent(step, 0)
    with pytest.raises(ValueError, match="name it"):
        encoder.sent(LineNews("poses", (), 20.0, 1.0, 1.0), 0)


def test_objects_outside_the_picture_do_no_harm(encoder: OutlineEncoder, see: Callable[..., LineView]) -> None:
    for x in (-60.0, -10.0, 165.0, 300.0):
        for news in encoder.news(see(SECOND_NS, lambda _: (x, 60.0)), GROUND, ROOM_BITS):  # noqa: B023 - used at once
            assert news.bits <= ROOM_BITS
