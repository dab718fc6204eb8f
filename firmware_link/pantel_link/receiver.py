"""The receiving half of the link: octets in, verified packets out; no port, no clock, no thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pantel_link.capture_time import CaptureClock
from pantel_link.context import StreamContext
from pantel_link.errors import ContextError, PacketError
from pantel_link.framing import Codeword, Deframer
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.packet import Packet
from pantel_link.sequence import SequenceTracker
from pantel_link.statistics import ReceiverStatistics

__all__ = ["LinkReceiver", "ReceivedPacket"]

_MAX_STREAMS = 16


@dataclass(frozen=True, slots=True)
class ReceivedPacket:
    """A verified packet and what the receiver knows about it.

    Attributes:
        packet: The packet; its payload is as long as the codeword allows, with zeros behind the content.
        context: The stream that it belongs to.
        capture_time_ns: When its content was captured, on the receiver's monotonic clock.
        arrival_ns: When its last octet was received.
        corrected_octets: Octets that the error correction repaired.
    """

    packet: Packet
    context: StreamContext
    capture_time_ns: int
    arrival_ns: int
    corrected_octets: int


@dataclass(slots=True)
class _Stream:
    sequence: SequenceTracker = field(default_factory=SequenceTracker)
    clock: CaptureClock = field(default_factory=CaptureClock)


class LinkReceiver:
    """Finds, corrects, verifies and dates packets; drops duplicates; counts everything.

    A stream is known once its IDENT has arrived; until then its packets are counted and dropped. The 16
    streams heard last are remembered, so a restarted or a second sender takes nothing away from the others.

    Args:
        bitrate_bps: Rate at which the sender paces its octets; gives the air time of a packet.
        contexts: Streams that are known beforehand, for joining without waiting for an IDENT.

    Attributes:
        statistics: What has been received.
    """

    def __init__(self, *, bitrate_bps: int = DEFAULT_BITRATE_BPS, contexts: Iterable[StreamContext] = ()) -> None:
        self._bitrate_bps = bitrate_bps
        self._streams: OrderedDict[StreamContext, _Stream] = OrderedDict((each, _Stream()) for each in contexts)
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
            try:
                packet, context = Packet.from_bytes(codeword.corrected.message, self._streams)
            except ContextError:
                self.statistics.packets_without_context += 1
            except PacketError:
                self.statistics.packets_rejected += 1
            else:
                self._deframer.accept(codeword)
                received = self._deliver(packet, context, codeword, now_ns)
                if received is not None:
                    packets.append(received)
        return packets

    def _deliver(
        self, packet: Packet, context: StreamContext, codeword: Codeword, now_ns: int
    ) -> ReceivedPacket | None:
        stream = self._stream(context)
        statistics = self.statistics
        statistics.good_bits += 8 * codeword.wire_format.codeword_octets
        statistics.corrected_bits += codeword.corrected.corrected_bits
        statistics.corrected_octets += codeword.corrected.corrected_octets
        arrival = stream.sequence.observe(packet.sequence)
        if arrival.duplicate:
            statistics.packets_duplicate += 1
            return None
        statistics.packets_good += 1
        statistics.packets_lost += arrival.lost
        air_time_ns = 8 * codeword.wire_format.wire_octets * 1_000_000_000 // self._bitrate_bps
        return ReceivedPacket(
            packet=packet,
            context=context,
            capture_time_ns=stream.clock.local_time_ns(packet.capture_tick, now_ns, air_time_ns),
            arrival_ns=now_ns,
            corrected_octets=codeword.corrected.corrected_octets,
        )

    def _stream(self, context: StreamContext) -> _Stream:
        """Return the state of a verified stream, and mark it as heard last."""
        stream = self._streams.setdefault(context, _Stream())
        self._streams.move_to_end(context)
        while len(self._streams) > _MAX_STREAMS:
            self._streams.popitem(last=False)
        return stream
