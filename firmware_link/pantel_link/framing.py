"""Framing: packets become marked codewords on the wire, and the deframer finds them again.

::

    | marker 24 bit | Reed-Solomon codeword, whitened: packet (header, payload, trailer) | parity |

There is no length field to trust, no byte stuffing and no state that spans two packets. The marker names the
wire format, hence the length. The deframer tests *every* octet position: whatever precedes a packet (noise,
an imitated marker, a codeword that lost or gained octets), the packet itself is found if its own octets are
there. Octet positions suffice: a UART, and any modem with start and stop bits, slips by whole octets, never
by bits.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace

from pantel_link.fec import CorrectedMessage, reed_solomon
from pantel_link.packet import Packet
from pantel_link.seal import Seal
from pantel_link.statistics import ReceiverStatistics
from pantel_link.whitening import whiten
from pantel_link.wire_format import (
    MARKER_OCTETS,
    MARKER_TOLERANCE_BITS,
    WIRE_FORMATS,
    WireFormat,
)

__all__ = ["Codeword", "Deframer", "announced_format", "correct", "frame_packet"]

_MARKER_MASK = (1 << 8 * MARKER_OCTETS) - 1


def frame_packet(packet: Packet, seal: Seal, wire_format: WireFormat) -> bytes:
    """Return the octets of a packet on the wire: marker, whitened codeword.

    A payload shorter than ``wire_format.payload_octets`` is filled with zeros.

    Raises:
        ValueError: The payload is too long.
    """
    if len(packet.payload) > wire_format.payload_octets:
        raise ValueError(f"payload has {len(packet.payload)} octets; {wire_format.payload_octets} fit")
    padded = replace(packet, payload=packet.payload.ljust(wire_format.payload_octets, b"\0"))
    codeword = reed_solomon(wire_format).encode(padded.to_bytes(seal))
    return wire_format.marker.to_bytes(MARKER_OCTETS, "big") + whiten(codeword)


def correct(octets: bytes, wire_format: WireFormat) -> CorrectedMessage:
    """Return the message of a received codeword (a packet, if it is one) and what had to be corrected.

    Args:
        octets: Marker and whitened codeword.
        wire_format: Format that the marker names.

    Raises:
        CodewordError: More octets are wrong than the parity corrects.
        ValueError: There are more or fewer octets than the format has.
    """
    return reed_solomon(wire_format).decode(whiten(octets[MARKER_OCTETS:]))


def announced_format(marker: int) -> WireFormat | None:
    """Return the format whose marker differs from three octets in at most three bits; None if there is none."""
    for wire_format in WIRE_FORMATS:
        if (marker ^ wire_format.marker).bit_count() <= MARKER_TOLERANCE_BITS:
            return wire_format
    return None


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """A marker that was seen: perhaps a codeword follows it. The one that completes first sorts first.

    Attributes:
        end: Position in the stream just after the codeword [octets].
        start: Position of the marker's first octet.
        wire_format: Format that the marker names.
    """

    end: int
    start: int
    wire_format: WireFormat = field(compare=False)


@dataclass(frozen=True, slots=True)
class Codeword:
    """What stood behind a marker, as it was received: perhaps a codeword.

    Attributes:
        end: Position in the stream just after it [octets].
        wire_format: Format that its marker named.
        octets: Marker and whitened codeword, before error correction.
    """

    end: int
    wire_format: WireFormat
    octets: bytes


class Deframer:
    """Finds codewords in a stream of octets that may be noise, in pieces of any size.

    Push octets, then pop codewords until None, and `accept` each one that proved to be a packet before
    popping the next. Several markers may be pending at a time, and codewords are tried in the order in which
    they complete, so an imitated marker neither hides nor delays a packet behind it. At most the octets of one
    packet are kept, besides what was pushed and not yet popped.

    Args:
        statistics: Counts octets and markers.
    """

    def __init__(self, statistics: ReceiverStatistics) -> None:
        self._statistics = statistics
        self._window = 0  # the last three octets
        self._octets = bytearray()  # kept octets; the first has stream position _origin
        self._origin = 0
        self._candidates: list[_Candidate] = []  # a heap

    @property
    def position(self) -> int:
        """Octets received so far."""
        return self._origin + len(self._octets)

    def push(self, octets: bytes) -> None:
        """Take received octets and note the markers in them."""
        position = self.position
        self._octets += octets
        self._statistics.wire_octets += len(octets)
        for octet in octets:
            position += 1
            self._window = (self._window << 8 | octet) & _MARKER_MASK
            wire_format = announced_format(self._window)
            if wire_format is not None and position >= MARKER_OCTETS:
                self._statistics.markers += 1
                start = position - MARKER_OCTETS
                heapq.heappush(self._candidates, _Candidate(start + wire_format.wire_octets, start, wire_format))

    def pop(self) -> Codeword | None:
        """Return what stands behind the next marker, or None until more octets are pushed."""
        if self._candidates and self._candidates[0].end <= self.position:
            candidate = heapq.heappop(self._candidates)
            received = self._octets[candidate.start - self._origin : candidate.end - self._origin]
            return Codeword(candidate.end, candidate.wire_format, bytes(received))
        self._forget()
        return None

    def accept(self, codeword: Codeword) -> None:
        """Dismiss the markers inside a codeword that proved to be a packet: its octets are explained.

        Its last octets are not: if some were lost on the line, what stands there was taken for errors and
        corrected, and is the beginning of the next packet.
        """
        explained_until = codeword.end - codeword.wire_format.correctable_octets
        remaining = [candidate for candidate in self._candidates if candidate.start >= explained_until]
        self._statistics.markers_overlapped += len(self._candidates) - len(remaining)
        heapq.heapify(remaining)
        self._candidates = remaining

    def _forget(self) -> None:
        """Drop the octets that belong to no pending candidate, nor to a marker that may be half here."""
        next_start = max(self._origin, self.position - MARKER_OCTETS + 1)
        keep_from = min((each.start for each in self._candidates), default=next_start)
        del self._octets[: keep_from - self._origin]
        self._origin = keep_from
