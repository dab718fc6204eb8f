"""Lets modems carry tapes, side by side, in real time or as fast as a busy machine can."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pantel_bench.errors import ModemError
from pantel_bench.modem.programs import ModemLine
from pantel_bench.modem.tape import Tape, Taped
from pantel_device.progress import progress

__all__ = ["carry"]

_POLL_S = 0.004
_MOST_S = 0.020  # a machine that is too busy for us is too busy for the modems, so let time pass more slowly
_SLOWEST = 20  # times real time
_READ_OCTETS = 4096
_SETTLE_NS = 1_000_000_000  # in which the modems start


def carry(lines: Sequence[tuple[ModemLine, Tape]], seconds: float) -> list[Tape]:
    """Write each tape to its line at its times, and return what arrived at the other ends and when.

    All times are those of the line, which its audio tells.

    Args:
        lines: Each line with what to write.
        seconds: How long to write and to listen [s].

    Raises:
        ModemError: A modem has ended, or they are too slow.
        PortGone: A modem has disappeared.
    """
    passages = [_Passage(line, tape, round(seconds * 1e9)) for line, tape in lines]
    before_s = time.monotonic()
    give_up_s = before_s + _SLOWEST * (seconds + _SETTLE_NS / 1e9)
    steps = max(1, int(seconds))
    shown = 0
    with progress(steps, "modems", every_s=5) as done:
        while not all(passage.over for passage in passages):
            time.sleep(_POLL_S)
            now_s = time.monotonic()
            for passage in passages:
                passage.advance(min(now_s - before_s, _MOST_S))
            before_s = now_s
            if now_s > give_up_s:
                raise ModemError("the modems are too slow: let other programs end first")
            slowest_ns = min(passage.now_ns for passage in passages)
            while shown < min(steps, slowest_ns // 1_000_000_000):
                shown += 1
                done(f"{shown} s")
    return [passage.arrived for passage in passages]


class _Passage:
    """What is on its way through one line."""

    def __init__(self, line: ModemLine, tape: Tape, end_ns: int) -> None:
        self.arrived: list[Taped] = []
        self.now_ns = -_SETTLE_NS
        self._line = line
        self._tape = tape
        self._end_ns = end_ns
        self._written = 0
        self._rest = b""

    @property
    def over(self) -> bool:
        return self.now_ns >= self._end_ns

    def advance(self, most_s: float) -> None:
        """Let at most so much time pass."""
        if self.over:
            return
        self._line.check()
        self._line.cable.pass_time(most_s)
        self.now_ns = self._line.cable.time_ns - _SETTLE_NS
        self._line.near.read(_READ_OCTETS)  # a KISS port finishes in `read` what its line did not take at once
        while self._rest or (self._written < len(self._tape) and self._tape[self._written].time_ns <= self.now_ns):
            if not self._rest:
                self._rest = self._tape[self._written].octets
                self._written += 1
            accepted = self._line.near.write(self._rest)
            self._rest = self._rest[accepted:]
            if not accepted:
                break
        while octets := self._line.far.read(_READ_OCTETS):
            self.arrived.append(Taped(max(self.now_ns, 0), octets))
