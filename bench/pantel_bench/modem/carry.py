"""Lets modems carry tapes in real time, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from pantel_bench.modem.programs import ModemLine
from pantel_bench.modem.tape import Tape, Taped
from pantel_device.progress import progress
from pantel_link import MonotonicClock

__all__ = ["carry"]

_POLL_S = 0.004
_READ_OCTETS = 4096
_SETTLE_NS = 1_000_000_000  # in which the modems start


def carry(lines: Sequence[tuple[ModemLine, Tape]], seconds: float) -> list[Tape]:
    """Write each tape to its line at its times, and return what arrived at the other ends and when.

    Args:
        lines: Each line with what to write.
        seconds: How long to write and to listen [s].

    Raises:
        PortGone: A modem has disappeared.
    """
    clock = MonotonicClock()
    start_ns = clock.now_ns() + _SETTLE_NS
    passages = [_Passage(line, tape) for line, tape in lines]
    steps = max(1, int(seconds))
    shown = 0
    with progress(steps, "modems", every_s=5) as done:
        while (now_ns := clock.now_ns() - start_ns) < seconds * 1e9:
            for passage in passages:
                passage.advance(now_ns)
            while shown < min(steps, now_ns // 1_000_000_000):
                shown += 1
                done(f"{shown} s")
            clock.sleep(_POLL_S)
    return [passage.arrived for passage in passages]


class _Passage:
    """What is on its way through one line."""

    def __init__(self, line: ModemLine, tape: Tape) -> None:
        self.arrived: list[Taped] = []
        self._line = line
        self._tape = tape
        self._written = 0
        self._rest = b""

    def advance(self, now_ns: int) -> None:
        self._line.near.read(_READ_OCTETS)  # a KISS port finishes in `read` what its line did not take at once
        while self._rest or (self._written < len(self._tape) and self._tape[self._written].time_ns <= now_ns):
            if not self._rest:
                self._rest = self._tape[self._written].octets
                self._written += 1
            accepted = self._line.near.write(self._rest)
            self._rest = self._rest[accepted:]
            if not accepted:
                break
        while octets := self._line.far.read(_READ_OCTETS):
            self.arrived.append(Taped(max(now_ns, 0), octets))
