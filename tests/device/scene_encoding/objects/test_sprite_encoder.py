"""What is told of moving objects, and what a receiver makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.scene_encoding.objects.stage import SIZE_PX, STEP_NS, TENTH_NS, S, Stage, eastward

from pantel_codec import (
    MAX_SPRITES,
    ForgetElement,
    LookElement,
    PoseElement,
    SpriteElement,
    StepElement,
)
from pantel_device.frame import Box
from pantel_device.scene_encoding.news import News


def test_an_empty_street_is_silent(stage: Stage) -> None:
    assert stage.news() == []


def test_who_is_new_is_introduced_with_a_past(stage: Stage) -> None:
    stage.enter(7, eastward)
    stage.now_ns = S
    (element,) = stage.tell()
    assert isinstance(element, SpriteElement)
    assert element.new
    assert element.past is not None
    assert element.class_id == 1  # a person
    sprite = stage.scene.sprites[element.sprite_id]
    first, second = sprite.trajectory.knots
    assert first.time_ns < second.time_ns <= stage.now_ns
    for knot in (first, second):
        assert (knot.x, knot.y) == pytest.approx(eastward(knot.time_ns / 1e9), abs=1)
    # So it has a velocity, too.
    stage.now_ns += S
    shown = stage.shown(element.sprite_id)
    assert shown is not None
    assert shown.iou(stage.truth(7)) > 0.6


def test_who_has_just_appeared_has_no_past(stage: Stage) -> None:
    stage.enter(1, eastward)
    (element,) = stage.tell()
    assert isinstance(element, SpriteElement)
    assert element.past is None


def test_the_receiver_follows(stage: Stage) -> None:
    stage.enter(1, lambda time_s: (40 + 30 * np.sin(time_s / 2), 60.0))
    for _ in range(25):
        stage.go_on()
        shown = stage.shown(0)
        assert shown is not None
        assert shown.iou(stage.truth(1)) > 0.5
    # Most of it in few bits: places are told in steps.
    kinds = [type(element) for element in stage.told]
    assert kinds.count(SpriteElement) <= 6
    assert StepElement in kinds


def test_evenly_moving_objects_need_few_words(stage: Stage) -> None:
    stage.enter(1, eastward)
    stage.go_on(20)
    knots = [element for element in stage.told if isinstance(element, PoseElement | StepElement)]
    assert len(knots) <= 10


def test_a_sudden_jump_is_told_with_a_whole_knot(stage: Stage) -> None:
    stage.enter(1, eastward)
    stage.go_on(6)
    before = len(stage.told)
    stage.paths[1] = lambda time_s: (eastward(time_s)[0], 25.0)
    stage.since_ns[1] = stage.now_ns  # the tracker has noticed no way between
    stage.go_on(2)
    assert any(isinstance(element, PoseElement | SpriteElement) for element in stage.told[before:])
    shown = stage.shown(0)
    assert shown is not None
    assert shown.iou(stage.truth(1)) > 0.5


def test_a_new_look_is_told(stage: Stage, paint: Callable[..., NDArray[np.uint8]]) -> None:
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(10)
    before = len(stage.told)
    stage._paint = lambda pixels, *boxes: 255 - paint(255 - pixels, *boxes)
    stage.go_on(2)
    assert any(isinstance(element, LookElement | SpriteElement) for element in stage.told[before:])


def test_who_vanishes_within_the_picture_is_bidden_farewell(stage: Stage) -> None:
    stage.enter(1, eastward)
    stage.go_on(3)
    assert stage.shown(0) is not None
    stage.paths.clear()
    stage.now_ns += STEP_NS
    (element,) = stage.tell()
    assert isinstance(element, ForgetElement)
    assert stage.shown(0) is None
    stage.go_on(6)
    assert stage.told[-1] == element  # once more, for who has missed it
    assert stage.told[-2] == element
    assert stage.told.count(element) == 2


def test_who_vanishes_where_another_passes_is_bidden_farewell(stage: Stage) -> None:
    """Though who passes looks more like the sprite of the first than the bare street does."""
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(3)
    stage.enter(2, lambda time_s: (84.0 - 12 * (time_s - 1.2), 60.0))
    stage.go_on(2)
    assert stage.shown(1) is not None
    del stage.paths[1]
    stage.go_on(3)
    assert stage.shown(0) is None
    assert stage.shown(1) is not None


def test_who_is_renamed_is_shown_all_the_time(stage: Stage) -> None:
    """A tracker may lose an object and find it again under another number."""
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(4)
    del stage.paths[1]
    stage.enter(2, lambda _: (60.0, 60.0))
    for _ in range(4):
        stage.go_on()
        assert stage.shown(0) or stage.shown(1)
    assert stage.shown(0) is None


def test_who_walks_out_of_the_picture_needs_no_farewell(stage: Stage) -> None:
    stage.enter(1, lambda time_s: (120 + 20 * time_s, 60.0))
    while stage.truth(1).x0 < SIZE_PX[0] + 4:
        stage.go_on()
    stage.paths.clear()
    stage.now_ns += 2 * STEP_NS
    assert stage.news() == []
    assert not any(isinstance(element, ForgetElement) for element in stage.told)


def test_where_nothing_changes_there_is_silence(lossless: Stage) -> None:
    lossless.enter(1, lambda _: (60.0, 60.0))
    lossless.go_on(25)
    assert lossless.news() == []
    assert len(lossless.told) < 20


def test_ids_go_round(stage: Stage) -> None:
    ids = []
    for number in range(40):
        stage.enter(number, lambda _: (60.0, 60.0))
        (element, *_) = stage.tell()
        assert isinstance(element, SpriteElement)
        assert element.new
        ids.append(element.sprite_id)
        stage.paths.clear()
        stage.now_ns += STEP_NS
        stage.tell()
        stage.now_ns += STEP_NS
    assert ids == [number % MAX_SPRITES for number in range(40)]


def test_no_two_living_objects_share_an_id(stage: Stage) -> None:
    stage.size_px, stage._paint = (8, 12), _in_black
    for number in range(MAX_SPRITES + 4):
        stage.enter(number, partial(_in_the_crowd, number))
    ids: dict[int, int] = {}
    for _ in range(14):
        stage.now_ns += TENTH_NS
        heard = set()
        for news in stage.news():
            if news.track_id is not None and news.track_id not in heard:
                heard.add(news.track_id)
                stage.encoder.sent(news, stage.stamp_ns)
                for element in news.elements:
                    assert isinstance(element, SpriteElement | PoseElement | StepElement | LookElement)
                    assert ids.setdefault(news.track_id, element.sprite_id) == element.sprite_id
    assert sorted(ids.values()) == list(range(MAX_SPRITES))


def _in_black(pixels: NDArray[np.uint8], *boxes: Box) -> NDArray[np.uint8]:
    """Return a picture with figures that are clearly seen everywhere in the street."""
    painted = pixels.copy()
    for box in boxes:
        painted[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = 0
    return painted


def _in_the_crowd(number: int, _: float) -> tuple[float, float]:
    return 12.0 + 18 * (number % 8), 10.0 + 20 * (number // 8)


def test_a_frame_too_old_to_be_dated_is_not_told(stage: Stage) -> None:
    stage.enter(1, eastward)
    assert stage.encoder.news(stage.look(), stage.now_ns + 2 * S) == []


def test_news_of_an_unknown_object_cannot_have_been_sent(stage: Stage) -> None:
    stage.enter(1, eastward)
    stage.go_on(3)
    move = next(news for news in _all_moves(stage) if isinstance(news.elements[0], PoseElement | StepElement))
    with pytest.raises(ValueError, match="not introduced"):
        stage.encoder.sent(replace(move, track_id=99), stage.stamp_ns)


def _all_moves(stage: Stage) -> list[News]:
    """Return news of an object that has turned back."""
    x = stage.truth(1).x0
    stage.paths[1] = lambda _: (x - 10, 60.0)
    stage.now_ns += STEP_NS
    return stage.news()
