"""What is told of moving objects, and what a receiver makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    MAX_SPRITES,
    Element,
    ForgetElement,
    LookElement,
    PoseElement,
    Scene,
    SpriteElement,
    StepElement,
    apply_element,
)
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import pose_box
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.objects.sprite_encoder import SpriteEncoder
from pantel_models import SceneCodec

_SIZE_PX = (160, 112)
_TENTH_NS = 100_000_000
_STEP_NS = 4 * _TENTH_NS  # about the time from payload to payload
_S = 1_000_000_000

_Path = Callable[[float], tuple[float, float]]


class _Stage:
    """A street with figures, an encoder that tells of them, and a receiver that hears all of it.

    Attributes:
        paths: Where the figures are, by their number.
        told: All that was told.
    """

    def __init__(
        self,
        codec: SceneCodec,
        street: NDArray[np.uint8],
        paint: Callable[..., NDArray[np.uint8]],
        observe: Callable[..., Observation],
        walk: Callable[..., Track],
        *,
        loss: float,
    ) -> None:
        self._street, self._paint, self._observe, self._walk = street, paint, observe, walk
        self.encoder = SpriteEncoder(codec.thumbnails, _SIZE_PX, Audience(loss, 120.0), weight=8.0)
        self.scene = Scene(*_SIZE_PX, (1,))
        self.paths: dict[int, _Path] = {}
        self.since_ns: dict[int, int] = {}
        self.size_px = (16, 32)
        self.now_ns = 0
        self.told: list[Element] = []

    @property
    def stamp_ns(self) -> int:
        return self.now_ns + 2 * _TENTH_NS

    def enter(self, number: int, path: _Path) -> None:
        """Let a figure appear."""
        self.paths[number] = path
        self.since_ns[number] = self.now_ns

    def look(self) -> Observation:
        """Return what the camera sees now."""
        tracks = [
            self._walk(path, self.now_ns, track_id=number, since_ns=self.since_ns[number], size_px=self.size_px)
            for number, path in self.paths.items()
        ]
        boxes = sorted((track.box for track in tracks), key=lambda box: box.y1)
        return self._observe(self._paint(self._street, *boxes), self._street, self.now_ns, tracks)

    def news(self) -> list[News]:
        """Return what there is to tell, the most worthwhile first."""
        return sorted(self.encoder.news(self.look(), self.stamp_ns), key=lambda news: -news.worth)

    def tell(self) -> Sequence[Element]:
        """Tell what is most worthwhile, as one packet would, and let the receiver hear it."""
        found = self.news()
        if not found:
            return ()
        self.encoder.sent(found[0], self.stamp_ns)
        for element in found[0].elements:
            apply_element(self.scene, element, self.stamp_ns)
        self.told += found[0].elements
        return found[0].elements

    def go_on(self, steps: int = 1) -> None:
        """Let time pass, from payload to payload, and tell of each figure what there is."""
        for _ in range(steps):
            self.now_ns += _STEP_NS
            for _ in self.paths or (None,):
                self.tell()

    def shown(self, sprite_id: int) -> Box | None:
        """Return where the receiver shows a sprite now."""
        sprite = self.scene.sprites.get(sprite_id)
        pose = None if sprite is None else sprite.trajectory.at(self.now_ns)
        return None if sprite is None or pose is None else pose_box(pose, sprite.width_code, sprite.height_code)

    def truth(self, number: int) -> Box:
        x, y = self.paths[number](self.now_ns / 1e9)
        width, height = self.size_px
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


@pytest.fixture
def set_stage(
    codec: SceneCodec,
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> Callable[[float], _Stage]:
    """Return what sets a stage for a line with a loss."""
    return lambda loss: _Stage(codec, street, paint, observe, walk, loss=loss)


@pytest.fixture
def stage(set_stage: Callable[[float], _Stage]) -> _Stage:
    return set_stage(0.05)


@pytest.fixture
def lossless(set_stage: Callable[[float], _Stage]) -> _Stage:
    return set_stage(0.0)


@pytest.fixture
def poor(set_stage: Callable[[float], _Stage]) -> _Stage:
    return set_stage(0.3)


def _eastward(time_s: float) -> tuple[float, float]:
    return 20 + 12 * time_s, 60.0


def test_an_empty_street_is_silent(stage: _Stage) -> None:
    assert stage.news() == []


def test_who_is_new_is_introduced_with_a_past(stage: _Stage) -> None:
    stage.enter(7, _eastward)
    stage.now_ns = _S
    (element,) = stage.tell()
    assert isinstance(element, SpriteElement)
    assert element.new
    assert element.past is not None
    assert element.class_id == 1  # a person
    sprite = stage.scene.sprites[element.sprite_id]
    first, second = sprite.trajectory.knots
    assert first.time_ns < second.time_ns <= stage.now_ns
    for knot in (first, second):
        assert (knot.x, knot.y) == pytest.approx(_eastward(knot.time_ns / 1e9), abs=1)
    # So it has a velocity, too.
    stage.now_ns += _S
    shown = stage.shown(element.sprite_id)
    assert shown is not None
    assert shown.iou(stage.truth(7)) > 0.6


def test_who_has_just_appeared_has_no_past(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    (element,) = stage.tell()
    assert isinstance(element, SpriteElement)
    assert element.past is None


def test_the_receiver_follows(stage: _Stage) -> None:
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


def test_evenly_moving_objects_need_few_words(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    stage.go_on(20)
    knots = [element for element in stage.told if isinstance(element, PoseElement | StepElement)]
    assert len(knots) <= 10


def test_a_sudden_jump_is_told_with_a_whole_knot(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    stage.go_on(6)
    before = len(stage.told)
    stage.paths[1] = lambda time_s: (_eastward(time_s)[0], 25.0)
    stage.since_ns[1] = stage.now_ns  # the tracker has noticed no way between
    stage.go_on(2)
    assert any(isinstance(element, PoseElement | SpriteElement) for element in stage.told[before:])
    shown = stage.shown(0)
    assert shown is not None
    assert shown.iou(stage.truth(1)) > 0.5


def test_a_new_look_is_told(stage: _Stage, paint: Callable[..., NDArray[np.uint8]]) -> None:
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(10)
    before = len(stage.told)
    stage._paint = lambda pixels, *boxes: 255 - paint(255 - pixels, *boxes)
    stage.go_on(2)
    assert any(isinstance(element, LookElement | SpriteElement) for element in stage.told[before:])


def test_who_vanishes_within_the_picture_is_bidden_farewell(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    stage.go_on(3)
    assert stage.shown(0) is not None
    stage.paths.clear()
    stage.now_ns += _STEP_NS
    (element,) = stage.tell()
    assert isinstance(element, ForgetElement)
    assert stage.shown(0) is None
    stage.go_on(6)
    assert stage.told[-1] == element  # once more, for who has missed it
    assert stage.told[-2] == element
    assert stage.told.count(element) == 2


def test_who_is_surely_gone_is_bidden_farewell_once(lossless: _Stage) -> None:
    lossless.enter(1, _eastward)
    lossless.go_on(3)
    lossless.paths.clear()
    lossless.go_on(4)
    assert [type(element) for element in lossless.told].count(ForgetElement) == 1


def test_on_a_poor_line_farewells_come_more_often(poor: _Stage) -> None:
    poor.enter(1, _eastward)
    poor.go_on(3)
    poor.paths.clear()
    poor.go_on(8)
    assert [type(element) for element in poor.told].count(ForgetElement) == 4  # .3 ** 4 < .01
    poor.enter(2, lambda _: (60.0, 60.0))
    poor.go_on()
    assert poor.shown(1) is not None  # the id of who may still be shown was not given away


def test_a_farewell_that_is_known_to_be_lost_is_told_again(stage: _Stage) -> None:
    encoder = stage.encoder
    encoder.keep()
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.now_ns += _STEP_NS
    introduction, told_ns = stage.news()[0], stage.stamp_ns
    encoder.sent(introduction, told_ns)
    encoder.settle([introduction], told_ns, Fate.ARRIVED)
    stage.paths.clear()
    farewells = []
    for _ in range(4):
        stage.now_ns += _STEP_NS
        for news in stage.news():
            encoder.sent(news, stage.stamp_ns)
            farewells.append((news, stage.stamp_ns))
    assert len(farewells) == 2  # one of them arrives, as far as anybody can expect
    for news, stamp_ns in farewells:
        encoder.settle([news], stamp_ns, Fate.LOST)
    encoder.rebuild([])
    assert [news.kind for news in stage.news()] == ["farewells"]


def test_who_has_walked_out_may_still_stand_at_the_border_of_who_missed_the_last_knots(poor: _Stage) -> None:
    poor.enter(1, lambda time_s: (110 + 80 * max(time_s - 1.2, 0), 60.0))  # stands, then runs
    while poor.truth(1).x0 < _SIZE_PX[0] + 4:
        poor.go_on()
    poor.paths.clear()
    poor.go_on(2)
    assert isinstance(poor.told[-1], ForgetElement)


def test_who_has_stopped_is_told_to_stand_there_until_that_is_sure(lossless: _Stage, poor: _Stage) -> None:
    stopped = []
    for line in (lossless, poor):
        line.enter(1, lambda time_s: (20 + 30 * min(time_s, 2.4), 60.0))
        line.go_on(7)
        before = len(line.told)
        line.go_on(12)
        stopped.append(sum(isinstance(element, StepElement | PoseElement) for element in line.told[before:]))
    assert stopped[1] > stopped[0]


def test_who_vanishes_where_another_passes_is_bidden_farewell(stage: _Stage) -> None:
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


def test_who_is_renamed_is_shown_all_the_time(stage: _Stage) -> None:
    """A tracker may lose an object and find it again under another number."""
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(4)
    del stage.paths[1]
    stage.enter(2, lambda _: (60.0, 60.0))
    for _ in range(4):
        stage.go_on()
        assert stage.shown(0) or stage.shown(1)
    assert stage.shown(0) is None


def test_who_walks_out_of_the_picture_needs_no_farewell(stage: _Stage) -> None:
    stage.enter(1, lambda time_s: (120 + 20 * time_s, 60.0))
    while stage.truth(1).x0 < _SIZE_PX[0] + 4:
        stage.go_on()
    stage.paths.clear()
    stage.now_ns += 2 * _STEP_NS
    assert stage.news() == []
    assert not any(isinstance(element, ForgetElement) for element in stage.told)


def test_where_nothing_changes_there_is_silence(lossless: _Stage) -> None:
    lossless.enter(1, lambda _: (60.0, 60.0))
    lossless.go_on(25)
    assert lossless.news() == []
    assert len(lossless.told) < 20


def test_what_may_have_been_lost_is_told_again(stage: _Stage) -> None:
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(25)
    assert sum(isinstance(element, SpriteElement) for element in stage.told) >= 2


def test_ids_go_round(stage: _Stage) -> None:
    ids = []
    for number in range(40):
        stage.enter(number, lambda _: (60.0, 60.0))
        (element, *_) = stage.tell()
        assert isinstance(element, SpriteElement)
        assert element.new
        ids.append(element.sprite_id)
        stage.paths.clear()
        stage.now_ns += _STEP_NS
        stage.tell()
        stage.now_ns += _STEP_NS
    assert ids == [number % MAX_SPRITES for number in range(40)]


def test_no_two_living_objects_share_an_id(stage: _Stage) -> None:
    stage.size_px, stage._paint = (8, 12), _in_black
    for number in range(MAX_SPRITES + 4):
        stage.enter(number, partial(_in_the_crowd, number))
    ids: dict[int, int] = {}
    for _ in range(14):
        stage.now_ns += _TENTH_NS
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


def test_a_frame_too_old_to_be_dated_is_not_told(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    assert stage.encoder.news(stage.look(), stage.now_ns + 2 * _S) == []


def test_news_of_an_unknown_object_cannot_have_been_sent(stage: _Stage) -> None:
    stage.enter(1, _eastward)
    stage.go_on(3)
    move = next(news for news in _all_moves(stage) if isinstance(news.elements[0], PoseElement | StepElement))
    with pytest.raises(ValueError, match="not introduced"):
        stage.encoder.sent(replace(move, track_id=99), stage.stamp_ns)


def _all_moves(stage: _Stage) -> list[News]:
    """Return news of an object that has turned back."""
    x = stage.truth(1).x0
    stage.paths[1] = lambda _: (x - 10, 60.0)
    stage.now_ns += _STEP_NS
    return stage.news()
