"""Breaks on command: what counts as one, and what is never left broken."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.device.hil.lines import CutPort
from tests.device.hil.rig import Open, Rig

from pantel_device.hil import Break, BreakError, Ends, Outcome, ShellSwitch
from pantel_device.hil.breaks import switch_now
from pantel_link import ChannelSettings, MonotonicClock, NullModem, PortError, VirtualClock


class Relay:
    """A line that can be cut."""

    def __init__(self) -> None:
        self._port: CutPort | None = None

    def open(self, clock: VirtualClock) -> Ends:
        modem = NullModem(clock, ChannelSettings())
        self._port = CutPort(modem.near)
        return Ends(self._port, modem.far)

    def cut(self) -> None:
        assert self._port is not None
        self._port.cut = True

    def join(self) -> None:
        assert self._port is not None
        self._port.cut = False


class Slow:
    """A switch that takes some time, does something when it begins, and something else when it ends."""

    def __init__(self, clock: VirtualClock, seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._clock, self._seconds, self._begin, self._end = clock, seconds, begin, end
        self._until_ns = 0
        self.begun = self.stopped = 0

    def begin(self) -> None:
        self.begun += 1
        self._begin()
        self._until_ns = self._clock.now_ns() + round(self._seconds * 1e9)

    def finished(self) -> bool:
        if self._clock.now_ns() < self._until_ns:
            return False
        self._end()
        return True

    def stop(self) -> None:
        self.stopped += 1


def nothing() -> None:
    pass


def failing() -> None:
    raise BreakError("the relay is stuck")


@pytest.fixture
def relay() -> Relay:
    return Relay()


def test_a_break_and_a_mend(rig: Rig, relay: Relay) -> None:
    breaks = Break(Slow(rig.clock, 0.3, nothing, relay.cut), Slow(rig.clock, 2.0, nothing, relay.join))
    measured = rig.measure(relay.open, breaks=breaks)
    assert measured.recovery is not None
    assert measured.recovery.method == "command"
    assert measured.recovery.effective
    assert measured.recovery.break_s == pytest.approx(3.2, abs=0.02)
    assert measured.recovery.recovery_s is not None
    assert 0.4 < measured.recovery.recovery_s <= 0.81
    assert measured.line.packet_loss == 0.0


def test_a_break_that_does_not_break(rig: Rig, relay: Relay) -> None:
    breaks = Break(Slow(rig.clock, 0.0, nothing, nothing), Slow(rig.clock, 0.0, nothing, nothing))
    case = rig.judge(relay.open, breaks=breaks)["recovery"]
    assert case.outcome is Outcome.FAILED
    assert "packets came through" in case.text
    assert "--break cuts this line" in case.advice


def test_a_line_that_stays_broken(rig: Rig, relay: Relay) -> None:
    breaks = Break(Slow(rig.clock, 0.0, relay.cut, nothing), Slow(rig.clock, 0.0, nothing, nothing))
    case = rig.judge(relay.open, breaks=breaks)["recovery"]
    assert case.outcome is Outcome.FAILED
    assert "no packet within 10 s" in case.text
    assert case.measured is None
    assert case.seconds == pytest.approx(12.4, abs=0.1)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 3.0])
def test_a_break_that_mends_itself(rig: Rig, relay: Relay, seconds: float) -> None:
    breaks = Break(Slow(rig.clock, seconds, relay.cut, relay.join), None)
    assert rig.judge(relay.open, breaks=breaks)["recovery"].outcome is Outcome.PASSED


def test_a_break_that_mends_itself_must_cost_something(rig: Rig, relay: Relay) -> None:
    case = rig.judge(relay.open, breaks=Break(Slow(rig.clock, 3.0, nothing, nothing), None))["recovery"]
    assert case.outcome is Outcome.FAILED
    assert "for long enough" in case.advice


def test_what_cannot_be_broken_is_mended_nevertheless(rig: Rig, relay: Relay) -> None:
    mending = Slow(rig.clock, 0.5, nothing, relay.join)
    case = rig.judge(relay.open, breaks=Break(Slow(rig.clock, 0.5, relay.cut, failing), mending))["recovery"]
    assert case.outcome is Outcome.FAILED
    assert case.text == "the relay is stuck"
    assert "by hand" in case.advice
    assert mending.begun == mending.stopped == 1


def test_a_mend_that_fails_is_tried_again(rig: Rig, relay: Relay) -> None:
    mending = Slow(rig.clock, 0.5, nothing, failing)
    case = rig.judge(relay.open, breaks=Break(Slow(rig.clock, 0.5, relay.cut, nothing), mending))["recovery"]
    assert case.outcome is Outcome.FAILED
    assert mending.begun == 2


def test_who_is_interrupted_leaves_nothing_broken(rig: Rig, relay: Relay) -> None:
    def interrupt() -> None:
        relay.cut()
        raise KeyboardInterrupt

    mending = Slow(rig.clock, 0.5, nothing, relay.join)
    with pytest.raises(KeyboardInterrupt):
        rig.measure(relay.open, breaks=Break(Slow(rig.clock, 0.5, interrupt, nothing), mending))
    assert mending.begun == 1


def _refusing(relay: Relay, times: int) -> Open:
    """Return what opens a line at once, but refuses to do so again, some times."""
    calls = iter(range(1 + times))

    def open_ends(clock: VirtualClock) -> Ends:
        if next(calls, times) not in {0, times}:
            raise PortError("cannot open port: there is no such device")
        return relay.open(clock)

    return open_ends


@pytest.mark.parametrize(("times", "outcome"), [(8, Outcome.PASSED), (1000, Outcome.FAILED)])
def test_ports_that_cannot_be_opened_again_are_tried_again(
    rig: Rig, relay: Relay, times: int, outcome: Outcome
) -> None:
    case = rig.judge(_refusing(relay, times))["recovery"]
    assert case.outcome is outcome
    if case.measured is not None:
        assert case.measured > times * 0.25


def test_shell_commands(tmp_path: Path) -> None:
    clock = MonotonicClock()
    switch_now(ShellSwitch("--break", f"sleep 0.1; touch {tmp_path}/broken", clock), clock)
    assert (tmp_path / "broken").exists()
    with pytest.raises(BreakError, match="--break ended with exit code 3: exit 3"):
        switch_now(ShellSwitch("--break", "exit 3", clock), clock)
    with pytest.raises(BreakError, match="--break ended with exit code 127"):
        switch_now(ShellSwitch("--break", "no-such-relay 2>&-", clock), clock)
    with pytest.raises(BreakError, match="--break cannot be run"):
        switch_now(ShellSwitch("--break", "nul\0", clock), clock)


def test_a_shell_command_that_never_ends_is_ended() -> None:
    began_s = time.monotonic()
    clock = VirtualClock()
    with pytest.raises(BreakError, match="--mend did not end within 60 s: sleep 60"):
        switch_now(ShellSwitch("--mend", "sleep 60 & sleep 60", clock), clock)
    assert time.monotonic() - began_s < 10
