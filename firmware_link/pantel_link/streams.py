"""The streams that a receiver knows: which packet belongs to which, and which is a recording."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pantel_link.context import StreamContext
from pantel_link.errors import ContextError, PacketError, ReplayError, TrailerError
from pantel_link.identity import Identity
from pantel_link.keys import Keyring
from pantel_link.packet import SEQUENCE_BITS, Packet, PacketKind, SealedPacket
from pantel_link.seal import Seal
from pantel_link.sequence import CounterTracker, earlier
from pantel_link.statistics import StreamStatistics
from pantel_link.time_stamp import StampClock

if TYPE_CHECKING:
    from pantel_link.receiver import LinkReceiver

__all__ = ["KnownStreams", "Stream", "StreamMemory"]

_MAX_STREAMS = 128  # the 64 senders that one callsign may have, and as many others
_MAX_LEFT = 256


class StreamMemory(Protocol):
    """What must survive a restart of the receiver, so that recordings of before are known as such."""

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        """Return the newest epoch of a sender and a counter that is no packet's any more; None if it is new."""
        ...

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        """Take the counter of a packet before it is delivered. It must not raise."""
        ...


@dataclass(slots=True)
class Stream:
    """What a receiver keeps of a stream.

    Attributes:
        seal: Opens its packets.
        counters: Of the packets heard.
        clock: Maps its time stamps.
        bitrate_bps: Rate at which its sender paces its octets; None if that has not told.
        statistics: What has been counted of it since it became known.
        content: Whether anything but introductions has come of it.
        by_line: Of the packets heard, by who has heard them: what another line has brought is no loss and no duplicate.
    """

    seal: Seal
    counters: CounterTracker = field(default_factory=CounterTracker)
    clock: StampClock = field(default_factory=StampClock)
    bitrate_bps: int | None = None
    statistics: StreamStatistics = field(default_factory=StreamStatistics)
    content: bool = False
    by_line: dict[object, CounterTracker] = field(default_factory=dict)


class KnownStreams:
    """The 128 streams heard last, so a restarted or a second sender takes nothing away from the others.

    Anybody can announce streams without end, so those of which nothing but introductions has come leave first. Several
    `LinkReceiver`s may share it: then a packet that all of them hear is delivered once, by the first. Between them it
    may be late by 63 packets of its sender, as any late packet may.

    Args:
        contexts: Streams that are known beforehand. Of one with a key, packets can be read once its IDENT has told how
            many have been sent, or if the memory knows.
        keyring: Which streams are taken.
        memory: Of earlier runs.

    Attributes:
        refused: Streams that were announced and not taken, and why; the last 128.
        links: Who shares them: what one has heard of a stream before another made it known is read then.

    Raises:
        SecurityError: A stream that is known beforehand cannot be taken.
    """

    def __init__(self, contexts: Iterable[StreamContext], keyring: Keyring, memory: StreamMemory | None) -> None:
        self._keyring = keyring
        self._memory = memory
        self._streams: OrderedDict[StreamContext, Stream] = OrderedDict()
        self.refused: dict[StreamContext, str] = {}
        self.links: list[LinkReceiver] = []
        self._left: OrderedDict[StreamContext, CounterTracker] = OrderedDict()  # of streams with a key
        for context in contexts:
            self._streams[context] = self._begin(context)

    @property
    def contexts(self) -> tuple[StreamContext, ...]:
        """The known streams, the one heard last at the end."""
        return tuple(self._streams)

    @property
    def newest(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Epoch and highest counter of the streams with a key, by sender and callsign."""
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for context, stream in self._streams.items():
            if stream.seal.keyed and stream.counters.newest is not None:
                name = context.sender, context.callsign
                found[name] = max(found.get(name, (-1, 0)), (context.epoch, stream.counters.newest))
        return found

    def get(self, context: StreamContext) -> Stream | None:
        """Return a stream; None if it is not known."""
        return self._streams.get(context)

    def __contains__(self, context: StreamContext) -> bool:
        return context in self._streams

    def open(self, octets: bytes) -> tuple[Packet, Stream]:
        """Return a packet and its stream; that of an IDENT packet may be new.

        Raises:
            HeaderError: Too short, another version, or an unassigned kind.
            IdentityError: An IDENT packet that describes no possible stream.
            SecurityError: An IDENT packet of a stream that is not taken.
            ContextError: No stream of its sender is known.
            TrailerError: It belongs to none that is.
            ReplayError: It belongs to an earlier start of its sender.
        """
        sealed = SealedPacket.from_bytes(octets)
        if sealed.kind is PacketKind.IDENT:
            return self._open_identity(sealed)
        candidates = [
            stream
            for context, stream in self._streams.items()
            if (context.sender, context.version) == (sealed.sender, sealed.version)
            and not (stream.seal.keyed and stream.counters.newest is None)
        ]
        if not candidates:
            raise ContextError(f"sender {sealed.sender} has not introduced itself yet")
        for stream in candidates:
            try:
                return sealed.open(stream.seal, stream.counters.extend(sealed.sequence)), stream
            except TrailerError as error:
                misfit = error
        raise misfit

    def open_earlier(self, octets: bytes, stream: Stream, counter: int) -> Packet:
        """Return a packet that was heard before its stream introduced itself.

        Args:
            octets: The packet.
            stream: The stream.
            counter: Of the IDENT packet.

        Raises:
            HeaderError: As `open`.
            TrailerError: It does not belong to the stream.
        """
        sealed = SealedPacket.from_bytes(octets)
        if sealed.version != stream.seal.context.version:
            raise TrailerError("the packet is of another version")
        return sealed.open(stream.seal, earlier(sealed.sequence, counter))

    def touch(self, stream: Stream) -> None:
        """Mark a stream as heard last; if it is new, take it up and leave those that its sender has ended."""
        context = stream.seal.context
        if stream.seal.keyed and context not in self._streams:
            for other in [each for each in self._streams if _same_sender(each, context)]:
                del self._streams[other]
        self._streams[context] = stream
        self._streams.move_to_end(context)
        while len(self._streams) > _MAX_STREAMS:
            left = self._leaving()
            old = self._streams.pop(left)
            if old.seal.keyed:
                self._left[left] = old.counters  # the memory knows them less exactly
        while len(self._left) > _MAX_LEFT:
            self._left.popitem(last=False)

    def _leaving(self) -> StreamContext:
        """Return the stream that makes room for the newest."""
        *others, _ = self._streams
        return next((context for context in others if not self._streams[context].content), others[0])

    def note(self, stream: Stream, counter: int) -> None:
        """Remember a packet that is about to be delivered."""
        if self._memory is not None and stream.seal.keyed:
            context = stream.seal.context
            self._memory.note(context.sender, context.callsign, context.epoch, counter)

    def _open_identity(self, sealed: SealedPacket) -> tuple[Packet, Stream]:
        identity = Identity.from_payload(sealed.sender, sealed.readable_payload, version=sealed.version)
        try:
            return self._introduced(sealed, identity)
        except PacketError as error:
            if identity.context not in self.refused:
                while len(self.refused) >= _MAX_STREAMS:  # anybody can announce more
                    del self.refused[next(iter(self.refused))]
                self.refused[identity.context] = str(error)
            raise

    def _introduced(self, sealed: SealedPacket, identity: Identity) -> tuple[Packet, Stream]:
        stream = self._streams.get(identity.context) or Stream(self._keyring.seal(identity.context))
        counter = identity.rollover << SEQUENCE_BITS | sealed.sequence
        if not stream.seal.keyed and stream.counters.newest is not None:
            counter = stream.counters.extend(sealed.sequence)  # a guess that was wrong once need not be mended
        packet = sealed.open(stream.seal, counter)
        if stream.seal.keyed and identity.context not in self._streams:
            stream = self._begin(identity.context)
        return packet, stream

    def _begin(self, context: StreamContext) -> Stream:
        """Return a stream as an earlier run left it.

        Raises:
            ReplayError: Its sender has started again since.
            SecurityError: It is not taken.
        """
        stream = Stream(self._keyring.seal(context))
        known = self._memory.recall(context.sender, context.callsign) if self._memory and stream.seal.keyed else None
        for other in (*self._streams, *self._left):
            if stream.seal.keyed and _same_sender(other, context):
                known = max(known or (0, 0), (other.epoch, 0))
        if known is not None and known[0] > context.epoch:
            raise ReplayError(f"epoch {context.epoch} of sender {context.sender} is over: now it is {known[0]}")
        if context in self._left:
            stream.counters = self._left.pop(context)
        elif known is not None and known[0] == context.epoch and known[1]:
            stream.counters.resume(known[1])
        return stream


def _same_sender(one: StreamContext, other: StreamContext) -> bool:
    return (one.sender, one.callsign) == (other.sender, other.callsign)
