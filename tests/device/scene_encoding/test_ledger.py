"""The ledger: what becomes of payloads, and what that says of the line."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from pantel_codec import Background
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.ledger import PATIENCE_PACKETS, Ledger, SentPayload
from pantel_link.back_channel import Acknowledge, Heard
from pantel_models import SceneCodec

_S = 1_000_000_000


@pytest.fixture
def audience() -> Audience:
    return Audience(0.05, 120.0)


@pytest.fixture
def cells(codec: SceneCodec, audience: Audience) -> BackgroundEncoder:
    return BackgroundEncoder(codec, Background(64, 48, codec.entropy.groups), audience)


class _Line:
    """Submits a payload with every packet."""

    def __init__(self, audience: Audience, cells: BackgroundEncoder) -> None:
        self.ledger = Ledger(audience)
        self.cells = cells
        self.counter = 0
        self.given_up: list[tuple[int | None, Fate]] = []

    def send(self, count: int) -> None:
        for _ in range(count):
            self.ledger.add(SentPayload(self.counter * _S, [], [], self.cells))
            decided = self.ledger.submitted(self.counter)
            self.given_up += [(payload.counter, fate) for payload, fate in decided]
            self.counter += 1

    def hear(self, acknowledge: Acknowledge) -> list[tuple[int | None, Fate]]:
        return [(payload.counter, fate) for payload, fate in self.ledger.acknowledged(acknowledge)]


@pytest.fixture
def line(audience: Audience, cells: BackgroundEncoder) -> _Line:
    return _Line(audience, cells)


def _heard(newest: int, lost: Collection[int] = (), *, began: int = 0) -> Acknowledge:
    ear = Heard()
    for counter in range(began, newest + 1):
        if counter not in lost:
            ear.add(counter)
    news = ear.news()
    assert news is not None
    return news


def test_payloads_are_decided_in_order(line: _Line, audience: Audience) -> None:
    line.send(6)
    assert line.hear(_heard(3, {1})) == [(0, Fate.ARRIVED), (1, Fate.LOST), (2, Fate.ARRIVED), (3, Fate.ARRIVED)]
    assert [payload.counter for payload in line.ledger] == [4, 5]
    assert audience.acknowledges
    assert audience.there_ns == 3 * _S
    assert line.hear(_heard(3, {1})) == []
    assert line.hear(_heard(5, {1})) == [(4, Fate.ARRIVED), (5, Fate.ARRIVED)]


def test_what_no_acknowledgement_tells_of_stays_unknown(line: _Line) -> None:
    line.send(50)
    fates = dict(line.hear(_heard(45)))
    assert fates[12] is Fate.UNKNOWN
    assert fates[13] is Fate.ARRIVED


def test_without_acknowledgements_nothing_changes(line: _Line, audience: Audience) -> None:
    line.send(3 * PATIENCE_PACKETS)
    assert audience == Audience(0.05, 120.0)
    assert {fate for _, fate in line.given_up} == {Fate.UNKNOWN}
    assert len(list(line.ledger)) == PATIENCE_PACKETS


def test_loss_is_measured_and_bounded(line: _Line, audience: Audience) -> None:
    for newest in range(9, 400, 10):
        line.send(10)
        line.hear(_heard(newest, range(0, 400, 5)))
    assert audience.loss == pytest.approx(0.2, abs=0.06)
    for newest in range(409, 2000, 10):
        line.send(10)
        line.hear(_heard(newest, range(0, 400, 5)))
    assert 0.01 <= audience.loss < 0.03


def test_when_acknowledgements_stop_the_line_is_one_way_again(line: _Line, audience: Audience) -> None:
    line.send(10)
    line.hear(_heard(9, {3, 4, 5}))
    assert audience.loss > 0.05
    line.send(PATIENCE_PACKETS)
    assert audience.acknowledges
    line.send(1)
    assert not audience.acknowledges
    assert audience.loss == 0.05
    assert audience.open_ns(0, 20 * _S) == 11 * _S  # nobody joined before the last acknowledgement


def test_a_receiver_that_starts_again_is_known_by_where_it_begins(line: _Line) -> None:
    line.send(10)
    assert not line.ledger.starts_again(_heard(9))
    line.hear(_heard(9))
    line.send(10)
    assert not line.ledger.starts_again(_heard(14))
    line.hear(_heard(14))
    again = _heard(19, began=16)
    assert line.ledger.starts_again(again)
    assert line.hear(again) == [(15, Fate.LOST), *((counter, Fate.ARRIVED) for counter in range(16, 20))]
    assert not line.ledger.starts_again(_heard(19, began=16))


def test_what_was_lost_before_a_receiver_heard_anything_is_no_other_start(line: _Line) -> None:
    line.send(10)
    first = _heard(9, began=4)
    assert not line.ledger.starts_again(first)  # nothing was settled before
    assert line.hear(first)[3:5] == [(3, Fate.LOST), (4, Fate.ARRIVED)]


def test_a_receiver_that_comes_late_has_missed_what_came_before(line: _Line) -> None:
    line.send(200)
    assert line.ledger.starts_again(_heard(199, began=190))


def test_a_payload_that_was_never_submitted_is_forgotten(line: _Line) -> None:
    line.ledger.add(SentPayload(0, [], [], line.cells))
    line.send(2)
    assert [payload.counter for payload in line.ledger] == [0, 1]
