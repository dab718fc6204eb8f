"""For how long somebody may have joined, as the sender knows it."""

from __future__ import annotations

from pantel_device.scene_encoding.audience import Audience

_S = 1_000_000_000


def test_whoever_says_nothing_may_have_joined_since() -> None:
    assert Audience(0.1, 120.0).open_ns(3 * _S, 10 * _S) == 7 * _S
    assert Audience(0.1, 120.0).open_ns(10 * _S, 3 * _S) == 0


def test_nobody_joins_while_a_receiver_acknowledges_nor_before_it_was_silent() -> None:
    audience = Audience(0.1, 120.0, acknowledges=True, there_ns=8 * _S)
    assert audience.open_ns(3 * _S, 10 * _S) == 0
    audience.acknowledges = False
    assert audience.open_ns(3 * _S, 10 * _S) == 2 * _S
    assert audience.open_ns(9 * _S, 10 * _S) == 1 * _S
