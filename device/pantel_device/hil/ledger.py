"""The ledger: every packet that was sent, when it left, and what came back of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pantel_link import HeardCodeword, Packet, ReceivedPacket, SentCodeword, StreamContext

__all__ = ["Entry", "Ledger"]

_WINDOW = 64  # packets that may be on their way; a receiver takes none that is older
# More than an eighth of its bits wrong: half of it shifted by a slip, or another packet. That is loss, not bit errors.
_MOST_WRONG_SHARE = 1 / 8


@dataclass(slots=True, eq=False)
class Entry:
    """One packet.

    Attributes:
        packet: As it was sent.
        octets: As it goes to the port.
        written: Octets that the port has accepted.
        begun_ns: When the port accepted the first of them; None before.
        ended_ns: When it accepted the last.
        arrival_ns: When the packet was received, intact; None if it was not.
    """

    packet: Packet
    octets: bytes
    written: int = 0
    begun_ns: int | None = None
    ended_ns: int | None = None
    arrival_ns: int | None = None

    @property
    def trip_ns(self) -> tuple[int, int] | None:
        """When it was begun and when it arrived; None if it did not."""
        if self.begun_ns is None or self.arrival_ns is None:
            return None
        return self.begun_ns, self.arrival_ns


class Ledger:
    """Compares what is received with what was sent. It listens to the sender and to the receiver.

    Args:
        context: The stream.
        whole: Packets arrive whole or not at all, so bit errors cannot be seen.

    Attributes:
        entries: All packets, by counter.
        undetected_errors: Packets that passed every check and were never sent so.
        foreign_packets: Packets of other streams.
        bits_compared: Bits that arrived in codewords, good or bad, which could be matched with a sent one.
        bits_wrong: Those of them that differ, before error correction.
    """

    def __init__(self, context: StreamContext, *, whole: bool) -> None:
        self._context = context
        self._whole = whole
        self._leaving: deque[Entry] = deque()
        self._on_the_way: deque[Entry] = deque(maxlen=_WINDOW)
        self.entries: list[Entry] = []
        self.undetected_errors = 0
        self.foreign_packets = 0
        self.bits_compared = 0
        self.bits_wrong = 0

    def on_sent(self, codeword: SentCodeword) -> None:
        """Enter a packet that has been framed."""
        entry = Entry(codeword.packet, codeword.octets)
        self.entries.append(entry)
        self._leaving.append(entry)

    def written(self, octets: bytes, now_ns: int) -> None:
        """Note what the port has accepted.

        Args:
            octets: In the order in which the sender released them.
            now_ns: Monotonic time.
        """
        while octets and self._leaving:
            entry = self._leaving[0]
            part = entry.octets[entry.written : entry.written + len(octets)]
            if not octets.startswith(part):  # the sender has dropped what was left: it had waited too long
                self._leaving.popleft()
                continue
            if entry.begun_ns is None:
                entry.begun_ns = now_ns
                self._on_the_way.append(entry)
            entry.written += len(part)
            octets = octets[len(part) :]
            if entry.written == len(entry.octets):
                entry.ended_ns = now_ns
                self._leaving.popleft()

    def on_codeword(self, codeword: HeardCodeword) -> None:
        """Count the wrong bits of a codeword before error correction, whether that succeeded or not."""
        if self._whole:
            return
        candidates = [entry for entry in self._on_the_way if len(entry.octets) == len(codeword.octets)]
        if not candidates:
            return
        wrong = [_distance(entry.octets, codeword.octets) for entry in candidates]
        least, bits = min(wrong), 8 * len(codeword.octets)
        if least > _MOST_WRONG_SHARE * bits:
            return  # noise that looked like a packet
        self._on_the_way.remove(candidates[wrong.index(least)])
        self.bits_compared += bits
        self.bits_wrong += least

    def deliver(self, received: ReceivedPacket) -> Entry | None:
        """Note a packet that passed the receiver's checks; return what was sent, None if it was not sent so."""
        if received.context != self._context:
            self.foreign_packets += 1
            return None
        counter = received.packet.counter
        entry = self.entries[counter] if counter < len(self.entries) else None
        if entry is None or entry.begun_ns is None or not _same(entry.packet, received.packet):
            self.undetected_errors += 1
            return None
        entry.arrival_ns = received.arrival_ns
        return entry

    def left(self, end: int) -> list[Entry]:
        """Return those of the first packets, so many, that have left completely."""
        return [entry for entry in self.entries[:end] if entry.ended_ns is not None]


def _distance(first: bytes, second: bytes) -> int:
    """Return how many bits differ."""
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_count()


def _same(sent: Packet, received: Packet) -> bool:
    """Whether a packet is what was sent, but for the zeros that fill its codeword."""
    payload = sent.payload.ljust(len(received.payload), b"\0")
    return (received.kind, received.tick, received.payload) == (sent.kind, sent.tick, payload)
