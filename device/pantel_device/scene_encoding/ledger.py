"""The ledger: payloads that are on their way, what became of them, and what that says of the line."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pantel_codec import Element
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News
from pantel_link.back_channel import ACKNOWLEDGED_PACKETS, Acknowledge

__all__ = ["PATIENCE_PACKETS", "Ledger", "SentPayload"]

PATIENCE_PACKETS = 64
"""Acknowledgements have stopped if none came for so many packets, 26 s at 960 bit/s."""

_EXPECTED_PACKETS = 16.0  # for so many the loss that was assumed counts, beside what is measured
_FADING = 0.98  # of what was measured, from packet to packet: the last 50 count
_LEAST_LOSS, _MOST_LOSS = 0.01, 0.5


@dataclass(slots=True, eq=False)
class SentPayload:
    """A payload on its way.

    Attributes:
        stamp_ns: Its time stamp.
        told: News in it.
        elements: All of it, in their order.
        cells: Who told its cells.
        counter: Of its packet; None until that has been submitted.
    """

    stamp_ns: int
    told: Sequence[News]
    elements: Sequence[Element]
    cells: BackgroundEncoder
    counter: int | None = None


class Ledger:
    """Keeps payloads until it is known, or will never be, what became of them; measures the loss meanwhile.

    Without acknowledgements the audience stays as the operator assumed it.

    Args:
        audience: Is told what acknowledgements say of it.
    """

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._assumed_loss = audience.loss
        self._payloads: deque[SentPayload] = deque()
        self._newest: int | None = None  # counter up to which packets were acknowledged, or told to be lost
        self._began: int | None = None  # as acknowledgements have it
        self._counted = self._lost = 0.0
        self._first_settled: int | None = None

    def __iter__(self) -> Iterator[SentPayload]:
        """Yield what is on its way, the oldest first."""
        return iter(self._payloads)

    def add(self, payload: SentPayload) -> None:
        """Take a payload that is about to be submitted; one that never was is forgotten."""
        if self._payloads and self._payloads[-1].counter is None:
            self._payloads.pop()
        self._payloads.append(payload)

    def submitted(self, counter: int) -> list[tuple[SentPayload, Fate]]:
        """Take the counter of the newest payload; return those of which nobody will tell anything any more."""
        if self._payloads and self._payloads[-1].counter is None:
            self._payloads[-1].counter = counter
        if self._newest is not None and counter - self._newest > PATIENCE_PACKETS:
            self._audience.acknowledges, self._audience.loss = False, self._assumed_loss
            self._counted = self._lost = 0.0
        return self._take_until(counter - PATIENCE_PACKETS, None)

    def starts_again(self, acknowledge: Acknowledge) -> bool:
        """Return whether a receiver tells that it has missed all that is settled: it has started since."""
        if acknowledge.began == self._began:
            return False
        self._began = acknowledge.began
        missed = self._first_settled is not None and self._first_settled < acknowledge.began_at
        if missed:
            self._first_settled = None
        return missed

    def acknowledged(self, acknowledge: Acknowledge) -> list[tuple[SentPayload, Fate]]:
        """Return the payloads of which an acknowledgement tells, and those before, the oldest first."""
        if self._newest is not None and acknowledge.newest <= self._newest:
            return []
        self._measure(acknowledge)
        self._newest = acknowledge.newest
        self._audience.acknowledges = True
        decided = self._take_until(acknowledge.newest, acknowledge)
        self._audience.there_ns = max([self._audience.there_ns, *(payload.stamp_ns for payload, _ in decided)])
        return decided

    def _measure(self, acknowledge: Acknowledge) -> None:
        """Bring the loss up to date by the packets that were not told of before."""
        first = acknowledge.newest - ACKNOWLEDGED_PACKETS
        if self._newest is not None:
            first = max(first, self._newest + 1)
        for counter in range(max(first, acknowledge.began_at), acknowledge.newest + 1):
            self._counted = _FADING * self._counted + 1
            self._lost = _FADING * self._lost + (not acknowledge.hears(counter))
        loss = (self._assumed_loss * _EXPECTED_PACKETS + self._lost) / (_EXPECTED_PACKETS + self._counted)
        self._audience.loss = min(max(loss, _LEAST_LOSS), _MOST_LOSS)

    def _take_until(self, counter: int, acknowledge: Acknowledge | None) -> list[tuple[SentPayload, Fate]]:
        decided = []
        while self._payloads and (own := self._payloads[0].counter) is not None and own <= counter:
            if self._first_settled is None:
                self._first_settled = own
            decided.append((self._payloads.popleft(), _fate(own, acknowledge)))
        return decided


def _fate(counter: int, acknowledge: Acknowledge | None) -> Fate:
    if acknowledge is None:
        return Fate.UNKNOWN
    heard = acknowledge.hears(counter)
    if heard is None:
        return Fate.LOST if counter < acknowledge.began_at else Fate.UNKNOWN
    return Fate.ARRIVED if heard else Fate.LOST
