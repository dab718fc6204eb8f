"""Ports that take long to open keep nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from pantel_device.receiving.opening import Opening
from pantel_link import Port, PortError, memory_pair

_PATIENCE_S = 20


class _Slow:
    """Opens a port when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.refuses = False
        self.opened: list[Port] = []

    def open(self) -> Port:
        assert self.let.wait(_PATIENCE_S)
        if self.refuses:
            raise PortError("nobody listens there")
        self.opened.append(memory_pair()[0])
        return self.opened[-1]


@pytest.fixture
def slow() -> Iterator[_Slow]:
    slow = _Slow()
    yield slow
    slow.let.set()


def _opened(opening: Opening) -> Port:
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        try:
            return opening()
        except PortError:
            continue
    pytest.fail("it was never opened")


def test_what_takes_long_comes_at_a_later_call(slow: _Slow) -> None:
    with closing(Opening(slow.open, "it is gone")) as opening:
        for _ in range(3):
            began_s = time.monotonic()
            with pytest.raises(PortError, match="it is gone"):
                opening()
            assert time.monotonic() - began_s < _PATIENCE_S / 4
        slow.let.set()
        assert _opened(opening) is slow.opened[0]
        assert _opened(opening) is slow.opened[1]
        assert len(slow.opened) == 2


def test_why_it_cannot_be_opened_is_told_and_it_is_tried_again(slow: _Slow) -> None:
    slow.refuses = True
    slow.let.set()
    with closing(Opening(slow.open, "it is gone")) as opening:
        with pytest.raises(PortError, match="nobody listens there"):
            opening()
        slow.let.clear()
        with pytest.raises(PortError, match="nobody listens there"):  # still the reason that is known
            opening()
        slow.refuses = False
        slow.let.set()
        assert _opened(opening) is slow.opened[0]


def test_what_was_opened_for_nobody_is_closed(slow: _Slow) -> None:
    opening = Opening(slow.open, "it is gone")
    with pytest.raises(PortError):
        opening()
    slow.let.set()
    opening.close()
    assert slow.opened[0]._closed


def test_one_that_hangs_keeps_nothing_from_ending_and_is_closed_when_it_comes(slow: _Slow) -> None:
    opening = Opening(slow.open, "it is gone")
    with pytest.raises(PortError):
        opening()
    (thread,) = [each for each in threading.enumerate() if each.name == "pantel-port"]
    assert thread.daemon
    began_s = time.monotonic()
    opening.close()
    assert time.monotonic() - began_s < _PATIENCE_S / 4
    assert slow.opened == []
    slow.let.set()
    thread.join(_PATIENCE_S)
    assert slow.opened[0]._closed
