"""The receiving half of the link: octets in, verified packets out; no port, no clock, no thread."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from pantel_link.codeword import CodewordListener, HeardCodeword
from pantel_link.context import StreamContext
from pantel_link.errors import CodewordError, ContextError, PacketError, TrailerError
from pantel_link.fec import CorrectedMessage
from pantel_link.framing import Deframer, announced_format, correct
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.packet import Packet
from pantel_link.sequence import SequenceTracker
from pantel_link.statistics import ReceiverStatistics
from pantel_link.time_stamp import StampClock
from pantel_link.wire_format import MARKER_OCTETS, WireFormat

__all__ = ["LinkReceiver", "ReceivedPacket"]

_MAX_STREAMS = 16
_MAX_UNKNOWN = 64


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
class _Verified:
    """A codeword that is a packet of a known stream."""

    wire_format: WireFormat
    corrected: CorrectedMessage
    packet: Packet
    context: StreamContext


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A codeword that may be a packet of a stream that is not known yet."""

    wire_format: WireFormat
    corrected: CorrectedMessage
    arrival_ns: int
    rejected: bool  # how it was counted: its trailer fits no stream, rather than that there was none to try


@dataclass(slots=True)
class _Stream:
    sequence: SequenceTracker = field(default_factory=SequenceTracker)
    clock: StampClock = field(default_factory=StampClock)


class LinkReceiver:
    """Finds, corrects, verifies and dates packets; drops duplicates; counts everything.

    A stream is known once its IDENT has arrived; the last 64 packets heard before are kept and delivered then, with the
    times of their arrival. The 16 streams heard last are remembered, so a restarted or a second sender takes nothing
    away from the others.

    Args:
        bitrate_bps: Rate at which the sender paces its octets; gives the air time of a packet.
        contexts: Streams that are known beforehand, for joining without waiting for an IDENT.
        listener: Hears every codeword before error correction, such as the writer of a capture.

    Attributes:
        statistics: What has been received.
    """

    def __init__(
        self,
        *,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
        contexts: Iterable[StreamContext] = (),
        listener: CodewordListener | None = None,
    ) -> None:
        self._bitrate_bps = bitrate_bps
        self._streams: OrderedDict[StreamContext, _Stream] = OrderedDict((each, _Stream()) for each in contexts)
        self._unknown: deque[_Unknown] = deque(maxlen=_MAX_UNKNOWN)
        self._listener = listener
        self.statistics = ReceiverStatistics()
        self._deframer = Deframer(self.statistics)

    @property
    def contexts(self) -> tuple[StreamContext, ...]:
        """The known streams, the one heard last at the end."""
        return tuple(self._streams)

    def receive(self, octets: bytes, now_ns: int) -> list[ReceivedPacket]:
        """Take octets from the port; return the packets that they complete. Noise raises nothing.

        Args:
            octets: Any number of received octets.
            now_ns: Monotonic time of their arrival.
        """
        packets = []
        self._deframer.push(octets)
        while (codeword := self._deframer.pop()) is not None:
            verified = self._verify(codeword.octets, codeword.wire_format, now_ns)
            if verified is None:
                continue
            self._deframer.accept(codeword)
            packets += self._deliver(verified, now_ns)
        return packets

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
        verified = self._verify(octets, wire_format, arrival_ns)
        return self._deliver(verified, arrival_ns) if verified is not None else []

    def _verify(self, octets: bytes, wire_format: WireFormat, now_ns: int) -> _Verified | None:
        """Correct a codeword and return what it holds; None if that is no packet of a known stream."""
        corrected = None
        try:
            corrected = correct(octets, wire_format)
            packet, context = Packet.from_bytes(corrected.message, self._streams)
        except PacketError as error:
            self._count_flaw(error)
            if corrected is not None and isinstance(error, ContextError | TrailerError):
                rejected = isinstance(error, TrailerError)
                self._unknown.append(_Unknown(wire_format, corrected, now_ns, rejected))
            self._tell(octets, now_ns, corrected, None, str(error))
            return None
        self.statistics.codewords_corrected += 1
        self._tell(octets, now_ns, corrected, packet)
        return _Verified(wire_format, corrected, packet, context)

    def _count_flaw(self, error: PacketError) -> None:
        if isinstance(error, CodewordError):
            self.statistics.codewords_failed += 1
            return
        self.statistics.codewords_corrected += 1
        if isinstance(error, ContextError):
            self.statistics.packets_without_context += 1
        else:
            self.statistics.packets_rejected += 1

    def _tell(
        self, octets: bytes, now_ns: int, corrected: CorrectedMessage | None, packet: Packet | None, flaw: str = ""
    ) -> None:
        if self._listener is not None:
            wrong = None if corrected is None else corrected.corrected_octets
            self._listener.on_codeword(HeardCodeword(octets, now_ns, wrong, packet, flaw))

    def _deliver(self, verified: _Verified, now_ns: int) -> list[ReceivedPacket]:
        """Return a verified packet; before it, if it makes its stream known, those heard before of that stream."""
        found: list[ReceivedPacket | None] = []
        if verified.context not in self._streams:
            found += [self._deliver_one(each, arrival_ns) for each, arrival_ns in self._recognised(verified.context)]
        found.append(self._deliver_one(verified, now_ns))
        return [received for received in found if received is not None]

    def _recognised(self, context: StreamContext) -> list[tuple[_Verified, int]]:
        """Take the packets of a stream out of those that were heard before anything was known of it."""
        found, unknown = [], deque[_Unknown](maxlen=_MAX_UNKNOWN)
        for each in self._unknown:
            try:
                packet, _ = Packet.from_bytes(each.corrected.message, [context])
            except PacketError:
                unknown.append(each)
            else:
                found.append((_Verified(each.wire_format, each.corrected, packet, context), each.arrival_ns))
                self.statistics.packets_rejected -= each.rejected
                self.statistics.packets_without_context -= not each.rejected
        self._unknown = unknown
        return found

    def _deliver_one(self, verified: _Verified, now_ns: int) -> ReceivedPacket | None:
        packet, corrected, wire_format = verified.packet, verified.corrected, verified.wire_format
        stream = self._stream(verified.context)
        statistics = self.statistics
        statistics.good_bits += 8 * wire_format.codeword_octets
        statistics.corrected_bits += corrected.corrected_bits
        statistics.corrected_octets += corrected.corrected_octets
        arrival = stream.sequence.observe(packet.sequence)
        if arrival.duplicate:
            statistics.packets_duplicate += 1
            return None
        statistics.packets_good += 1
        statistics.packets_lost += arrival.lost
        air_time_ns = 8 * wire_format.wire_octets * 1_000_000_000 // self._bitrate_bps
        return ReceivedPacket(
            packet=packet,
            context=verified.context,
            stamp_ns=stream.clock.local_time_ns(packet.tick, now_ns, air_time_ns),
            arrival_ns=now_ns,
            corrected_octets=corrected.corrected_octets,
        )

    def _stream(self, context: StreamContext) -> _Stream:
        """Return the state of a verified stream, and mark it as heard last."""
        stream = self._streams.setdefault(context, _Stream())
        self._streams.move_to_end(context)
        while len(self._streams) > _MAX_STREAMS:
            self._streams.popitem(last=False)
        return stream
