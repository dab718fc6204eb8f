"""One row: packets are framed, cross a line, are found again by the receiver, and stills are put together."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pantel_bench.link.line import Line
from pantel_bench.link.traffic import CONTENT_SYMBOLS, SentPacket, Traffic, air_time_ns, keyring, make_traffic
from pantel_link import (
    LengthClass,
    LinkReceiver,
    PacketKind,
    PacketProfile,
    Preset,
    Profile,
    ReceivedPacket,
    StreamProfile,
    wire_format,
)
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.stills import Fragment, StillAssembler
from pantel_link.stills.block import repairs_needed
from pantel_link.wire_format import MARKER_OCTETS, MARKER_TOLERANCE_BITS

__all__ = ["Case", "LinkRow", "measure_row", "packet_loss", "symbols_for"]

_PIECE_OCTETS = 50  # that the receiver gets at once: packets begin and end anywhere in them
_TRIAL_PACKETS = 20_000
_MAX_PACKET_OCTETS = 256  # takes the longest


@dataclass(frozen=True, slots=True)
class Case:
    """What a row is about.

    Attributes:
        preset: Error protection of a stream; None where packets arrive whole.
        length: Live packets, each for itself, or stills.
        line: How bad it is.
    """

    preset: Preset | None
    length: LengthClass
    line: Line

    @property
    def profile(self) -> Profile:
        """How packets leave. What a port would put around whole packets is not counted."""
        return PacketProfile(_MAX_PACKET_OCTETS, len) if self.preset is None else StreamProfile(self.preset)

    @property
    def profile_name(self) -> str:
        """`stream` or `packet`."""
        return "packet" if self.preset is None else "stream"

    @property
    def preset_name(self) -> str:
        """The preset, or `none`."""
        return "none" if self.preset is None else str(self.preset)

    @property
    def words(self) -> frozenset[str]:
        """What the row can be chosen by."""
        bursts = () if self.line.bursts is None else ("bursts",)
        return frozenset((self.profile_name, self.preset_name, str(self.length), *bursts))


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What became of a case; rates are those of a line of 960 bit/s.

    Attributes:
        case: What it is about.
        packets: Packets sent, without introductions.
        packets_delivered: Of these, how many the receiver delivered as they were sent.
        wire_octets: What they took on the line.
        symbols: Sent for each still, 12 of which are needed; None of live packets.
        stills: How many were sent; None of live packets.
        stills_complete: How many arrived, octet by octet; None of live packets.
        content_octets: Payload of the live packets delivered, or the files of the complete stills.
        undetected_errors: Packets delivered that were never sent, and complete stills that are not what was sent.
    """

    case: Case
    packets: int
    packets_delivered: int
    wire_octets: int
    symbols: int | None
    stills: int | None
    stills_complete: int | None
    content_octets: int
    undetected_errors: int

    @property
    def goodput_bps(self) -> float:
        """Content that arrived, over the time that everything took."""
        return self.content_octets * DEFAULT_BITRATE_BPS / self.wire_octets

    @property
    def capacity_bps(self) -> float:
        """What no code could surpass."""
        return self.case.line.capacity_share * DEFAULT_BITRATE_BPS

    @property
    def ratio(self) -> float | None:
        """Goodput over capacity; None of a line without any."""
        return self.goodput_bps / self.capacity_bps if self.capacity_bps else None


def measure_row(case: Case, packets: int, seed: int) -> LinkRow:
    """Measure a case.

    Args:
        case: What to measure.
        packets: At least so many are sent.
        seed: Of content and errors. A row is the same whichever others are measured.
    """
    symbols = None if case.length is LengthClass.LIVE else symbols_for(case, seed)
    traffic = _traffic(case.preset, case.length, packets, symbols or 0, seed)
    assembler = StillAssembler()
    delivered, complete, content_octets, undetected = 0, 0, 0, 0
    for received in _cross(traffic, case, _random(case, seed, "errors")):
        sent = _sent(traffic, received)
        undetected += sent is None
        if received.packet.kind is PacketKind.IDENT:
            continue
        delivered += sent is not None
        if received.packet.kind is not PacketKind.STILL:
            content_octets += len(received.packet.payload) if sent is not None else 0
            continue
        still = assembler.take(received.context, Fragment.from_payload(received.packet.payload), received.arrival_ns)
        if still is None or not still.complete:
            continue
        if sent is not None and still.data == sent.still:
            complete += 1
            content_octets += len(still.data)
        else:
            undetected += 1
    measured = traffic.measured
    return LinkRow(
        case=case,
        packets=len(measured),
        packets_delivered=delivered,
        wire_octets=sum(len(sent.octets) for sent in measured),
        symbols=symbols,
        stills=None if symbols is None else traffic.stills,
        stills_complete=None if symbols is None else complete,
        content_octets=content_octets,
        undetected_errors=undetected,
    )


def symbols_for(case: Case, seed: int) -> int:
    """Return how many symbols of each still must be sent for 99 % of the stills to arrive.

    The sender's own rule, `repairs_needed`, is given the share of packets that the line loses, from a trial with other
    errors. It assumes that packets are lost independently of each other, which bursts make not quite true.
    """
    return CONTENT_SYMBOLS + repairs_needed(CONTENT_SYMBOLS, packet_loss(case, seed))


def packet_loss(case: Case, seed: int) -> float:
    """Return the share of 20,000 packets that do not arrive: erased, without marker, or with too many wrong octets.

    Nothing is decoded: a codeword with more wrong octets than its parity corrects counts as lost.
    """
    random = _random(case, seed, "trial")
    lost = case.line.erased(_TRIAL_PACKETS, random)
    if case.preset is not None:
        shape = wire_format(case.preset, case.length)
        errors = case.line.errors(_TRIAL_PACKETS * shape.wire_octets, random).reshape(_TRIAL_PACKETS, -1)
        marker, codeword = errors[:, :MARKER_OCTETS], errors[:, MARKER_OCTETS:]
        lost |= np.bitwise_count(marker).sum(axis=1) > MARKER_TOLERANCE_BITS
        lost |= np.count_nonzero(codeword, axis=1) > shape.correctable_octets
    return float(lost.mean())


@lru_cache(maxsize=4)
def _traffic(preset: Preset | None, length: LengthClass, packets: int, symbols: int, seed: int) -> Traffic:
    """Return what is sent; the same traffic crosses all lines."""
    case = Case(preset, length, Line())
    return make_traffic(case.profile, length, packets, symbols, _random(case, seed, "content"))


def _random(case: Case, seed: int, purpose: str) -> np.random.Generator:
    """Return a source of its own for each case and purpose."""
    return np.random.default_rng([seed, zlib.crc32(f"{purpose} {case}".encode())])


def _sent(traffic: Traffic, received: ReceivedPacket) -> SentPacket | None:
    """Return what was sent in a packet's place; None if that is not what was received."""
    packet = received.packet
    if packet.counter >= len(traffic.packets):
        return None
    sent = traffic.packets[packet.counter]
    same = sent.packet.payload.ljust(len(packet.payload), b"\0") == packet.payload
    return sent if same and sent.packet.kind is packet.kind else None


def _cross(traffic: Traffic, case: Case, random: np.random.Generator) -> Iterator[ReceivedPacket]:
    """Yield what a receiver delivers. It hears the first introduction without errors, and then through the line."""
    receiver = LinkReceiver(keyring=keyring())
    introduction, *packets = traffic.packets
    began_ns = air_time_ns(len(introduction.octets))
    erased = case.line.erased(len(packets), random)
    if case.preset is None:
        yield from receiver.receive_packet(introduction.octets, began_ns)
        end = len(introduction.octets)
        for sent, gone in zip(packets, erased, strict=True):
            end += len(sent.octets)
            if not gone:
                yield from receiver.receive_packet(sent.octets, air_time_ns(end))
        return
    yield from receiver.receive(introduction.octets, began_ns)
    octets, places = _stream(packets, erased, case.line, random)
    for start in range(0, octets.size, _PIECE_OCTETS):
        piece = octets[start : start + _PIECE_OCTETS]
        last = int(places[start + piece.size - 1])
        yield from receiver.receive(piece.tobytes(), began_ns + air_time_ns(last + 1))


def _stream(
    packets: list[SentPacket], erased: NDArray[np.bool_], line: Line, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the octets that arrive, one continuous stream, and where each of them was in what was sent."""
    sent = np.frombuffer(b"".join(each.octets for each in packets), np.uint8)
    arrive = np.repeat(~erased, [len(each.octets) for each in packets])
    places = np.flatnonzero(arrive)
    return (sent ^ line.errors(sent.size, random))[places], places
