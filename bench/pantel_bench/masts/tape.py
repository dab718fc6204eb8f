"""What arrives at a receiver: octets and their times, on any number of lines; noted once, and heard afterwards."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_link import Clock, Port
from pantel_link.ports import PacketPort

__all__ = ["Tape", "TapePacketPort", "TapePort", "tape_ports"]


class Tape:
    """Takes chunks of octets in the order of time."""

    def __init__(self) -> None:
        self._times_ns = array("q")
        self._lines = array("q")
        self._lengths = array("q")
        self._octets = bytearray()

    def note(self, time_ns: int, line: int, chunk: bytes) -> None:
        """Take what arrives; where packets arrive whole, one packet."""
        self._times_ns.append(time_ns)
        self._lines.append(line)
        self._lengths.append(len(chunk))
        self._octets += chunk

    def save(self, path: Path) -> None:
        """Write it to a file."""
        columns = {"times_ns": self._times_ns, "lines": self._lines, "lengths": self._lengths}
        arrays = {name: np.array(column, np.int64) for name, column in columns.items()}
        np.savez(path, octets=np.frombuffer(bytes(self._octets), np.uint8), **arrays)  # type: ignore[arg-type]


def tape_ports(path: Path, clock: Clock, *, whole_packets: bool) -> list[TapePort]:
    """Return ports that bring what a tape has, each that of its line.

    Args:
        path: What `Tape.save` wrote.
        clock: Tells what has arrived.
        whole_packets: Whether packets arrive whole.
    """
    with np.load(path) as arrays:
        octets = arrays["octets"].tobytes()
        ends = np.cumsum(arrays["lengths"])
        spans = np.stack([arrays["times_ns"], ends - arrays["lengths"], ends], axis=1)
        lines = arrays["lines"]
        kind = TapePacketPort if whole_packets else TapePort
        return [kind(f"line {line}", clock, octets, spans[lines == line]) for line in range(int(lines.max()) + 1)]


class TapePort(Port):
    """A port that brings what a tape has of one line.

    Args:
        name: For reports.
        clock: Tells what has arrived.
        octets: Of all lines.
        spans: (chunks, 3) int64: when each chunk of this line arrives [ns], where its octets begin and end.

    Attributes:
        backlog_octets: The most that had arrived and was not read; a serial driver holds 4096.
    """

    def __init__(self, name: str, clock: Clock, octets: bytes, spans: NDArray[np.int64]) -> None:
        self.name = name
        self.backlog_octets = 0
        self._clock = clock
        self._octets = octets
        self._spans = spans
        self._ends = np.cumsum(spans[:, 2] - spans[:, 1])  # in octets of this line
        self._next = 0

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived by now, in whole chunks."""
        self._check_open()
        self._note_backlog()
        found: list[bytes] = []
        room = max_octets
        while (chunk := self._arrived(room)) is not None:
            found.append(chunk)
            room -= len(chunk)
        return b"".join(found)

    def write(self, octets: bytes) -> int:
        """Drop octets: nobody listens."""
        self._check_open()
        return len(octets)

    def _note_backlog(self) -> None:
        arrived = int(np.searchsorted(self._spans[:, 0], self._clock.now_ns(), side="right"))
        if arrived > self._next:
            read = int(self._ends[self._next - 1]) if self._next else 0
            self.backlog_octets = max(self.backlog_octets, int(self._ends[arrived - 1]) - read)

    def _arrived(self, most_octets: int) -> bytes | None:
        """Return the next chunk; None if it has not arrived yet, or has more octets."""
        if self._next == len(self._spans):
            return None
        time_ns, begin, end = self._spans[self._next].tolist()
        if time_ns > self._clock.now_ns() or end - begin > most_octets:
            return None
        self._next += 1
        return self._octets[begin:end]


class TapePacketPort(TapePort, PacketPort):
    """Likewise where packets arrive whole, as through a network."""

    max_packet_octets = 256

    def read(self, max_octets: int) -> bytes:
        """Return the next packet that has arrived."""
        self._check_open()
        self._note_backlog()
        return self._arrived(max_octets) or b""

    def wire_octets(self, packet: bytes) -> int:
        """Return the packet's own octets."""
        return len(packet)
