"""What may have been lost of moving objects is told again."""

from __future__ import annotations

from tests.device.scene_encoding.objects.stage import SIZE_PX, STEP_NS, Stage, eastward

from pantel_codec import (
    ForgetElement,
    PoseElement,
    SpriteElement,
    StepElement,
)
from pantel_device.scene_encoding.fate import Fate


def test_who_is_surely_gone_is_bidden_farewell_once(lossless: Stage) -> None:
    lossless.enter(1, eastward)
    lossless.go_on(3)
    lossless.paths.clear()
    lossless.go_on(4)
    assert [type(element) for element in lossless.told].count(ForgetElement) == 1


def test_on_a_poor_line_farewells_come_more_often(poor: Stage) -> None:
    poor.enter(1, eastward)
    poor.go_on(3)
    poor.paths.clear()
    poor.go_on(8)
    assert [type(element) for element in poor.told].count(ForgetElement) == 4  # .3 ** 4 < .01
    poor.enter(2, lambda _: (60.0, 60.0))
    poor.go_on()
    assert poor.shown(1) is not None  # the id of who may still be shown was not given away


def test_a_farewell_that_is_known_to_be_lost_is_told_again(stage: Stage) -> None:
    encoder = stage.encoder
    encoder.keep()
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.now_ns += STEP_NS
    introduction, told_ns = stage.news()[0], stage.stamp_ns
    encoder.sent(introduction, told_ns)
    encoder.settle([introduction], told_ns, Fate.ARRIVED)
    stage.paths.clear()
    farewells = []
    for _ in range(4):
        stage.now_ns += STEP_NS
        for news in stage.news():
            encoder.sent(news, stage.stamp_ns)
            farewells.append((news, stage.stamp_ns))
    assert len(farewells) == 2  # one of them arrives, as far as anybody can expect
    for news, stamp_ns in farewells:
        encoder.settle([news], stamp_ns, Fate.LOST)
    encoder.rebuild([])
    assert [news.kind for news in stage.news()] == ["farewells"]


def test_who_has_walked_out_may_still_stand_at_the_border_of_who_missed_the_last_knots(poor: Stage) -> None:
    poor.enter(1, lambda time_s: (110 + 80 * max(time_s - 1.2, 0), 60.0))  # stands, then runs
    while poor.truth(1).x0 < SIZE_PX[0] + 4:
        poor.go_on()
    poor.paths.clear()
    poor.go_on(2)
    assert isinstance(poor.told[-1], ForgetElement)


def test_who_has_stopped_is_told_to_stand_there_until_that_is_sure(lossless: Stage, poor: Stage) -> None:
    stopped = []
    for line in (lossless, poor):
        line.enter(1, lambda time_s: (20 + 30 * min(time_s, 2.4), 60.0))
        line.go_on(7)
        before = len(line.told)
        line.go_on(12)
        stopped.append(sum(isinstance(element, StepElement | PoseElement) for element in line.told[before:]))
    assert stopped[1] > stopped[0]


def test_what_may_have_been_lost_is_told_again(stage: Stage) -> None:
    stage.enter(1, lambda _: (60.0, 60.0))
    stage.go_on(25)
    assert sum(isinstance(element, SpriteElement) for element in stage.told) >= 2
