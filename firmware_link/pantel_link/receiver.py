"""The receiving half of the link: octets in, verified packets out; no port, no clock, no thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pantel_link.codeword import CodewordListener, HeardCodeword
from pantel_link.context import Security, StreamContext
from pantel_link.errors import CodewordError, ContextError, PacketError, ReplayError, TrailerError
from pantel_link.fec import CorrectedMessage
from pantel_link.framing import Deframer, announced_format, correct
from pantel_link.keys import Keyring
from pantel_link.pacing import DEFAULT_BITRATE_BPS, TokenBucket
from pantel_link.packet import Packet, PacketKind
from pantel_link.ports.base import PacketPort, Port
from pantel_link.sequence import Arrival, CounterTracker, Order
from pantel_link.statistics import ReceiverStatistics, StreamStatistics
from pantel_link.streams import KnownStreams, Stream, StreamMemory
from pantel_link.wire_format import MARKER_OCTETS

__all__ = ["LinkReceiver", "ReceivedPacket"]

_MAX_UNKNOWN = 64
_CHECKS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ReceivedPacket:
    """A verified packet and what the receiver knows about it.

    Attributes:
        packet: The packet; its payload is as long as the codeword allows, with zeros behind the content.
        context: The stream that it belongs to.
        stamp_ns: When its first octet left, on the receiver's monotonic clock.
        arrival_ns: When its last octet was received.
        corrected_octets: Octets that the error correction repaired.
    """

    packet: Packet
    context: StreamContext
    stamp_ns: int
    arrival_ns: int
    corrected_octets: int


@dataclass(frozen=True, slots=True)
class _Heard:
    """What may be a packet, after error correction.

    Attributes:
        corrected: Its octets, and what was wrong with them.
        codeword_octets: Octets that were checked.
        wire_octets: What it took on the wire, with all that was around it.
        arrival_ns: When it was received.
        link: By whom.
        crossing_bps: How fast they crossed; 0 for at once, None for the sender's pace.
    """

    corrected: CorrectedMessage
    codeword_octets: int
    wire_octets: int
    arrival_ns: int
    link: LinkReceiver
    crossing_bps: int | None = None


@dataclass(frozen=True, slots=True)
class _Unknown:
    """What may be a packet of a stream that is not known yet."""

    heard: _Heard
    rejected: bool  # how it was counted: its trailer fits no stream, rather than that there was none to try


@dataclass(frozen=True, slots=True)
class _Verified:
    """A packet of a known stream, or one that makes its stream known."""

    heard: _Heard
    packet: Packet
    stream: Stream


class LinkReceiver:
    """Finds, corrects, verifies and dates packets; drops duplicates and recordings; counts everything.

    A stream is known once its IDENT has arrived; the last 64 packets heard before are kept and delivered then, with the
    times of their arrival, also those that another receiver with the same streams has heard.

    Args:
        bitrate_bps: Rate at which the sender paces its octets; gives the air time of a packet.
        contexts: Streams that are known beforehand, for joining without waiting for an IDENT.
        listener: Hears every codeword before error correction, such as the writer of a capture.
        keyring: Which streams are taken; by default those without a key.
        memory: What earlier runs have heard of streams with a key.
        streams: Which streams are known; takes the place of contexts, keyring and memory. Receivers of several lines
            share them.
        max_packets_per_s: How many packets that arrive whole are looked at; what exceeds it is dropped and counted. A
            network brings forgeries faster than any radio. What a sender with a key tells anew does not count.

    Attributes:
        bitrate_bps: As above.
        statistics: What has been received, whatever other lines have brought.

    Raises:
        SecurityError: A stream that is known beforehand cannot be taken.
    """

    def __init__(
        self,
        *,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
        contexts: Iterable[StreamContext] = (),
        listener: CodewordListener | None = None,
        keyring: Keyring | None = None,
        memory: StreamMemory | None = None,
        streams: KnownStreams | None = None,
        max_packets_per_s: int | None = None,
    ) -> None:
        self.bitrate_bps = bitrate_bps
        self._checks = None if max_packets_per_s is None else TokenBucket(8 * max_packets_per_s, 0, _CHECKS_AT_ONCE)
        self._streams = streams or KnownStreams(contexts, keyring or Keyring(), memory)
        self._streams.links.append(self)
        self._unknown: deque[_Unknown] = deque(maxlen=_MAX_UNKNOWN)
        self._listener = listener
        self.statistics = ReceiverStatistics()
        self._deframer = Deframer(self.statistics)

    @property
    def contexts(self) -> tuple[StreamContext, ...]:
        """The known streams, the one heard last at the end."""
        return self._streams.contexts

    @property
    def newest(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Epoch and highest counter of the streams with a key, by sender and callsign."""
        return self._streams.newest

    @property
    def refused(self) -> dict[StreamContext, str]:
        """Streams that were announced and not taken, and why; the last 128."""
        return self._streams.refused

    def statistics_of(self, context: StreamContext) -> StreamStatistics | None:
        """Return a copy of what was counted of a stream since it became known; None if it is not known."""
        stream = self._streams.get(context)
        return None if stream is None else replace(stream.statistics)

    def set_bitrate(self, context: StreamContext, bitrate_bps: int) -> None:
        """Note at which rate the sender of a known stream paces its octets, if it told."""
        if (stream := self._streams.get(context)) is not None:
            stream.bitrate_bps = bitrate_bps

    def receive(self, octets: bytes, now_ns: int) -> list[ReceivedPacket]:
        """Take octets from the port; return the packets that they complete. Noise raises nothing.

        Args:
            octets: Any number of received octets.
            now_ns: Monotonic time of their arrival.
        """
        packets = []
        self._deframer.push(octets)
        while (codeword := self._deframer.pop()) is not None:
            verified = self._verify_codeword(codeword.octets, now_ns)
            if verified is None:
                continue
            self._deframer.accept(codeword)
            packets += self._deliver(verified)
        return packets

    def receive_from(self, port: Port, octets: bytes, now_ns: int) -> list[ReceivedPacket]:
        """Take what a port has brought, octets of a stream or a whole packet; see `receive` and `receive_packet`."""
        if isinstance(port, PacketPort):
            return self.receive_packet(octets, now_ns, port.wire_octets(octets), crossing_bps=port.crossing_bps)
        return self.receive(octets, now_ns)

    def receive_codeword(self, octets: bytes, arrival_ns: int) -> list[ReceivedPacket]:
        """Take one codeword as a listener heard it; return the packets that it makes known.

        Args:
            octets: Marker and codeword, before error correction.
            arrival_ns: Monotonic time of its arrival.
        """
        self.statistics.wire_octets += len(octets)
        wire_format = announced_format(int.from_bytes(octets[:MARKER_OCTETS], "big"))
        if wire_format is None or len(octets) != wire_format.wire_octets:
            return []
        self.statistics.markers += 1
        verified = self._verify_codeword(octets, arrival_ns)
        return self._deliver(verified) if verified is not None else []

    def receive_packet(
        self, octets: bytes, arrival_ns: int, wire_octets: int | None = None, *, crossing_bps: int | None = None
    ) -> list[ReceivedPacket]:
        """Take a packet that arrived whole, without marker and codeword; return the packets that it makes known.

        Args:
            octets: The packet.
            arrival_ns: Monotonic time of its arrival.
            wire_octets: What it took on the wire, with all that was around it; its own octets by default.
            crossing_bps: How fast that crossed: a packet leaves whole, when its pace allows all of it, and then is as
                fast as its modem or network. 0 for at once; by default the sender's pace.
        """
        self.statistics.wire_octets += wire_octets or len(octets)
        if self._checks is not None and not self._checks.take(arrival_ns, 1):
            self.statistics.packets_flooded += 1
            return []
        self.statistics.markers += 1
        self.statistics.codewords_corrected += 1
        corrected = CorrectedMessage(octets, 0, 0)
        heard = _Heard(corrected, len(octets), wire_octets or len(octets), arrival_ns, self, crossing_bps)
        verified = self._verify(octets, heard)
        packets = self._deliver(verified) if verified is not None else []
        if self._checks is not None and packets and packets[-1].context.security is not Security.CHECKED:
            self._checks.give_back(1)
        return packets

    def _verify_codeword(self, octets: bytes, now_ns: int) -> _Verified | None:
        """Correct a codeword and return what it holds; None if that is no packet of a known stream."""
        wire_format = announced_format(int.from_bytes(octets[:MARKER_OCTETS], "big"))
        assert wire_format is not None  # noqa: S101 - that is how it was found
        try:
            corrected = correct(octets, wire_format)
        except CodewordError as error:
            self.statistics.codewords_failed += 1
            self._tell(octets, now_ns, None, None, flaw=str(error))
            return None
        self.statistics.codewords_corrected += 1
        heard = _Heard(corrected, wire_format.codeword_octets, wire_format.wire_octets, now_ns, self)
        return self._verify(octets, heard)

    def _verify(self, octets: bytes, heard: _Heard) -> _Verified | None:
        try:
            packet, stream = self._streams.open(heard.corrected.message)
        except PacketError as error:
            self._count_flaw(error)
            if isinstance(error, ContextError | TrailerError):
                self._unknown.append(_Unknown(heard, isinstance(error, TrailerError)))
            self._tell(octets, heard.arrival_ns, heard.corrected, None, flaw=str(error))
            return None
        self._tell(octets, heard.arrival_ns, heard.corrected, packet, context=stream.seal.context)
        return _Verified(heard, packet, stream)

    def _count_flaw(self, error: PacketError) -> None:
        if isinstance(error, ContextError):
            self.statistics.packets_without_context += 1
        elif isinstance(error, ReplayError):
            self.statistics.packets_replayed += 1
        else:
            self.statistics.packets_rejected += 1

    def _tell(
        self,
        octets: bytes,
        now_ns: int,
        corrected: CorrectedMessage | None,
        packet: Packet | None,
        *,
        context: StreamContext | None = None,
        flaw: str = "",
    ) -> None:
        if self._listener is not None:
            wrong = None if corrected is None else corrected.corrected_octets
            self._listener.on_codeword(HeardCodeword(octets, now_ns, wrong, packet, flaw, context))

    def _deliver(self, verified: _Verified) -> list[ReceivedPacket]:
        """Return a verified packet; before it, if it makes its stream known, those heard before, by whichever link."""
        found: list[ReceivedPacket | None] = []
        if verified.stream.seal.context not in self._streams or verified.stream.counters.newest is None:
            # Of several lines in the order of arrival: for each stream, counting starts with the first.
            earlier = [each for link in self._streams.links for each in link._recognised(verified)]  # noqa: SLF001
            earlier.sort(key=lambda each: each.heard.arrival_ns)
            found += [each.heard.link._deliver_one(each) for each in earlier]  # noqa: SLF001
        found.append(self._deliver_one(verified))
        return [received for received in found if received is not None]

    def _recognised(self, introduction: _Verified) -> list[_Verified]:
        """Take the packets of a stream out of those that were heard before anything was known of it."""
        found, unknown = [], deque[_Unknown](maxlen=_MAX_UNKNOWN)
        stream, counter = introduction.stream, introduction.packet.counter
        for each in self._unknown:
            try:
                packet = self._streams.open_earlier(each.heard.corrected.message, stream, counter)
            except PacketError:
                unknown.append(each)
            else:
                found.append(_Verified(each.heard, packet, stream))
                self.statistics.packets_rejected -= each.rejected
                self.statistics.packets_without_context -= not each.rejected
        self._unknown = unknown
        return found

    def _deliver_one(self, verified: _Verified) -> ReceivedPacket | None:
        packet, stream = verified.packet, verified.stream
        arrival = stream.counters.observe(packet.counter)
        if arrival.order is Order.STALE:
            self.statistics.packets_replayed += 1
            return None
        stream.content |= packet.kind is not PacketKind.IDENT
        self._streams.touch(stream)
        _count(stream.statistics, arrival, verified.heard)
        _count(
            self.statistics, stream.by_line.setdefault(self, CounterTracker()).observe(packet.counter), verified.heard
        )
        if arrival.order is Order.DUPLICATE:
            return None
        self._streams.note(stream, packet.counter)
        crossing_bps = verified.heard.crossing_bps
        if crossing_bps is None:
            crossing_bps = stream.bitrate_bps or self.bitrate_bps
        air_time_ns = 8 * verified.heard.wire_octets * 1_000_000_000 // crossing_bps if crossing_bps else 0
        return ReceivedPacket(
            packet=packet,
            context=stream.seal.context,
            stamp_ns=stream.clock.local_time_ns(packet.tick, verified.heard.arrival_ns, air_time_ns),
            arrival_ns=verified.heard.arrival_ns,
            corrected_octets=verified.heard.corrected.corrected_octets,
        )


def _count(statistics: StreamStatistics, arrival: Arrival, heard: _Heard) -> None:
    statistics.good_bits += 8 * heard.codeword_octets
    statistics.corrected_bits += heard.corrected.corrected_bits
    statistics.corrected_octets += heard.corrected.corrected_octets
    if arrival.order is Order.NEW:
        statistics.packets_good += 1
        statistics.packets_lost += arrival.lost
    else:
        statistics.packets_duplicate += 1
