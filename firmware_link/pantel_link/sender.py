"""The sending half of the link: payloads in, paced octets out; no port, no clock, no thread."""

from __future__ import annotations

from pantel_link.context import StreamContext
from pantel_link.errors import PayloadError
from pantel_link.framing import frame_packet
from pantel_link.identity import Identity
from pantel_link.pacing import CHUNK_OCTETS, DEFAULT_BITRATE_BPS, TokenBucket, check_bitrate
from pantel_link.packet import SEQUENCE_BITS, Packet, PacketKind
from pantel_link.statistics import SenderStatistics
from pantel_link.time_stamp import TICK_NS, tick_of
from pantel_link.wire_format import LengthClass, Preset, wire_format

__all__ = ["IDENT_INTERVAL_NS", "LinkSender"]

IDENT_INTERVAL_NS = 15_000_000_000
_FIRST_IDENTS_NS = (3_000_000_000, 4_000_000_000)  # sooner after the start, but the first picture comes first

# Time stamps are unambiguous up to 19.2 s (see time_stamp), so a packet that the port kept out longer is void.
_MAX_WAIT_NS = 12_000_000_000


class LinkSender:
    """Frames packets, introduces itself, and releases octets at the link's pace.

    It queues nothing: while it is not `ready`, a payload would only grow old. So the caller asks, builds the
    freshest payload there is, and submits it::

        while chunk := sender.due(now_ns):
            written = port.write(chunk)
            if written < len(chunk):
                sender.put_back(chunk[written:])
                break
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, payload, sender.stamp_ns(now_ns))

    An IDENT packet goes first, again after 3 s and 7 s, and then every 15 s. A packet that the port does not accept for
    12 s is dropped, as its time stamp would be ambiguous. To end without cutting a packet off, call `finish` and go on
    until it is `idle`.

    Args:
        context: The stream; its epoch must be new after every start.
        now_ns: Monotonic time of the start.
        preset: Strength of the error protection.
        bitrate_bps: Wire octets per second times 8; at most 976.

    Attributes:
        utc_offset_ns: UTC less monotonic time, None while unknown; the caller may set it at any time.
        statistics: What has been sent.

    Raises:
        ValueError: The bit rate would break the promise of 1000 bit/s over any 10 s.
    """

    def __init__(
        self,
        context: StreamContext,
        *,
        now_ns: int,
        preset: Preset = Preset.STANDARD,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
    ) -> None:
        check_bitrate(bitrate_bps)
        self._context = context
        self._preset = preset
        self._bitrate_bps = bitrate_bps
        self._bucket = TokenBucket(bitrate_bps, now_ns)
        self._outgoing = bytearray()
        self._void_after_ns = now_ns
        self._line_free_ns = now_ns
        self._finishing = False
        self._sequence = 0
        self._next_ident_ns = now_ns
        self.utc_offset_ns: int | None = None
        self.statistics = SenderStatistics()

    @property
    def payload_capacity_bytes(self) -> int:
        """Largest payload of a live packet."""
        return self.capacity_bytes(LengthClass.LIVE)

    def capacity_bytes(self, length_class: LengthClass) -> int:
        """Return the largest payload of a packet of this length."""
        return wire_format(self._preset, length_class).payload_octets

    def ready(self, now_ns: int) -> bool:
        """Whether a payload built now would start on the wire within one chunk (8 octets) of what is left."""
        self._drop_void(now_ns)
        self._introduce(now_ns)
        return self._nearly_idle() and not self._finishing

    def finish(self) -> None:
        """Start no packet any more; what is in flight still leaves."""
        self._finishing = True

    def idle(self, now_ns: int) -> bool:
        """Whether nothing is in flight: every octet has been released, and the last of them had time to leave."""
        self._drop_void(now_ns)
        return not self._outgoing and now_ns >= self._line_free_ns

    def stamp_ns(self, now_ns: int) -> int:
        """Return the time stamp of a packet submitted now: when its first octet will leave, in whole ticks."""
        chunks = len(self._outgoing) // CHUNK_OCTETS + 1  # the last of which the packet's first octet is part of
        return self._bucket.granted_at_ns(now_ns, chunks * CHUNK_OCTETS) // TICK_NS * TICK_NS

    def submit(
        self,
        kind: PacketKind,
        payload: bytes,
        stamp_ns: int,
        length_class: LengthClass = LengthClass.LIVE,
    ) -> int:
        """Frame one payload for sending; call it only when `ready`.

        Args:
            kind: What the payload is.
            payload: At most `capacity_bytes` octets; shorter ones arrive with zeros behind them.
            stamp_ns: What `stamp_ns` returned, or any time that the payload's own times count from.
            length_class: Live or still codeword.

        Returns:
            The packet's sequence number.

        Raises:
            PayloadError: It does not fit, a packet is still in flight, or none may start any more.
        """
        if self._finishing or not self._nearly_idle():
            raise PayloadError("a packet is still in flight, or none may start any more: ask ready() before submit()")
        if len(payload) > self.capacity_bytes(length_class):
            raise PayloadError(
                f"payload has {len(payload)} octets; a {self._preset} {length_class} packet carries "
                f"{self.capacity_bytes(length_class)}"
            )
        self.statistics.payload_octets += len(payload)
        return self._frame(kind, payload, stamp_ns, length_class)

    def due(self, now_ns: int) -> bytes:
        """Return the octets to write now, at most 8 and often none; call again until none are returned.

        They count as sent. What a port does not accept may be handed back by `put_back`.
        """
        self._drop_void(now_ns)
        self._introduce(now_ns)
        wanted = min(CHUNK_OCTETS, len(self._outgoing))
        if self._bucket.available_at_ns(now_ns, wanted) > now_ns:
            return b""  # wait for a whole chunk
        granted = self._bucket.take(now_ns, wanted)
        chunk = bytes(self._outgoing[:granted])
        del self._outgoing[:granted]
        self.statistics.wire_octets += granted
        self._line_free_ns = max(self._line_free_ns, now_ns) + self._air_time_ns(granted)
        return chunk

    def put_back(self, octets: bytes) -> None:
        """Take back what the port did not accept of the last chunk; the pacing still counts it."""
        self._outgoing[:0] = octets
        self.statistics.wire_octets -= len(octets)

    def next_due_ns(self, now_ns: int) -> int:
        """Return when `due` will next have octets, if nothing is submitted until then, or when it will be `idle`."""
        if not self._outgoing:
            return max(now_ns, self._line_free_ns if self._finishing else self._next_ident_ns)
        return self._bucket.available_at_ns(now_ns, min(CHUNK_OCTETS, len(self._outgoing)))

    def _air_time_ns(self, octets: int) -> int:
        return 8 * octets * 1_000_000_000 // self._bitrate_bps

    def _nearly_idle(self) -> bool:
        return len(self._outgoing) <= CHUNK_OCTETS

    def _drop_void(self, now_ns: int) -> None:
        if now_ns > self._void_after_ns:
            self._outgoing.clear()

    def _introduce(self, now_ns: int) -> None:
        """Frame an IDENT packet when it is time for one and the line is free."""
        if now_ns < self._next_ident_ns or self._finishing or not self._nearly_idle():
            return
        stamp_ns = self.stamp_ns(now_ns)
        utc_s = None if self.utc_offset_ns is None else (stamp_ns + self.utc_offset_ns) // 1_000_000_000
        self._frame(PacketKind.IDENT, Identity(self._context, utc_s).to_payload(), stamp_ns, LengthClass.LIVE)
        sent = self.statistics.idents
        self._next_ident_ns = now_ns + (_FIRST_IDENTS_NS[sent] if sent < len(_FIRST_IDENTS_NS) else IDENT_INTERVAL_NS)
        self.statistics.idents += 1

    def _frame(self, kind: PacketKind, payload: bytes, stamp_ns: int, length_class: LengthClass) -> int:
        sequence = self._sequence
        packet = Packet(kind, self._context.sender, sequence, tick_of(stamp_ns), payload)
        self._outgoing += frame_packet(packet, self._context, wire_format(self._preset, length_class))
        self._void_after_ns = stamp_ns + self._air_time_ns(len(self._outgoing)) + _MAX_WAIT_NS
        self._sequence = (sequence + 1) % (1 << SEQUENCE_BITS)
        self.statistics.packets += 1
        return sequence
