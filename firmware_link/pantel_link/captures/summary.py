"""What a capture tells: who sent what, how much of it arrived, and how good the line was."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.known_streams import CapturedMemory, taken_contexts
from pantel_link.captures.reader import CapturedCodeword, CaptureEnd, CaptureEvent
from pantel_link.captures.sender_summary import Reading, SenderSummary
from pantel_link.context import Security, StreamContext
from pantel_link.errors import CodewordError, PacketError, SecurityError
from pantel_link.fec import CorrectedMessage
from pantel_link.framing import announced_format, correct
from pantel_link.identity import Identity
from pantel_link.keys import Keyring, MasterKey, SenderKey
from pantel_link.packet import HEADER_OCTETS, SEQUENCE_BITS, PacketKind, SealedPacket
from pantel_link.seal import TRAILER_OCTETS, Seal, make_seal
from pantel_link.sequence import CounterTracker, earlier
from pantel_link.streams import KnownStreams, Stream
from pantel_link.wire_format import MARKER_OCTETS

__all__ = ["CaptureSummary", "summarize"]

_MAX_UNKNOWN = 960  # packets; an IDENT packet says which counters those up to 960 before it have


@dataclass(slots=True)
class CaptureSummary:
    """What a file tells.

    Attributes:
        runs: How often a receiver began to write into it.
        dated: Whether all of them knew UTC, so that times of the file are UTC.
        codewords: What was taken for a codeword or packet, good and bad.
        formats: Those by format: ``standard live`` and so on, ``packet`` for packets that arrived whole, ``other``.
        failed: Codewords with more errors than their parity corrects, imitations by noise among them.
        unknown: Codewords without such errors, which are no packets of the senders below.
        sent: Codewords or packets that were sent rather than received.
        first_ns: When the first came, on the file's clock [ns].
        last_ns: When the last came, or the last run ended.
        senders: Each start of a sender, in the order of appearance.
    """

    runs: int = 0
    dated: bool = True
    codewords: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    unknown: int = 0
    sent: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    senders: list[SenderSummary] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time from the first codeword to the end [s]."""
        return 0.0 if self.first_ns is None or self.last_ns is None else (self.last_ns - self.first_ns) / 1e9

    def extend_to(self, time_ns: int) -> None:
        """Note that the capture covers a time."""
        self.first_ns = time_ns if self.first_ns is None else min(self.first_ns, time_ns)
        self.last_ns = time_ns if self.last_ns is None else max(self.last_ns, time_ns)


def summarize(events: Iterable[CaptureEvent], key: MasterKey | SenderKey | None = None) -> CaptureSummary:
    """Return what a capture tells.

    Streams without a key are checked. Those with one are checked if the key is here, and else described as far as they
    can be read.

    Args:
        events: What `read_capture` yields.
        key: Of all senders or of one.
    """
    summary = CaptureSummary()
    listeners: dict[bool, _Listener] = {}
    header = CaptureHeader()
    for event in events:
        match event:
            case CaptureHeader():
                header = event
                summary.runs += 1
                summary.dated &= event.clock_offset_ns != 0
                for sender in summary.senders:
                    sender.begin_run()
                listeners = {
                    outbound: _Listener(summary, header, _AnyKeyring(key), outbound) for outbound in (False, True)
                }
            case CapturedCodeword() if listeners:
                summary.extend_to(event.arrival_ns + header.clock_offset_ns)
                listeners[event.outbound].take(event)
            case CaptureEnd(time_ns) if summary.first_ns is not None:
                summary.extend_to(time_ns + header.clock_offset_ns)
    return summary


class _AnyKeyring(Keyring):
    """Takes streams without a key, too: nobody acts on what a summary says."""

    def seal(self, context: StreamContext) -> Seal:
        """Return the seal of a stream that somebody announces.

        Raises:
            SecurityError: The stream needs a key that is not here.
        """
        return make_seal(context) if context.security is Security.CHECKED else super().seal(context)


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A packet of a stream that is not known yet."""

    message: bytes
    reading: Reading


@dataclass(slots=True)
class _Unverified:
    """A stream whose key is not here."""

    context: StreamContext
    counters: CounterTracker = field(default_factory=CounterTracker)


class _Listener:
    """Reads what came in one direction in one run."""

    def __init__(self, summary: CaptureSummary, header: CaptureHeader, keyring: Keyring, outbound: bool) -> None:
        self._summary = summary
        self._header = header
        self._outbound = outbound
        contexts = () if outbound else header.contexts
        taken = taken_contexts(contexts, keyring)
        self._streams = KnownStreams(taken, keyring, CapturedMemory(header.counters))
        self._unverified: dict[tuple[int, int], _Unverified] = {}  # by number of the sender and version
        self._unknown: deque[_Unknown] = deque(maxlen=_MAX_UNKNOWN)
        for context in contexts:
            if context not in taken:
                stream = self._unverified[context.sender, context.version] = _Unverified(context)
                if context in header.counters:
                    stream.counters.resume(header.counters[context])

    def take(self, captured: CapturedCodeword) -> None:
        """Count a codeword or packet, and whose it is."""
        corrected = self._correct(captured)
        if corrected is None:
            return
        try:
            sealed = SealedPacket.from_bytes(corrected.message)
        except PacketError:
            self._summary.unknown += 1
            return
        reading = self._reading(captured, corrected, sealed.kind)
        try:
            packet, stream = self._streams.open(corrected.message)
        except SecurityError:
            self._take_unverified_identity(sealed, reading)
        except PacketError:
            self._take_unverified(sealed, _Unknown(corrected.message, reading))
        else:
            sender = self._sender(stream.seal.context, verified=True)
            if stream.counters.newest is None:
                self._take_earlier(sender, stream, packet.counter)
            self._streams.touch(stream)
            sender.take(reading, stream.counters.observe(packet.counter))
            if packet.kind is PacketKind.IDENT:
                sender.tell_utc(Identity.from_payload(packet.sender, packet.payload, version=sealed.version).utc_s)

    def _correct(self, captured: CapturedCodeword) -> CorrectedMessage | None:
        """Return what the error correction makes of it, None if nothing; count it if it was received."""
        wire_format = announced_format(int.from_bytes(captured.octets[:MARKER_OCTETS], "big"))
        if captured.whole:
            name, corrected = "packet", CorrectedMessage(captured.octets, 0, 0)
        elif wire_format is None or len(captured.octets) != wire_format.wire_octets:
            name, corrected = "other", None
        else:
            name = f"{wire_format.preset} {wire_format.length_class}"
            try:
                corrected = correct(captured.octets, wire_format)
            except CodewordError:
                corrected = None
        if captured.outbound:
            self._summary.sent += 1
        else:
            self._summary.codewords += 1
            self._summary.formats[name] += 1
            self._summary.failed += corrected is None
        return corrected

    def _reading(self, captured: CapturedCodeword, corrected: CorrectedMessage, kind: PacketKind) -> Reading:
        wire_octets = captured.wire_octets or len(captured.octets)
        return Reading(
            kind=kind,
            payload_octets=len(corrected.message) - HEADER_OCTETS - TRAILER_OCTETS,
            time_ns=captured.arrival_ns + self._header.clock_offset_ns,
            air_time_ns=8 * wire_octets * 1_000_000_000 // self._header.bitrate_bps,
            wire_octets=wire_octets,
            checked_bits=0 if captured.whole else 8 * (len(captured.octets) - MARKER_OCTETS),
            corrected_bits=corrected.corrected_bits,
        )

    def _sender(self, context: StreamContext, *, verified: bool) -> SenderSummary:
        for sender in self._summary.senders:
            if (sender.context, sender.outbound, sender.verified) == (context, self._outbound, verified):
                return sender
        sender = SenderSummary(context, self._outbound, verified)
        self._summary.senders.append(sender)
        return sender

    def _take_earlier(self, sender: SenderSummary, stream: Stream, counter: int) -> None:
        """Take the packets of a stream that came before it introduced itself."""
        unknown = list(self._unknown)
        self._unknown.clear()
        for each in unknown:
            try:
                packet = self._streams.open_earlier(each.message, stream, counter)
            except PacketError:
                self._unknown.append(each)
                continue
            sender.take(each.reading, stream.counters.observe(packet.counter))
            self._summary.unknown -= 1

    def _take_unverified_identity(self, sealed: SealedPacket, reading: Reading) -> None:
        """Believe an IDENT packet that nobody here can check."""
        identity = Identity.from_payload(sealed.sender, sealed.readable_payload, version=sealed.version)
        number = sealed.sender, sealed.version
        stream = self._unverified.get(number)
        sender = self._sender(identity.context, verified=False)
        counter = identity.rollover << SEQUENCE_BITS | sealed.sequence
        if stream is None or stream.context != identity.context:
            stream = self._unverified[number] = _Unverified(identity.context)
            for each in list(self._unknown):
                before = SealedPacket.from_bytes(each.message)
                if (before.sender, before.version) == number and before.kind is not PacketKind.IDENT:
                    sender.take(each.reading, stream.counters.observe(earlier(before.sequence, counter)))
                    self._unknown.remove(each)
                    self._summary.unknown -= 1
        sender.take(reading, stream.counters.observe(counter))
        sender.tell_utc(identity.utc_s)

    def _take_unverified(self, sealed: SealedPacket, unknown: _Unknown) -> None:
        """Take a packet for one of the stream that introduced itself under its number; keep it if there is none."""
        stream = self._unverified.get((sealed.sender, sealed.version))
        if stream is None or sealed.kind is PacketKind.IDENT:
            self._unknown.append(unknown)
            self._summary.unknown += 1
            return
        sender = self._sender(stream.context, verified=False)
        sender.take(unknown.reading, stream.counters.observe(stream.counters.extend(sealed.sequence)))
