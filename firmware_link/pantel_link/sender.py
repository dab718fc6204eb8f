"""The sending half of the link: payloads in, paced octets out; no port, no clock, no thread."""

from __future__ import annotations

from typing import Protocol

from pantel_link.codeword import SentCodeword
from pantel_link.context import StreamContext
from pantel_link.errors import EpochUsedUp, PayloadError
from pantel_link.identity import Identity
from pantel_link.keys import SenderKey
from pantel_link.outgoing import Outgoing
from pantel_link.pacing import DEFAULT_BITRATE_BPS, Pacer, check_bitrate
from pantel_link.packet import COUNTER_BITS, SEQUENCE_BITS, Packet, PacketKind
from pantel_link.profiles import OVERHEAD_OCTETS, Profile, StreamProfile
from pantel_link.seal import make_seal
from pantel_link.statistics import SenderStatistics
from pantel_link.time_stamp import TICK_NS, tick_of
from pantel_link.wire_format import LengthClass

__all__ = ["LinkSender", "SentListener", "ident_interval_ns"]

_IDENT_INTERVAL_NS = 15_000_000_000
_LONGEST_IDENT_INTERVAL_NS = 600_000_000_000  # amateurs must give their callsign every 10 minutes
_IDENT_LONGER = 4  # times, while a receiver tells that it hears: it has been introduced
_FIRST_IDENT_SHARES = (0.2, 4 / 15)  # of the interval: sooner after the start, but the first picture comes first

# Time stamps are unambiguous up to 19.2 s (see time_stamp), so a packet that the port kept out longer is void.
_MAX_WAIT_NS = 12_000_000_000
_DUTY_POLL_NS = 100_000_000
_SCENE_AIR_NS = 400_000_000  # what a live packet takes at 960 bit/s: longer, and news of motion come late
_CALM_AIR_NS = 1_250_000_000  # for which whatever begins to move may wait: what a still one takes at 840 bit/s


class SentListener(Protocol):
    """Takes every packet that is sent, such as the writer of a capture. It must not raise."""

    def on_sent(self, codeword: SentCodeword) -> None:
        """Take a packet as it goes to the port."""
        ...


def ident_interval_ns(bitrate_bps: int) -> int:
    """Return the time between two IDENT packets: 15 s, and on slower lines as much longer as they are slower."""
    return min(
        _IDENT_INTERVAL_NS * DEFAULT_BITRATE_BPS // min(bitrate_bps, DEFAULT_BITRATE_BPS), _LONGEST_IDENT_INTERVAL_NS
    )


class LinkSender:
    """Frames packets, introduces itself, and releases octets at the link's pace.

    It queues nothing: while it is not `ready`, a payload would only grow old. So the caller asks, builds the
    freshest payload there is, and submits it::

        write_due(sender, port, now_ns)
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, payload, sender.stamp_ns(now_ns))

    An IDENT packet goes first, again after 3 s and 7 s, and then every 15 s, on lines below 960 bit/s more rarely. A
    packet that the port does not accept for 12 s is dropped, as its time stamp would be ambiguous. To end without
    cutting a packet off, call `finish` and go on until it is `idle`.

    Args:
        context: The stream; its epoch must be new after every start.
        now_ns: Monotonic time of the start.
        profile: Of the line; a stream with standard protection by default.
        bitrate_bps: Wire octets per second times 8; at most 10,000.
        duty_cycle: Share of any hour that may be spent on the air.
        key: Needed if the context has security.
        listener: Hears every packet that is sent.

    Attributes:
        utc_offset_ns: UTC less monotonic time, None while unknown; the caller may set it at any time.
        statistics: What has been sent.

    Raises:
        ValueError: The bit rate is not one of 1 to 10,000 bit/s.
        KeyFileError: The context needs a key.
    """

    def __init__(
        self,
        context: StreamContext,
        *,
        now_ns: int,
        profile: Profile | None = None,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
        duty_cycle: float = 1.0,
        key: SenderKey | None = None,
        listener: SentListener | None = None,
    ) -> None:
        check_bitrate(bitrate_bps)
        self._context = context
        self._seal = make_seal(context, None if key is None else key.key)
        profile = StreamProfile() if profile is None else profile
        self._bitrate_bps = bitrate_bps
        self._duty_cycle = duty_cycle
        self._pacer = Pacer(bitrate_bps, now_ns, burst_octets=profile.burst_octets, duty_cycle=duty_cycle)
        self._listener = listener
        self._outgoing = Outgoing(profile, self._pacer)
        self._void_after_ns = now_ns
        self._line_free_ns = now_ns
        self._finishing = False
        self._counter = 0
        self._next_ident_ns = self._last_ident_ns = now_ns
        self.utc_offset_ns: int | None = None
        self.statistics = SenderStatistics()

    @property
    def _profile(self) -> Profile:
        return self._outgoing.profile

    @property
    def bitrate_bps(self) -> int:
        """Wire octets per second times 8."""
        return self._bitrate_bps

    def change_line(self, now_ns: int, *, profile: Profile | None = None, bitrate_bps: int | None = None) -> None:
        """Send otherwise from the next packet on.

        Args:
            now_ns: Monotonic time.
            profile: Of the line; None to leave it.
            bitrate_bps: None to leave it.

        Raises:
            ValueError: The bit rate is not one of 1 to 10,000 bit/s; nothing has changed.
        """
        if bitrate_bps is not None:
            check_bitrate(bitrate_bps)
            self._bitrate_bps = bitrate_bps
        self._outgoing.profile = profile or self._profile
        self._pacer.change(self._bitrate_bps, now_ns, burst_octets=self._profile.burst_octets)

    @property
    def payload_capacity_bytes(self) -> int:
        """Largest payload of a live packet."""
        return self.capacity_bytes(LengthClass.LIVE)

    @property
    def scene_length_class(self) -> LengthClass:
        """How long packets of the scene are: as still ones, which are mostly payload, where these leave fast enough."""
        return self._length_class_within(_SCENE_AIR_NS)

    @property
    def calm_length_class(self) -> LengthClass:
        """The same while nothing moves, so that nobody waits for news.

        Pauses of a duty cycle count, for they keep all else waiting. Packets that leave whole are no longer than ever:
        the pacing would hold them back until all of them may leave, and their time stamps would not be true.
        """
        if self._profile.burst_octets is not None:
            return self.scene_length_class
        return self._length_class_within(max(round(_CALM_AIR_NS * self._duty_cycle), _SCENE_AIR_NS))

    def length_class_for(self, payload_bytes: int) -> LengthClass:
        """Return how long a packet has to be at least for a payload of so many octets."""
        return LengthClass.LIVE if payload_bytes <= self.payload_capacity_bytes else LengthClass.STILL

    def _length_class_within(self, longest_ns: int) -> LengthClass:
        still_ns = self._air_time_ns(self.packet_octets(LengthClass.STILL))
        return LengthClass.STILL if still_ns <= longest_ns else LengthClass.LIVE

    def capacity_bytes(self, length_class: LengthClass) -> int:
        """Return the largest payload of a packet of this length."""
        return self._profile.payload_octets(length_class)

    def packet_octets(self, length_class: LengthClass) -> int:
        """Return what a full packet of this length takes on the wire."""
        return self._profile.packet_octets(length_class)

    def ready(self, now_ns: int) -> bool:
        """Whether a payload built now would start on the wire within one chunk (8 octets) of what is left."""
        self._drop_void(now_ns)
        self._introduce(now_ns)
        return self._free(now_ns) and not self._finishing

    def postpone_ident(self, now_ns: int) -> None:
        """Introduce nobody for the usual time, because a receiver tells that it hears; but after four times that."""
        interval_ns = self._ident_interval_ns
        longest_ns = min(_IDENT_LONGER * interval_ns, _LONGEST_IDENT_INTERVAL_NS)
        self._next_ident_ns = max(self._next_ident_ns, min(now_ns + interval_ns, self._last_ident_ns + longest_ns))

    def finish(self) -> None:
        """Start no packet any more; what is in flight still leaves."""
        self._finishing = True

    def idle(self, now_ns: int) -> bool:
        """Whether nothing is in flight: every octet has been released, and the last of them had time to leave."""
        self._drop_void(now_ns)
        return not self._outgoing and now_ns >= self._line_free_ns

    def stamp_ns(self, now_ns: int) -> int:
        """Return the time stamp of a packet submitted now: when its first octet will leave, in whole ticks."""
        return self._begins_at_ns(now_ns) // TICK_NS * TICK_NS

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
            payload: At most `capacity_bytes` octets; on a stream, shorter ones arrive with zeros behind them.
            stamp_ns: What `stamp_ns` returned, or any time that the payload's own times count from.
            length_class: Live or still codeword.

        Returns:
            The packet's counter.

        Raises:
            PayloadError: It does not fit, a packet is still in flight, or none may start any more.
            EpochUsedUp: The stream has no counter left: the sender must start again.
        """
        if self._finishing or not self._nearly_idle():
            raise PayloadError("a packet is still in flight, or none may start any more: ask ready() before submit()")
        if len(payload) > self.capacity_bytes(length_class):
            most = self.capacity_bytes(length_class)
            raise PayloadError(f"payload has {len(payload)} octets; a {length_class} packet carries {most}")
        self.statistics.payload_octets += len(payload)
        return self._frame(kind, payload, stamp_ns, length_class)

    def due(self, now_ns: int) -> bytes:
        """Return the octets to write now, at most 8 or one packet, and often none; call again until none are returned.

        They count as sent. What a port does not accept may be handed back by `put_back`.
        """
        self._drop_void(now_ns)
        self._introduce(now_ns)
        chunk, taken = self._outgoing.release(now_ns)
        self.statistics.wire_octets += taken
        if taken:
            self._line_free_ns = max(self._line_free_ns, now_ns) + self._air_time_ns(taken)
        return chunk

    def put_back(self, octets: bytes) -> None:
        """Take back what the port did not accept of the last chunk; the pacing still counts it."""
        self._outgoing.put_back(octets)
        self.statistics.wire_octets -= self._profile.wire_octets(octets)

    def next_due_ns(self, now_ns: int) -> int:
        """Return when `due` will next have octets, if nothing is submitted until then, or when it will be `idle`."""
        if not self._outgoing:
            if not self._finishing and not self._pacer.may_begin(now_ns):
                return now_ns + _DUTY_POLL_NS
            return max(now_ns, self._line_free_ns if self._finishing else self._next_ident_ns)
        return self._outgoing.due_ns(now_ns)

    @property
    def _ident_interval_ns(self) -> int:
        return ident_interval_ns(max(1, int(self._bitrate_bps * self._duty_cycle)))

    def _air_time_ns(self, octets: int) -> int:
        return 8 * octets * 1_000_000_000 // self._bitrate_bps

    def _nearly_idle(self) -> bool:
        """Whether what is in flight leaves with the next chunk; a packet that leaves whole must be gone."""
        if self._profile.burst_octets is not None:
            return not self._outgoing
        return self._profile.chunk_octets(len(self._outgoing)) == len(self._outgoing)

    def _free(self, now_ns: int) -> bool:
        """Whether a packet may be built: not before the pacing would let it go if it goes whole."""
        if not self._nearly_idle() or not self._pacer.may_begin(now_ns):
            return False
        return self._profile.burst_octets is None or self._begins_at_ns(now_ns) <= now_ns

    def _begins_at_ns(self, now_ns: int, payload_octets: int | None = None) -> int:
        """Return when the first octet of a packet submitted now will leave; one that leaves whole waits for all of it.

        Args:
            now_ns: Monotonic time.
            payload_octets: Of the packet; by default as many as a live packet carries.
        """
        if self._profile.burst_octets is not None:
            octets = OVERHEAD_OCTETS + (self.payload_capacity_bytes if payload_octets is None else payload_octets)
            return self._pacer.available_at_ns(now_ns, self._profile.wire_octets(bytes(octets)))
        chunk_octets = self._profile.chunk_octets(1 << 16)
        chunks = len(self._outgoing) // chunk_octets + 1  # the last of which the packet's first octet is part of
        return self._pacer.granted_at_ns(now_ns, chunks * chunk_octets)

    def _drop_void(self, now_ns: int) -> None:
        if now_ns > self._void_after_ns:
            self._outgoing.clear()

    def _introduce(self, now_ns: int) -> None:
        """Frame an IDENT packet when it is time for one and the line is free."""
        if now_ns < self._next_ident_ns or self._finishing or not self._nearly_idle():
            return
        if not self._pacer.may_begin(now_ns):
            return
        # Shorter than other packets, it leaves sooner; dated when those would, it would seem to arrive before its time,
        # and the receiver would date all others too early.
        payload_octets = len(self._identity(now_ns).to_payload())
        stamp_ns = self._begins_at_ns(now_ns, payload_octets) // TICK_NS * TICK_NS
        identity = self._identity(stamp_ns)
        self._frame(PacketKind.IDENT, identity.to_payload(), stamp_ns, LengthClass.LIVE)
        sent = self.statistics.idents
        share = _FIRST_IDENT_SHARES[sent] if sent < len(_FIRST_IDENT_SHARES) else 1.0
        self._last_ident_ns = now_ns
        self._next_ident_ns = now_ns + round(self._ident_interval_ns * share)
        self.statistics.idents += 1

    def _identity(self, stamp_ns: int) -> Identity:
        utc_s = None if self.utc_offset_ns is None else (stamp_ns + self.utc_offset_ns) // 1_000_000_000
        return Identity(self._context, self._counter >> SEQUENCE_BITS, utc_s)

    def _frame(self, kind: PacketKind, payload: bytes, stamp_ns: int, length_class: LengthClass) -> int:
        counter = self._counter
        if counter >> COUNTER_BITS:
            raise EpochUsedUp("the sender has sent all packets of one start: start it again")
        packet = Packet(kind, self._context.sender, counter, tick_of(stamp_ns), payload)
        framed = self._profile.frame(packet, self._seal, length_class)
        self._outgoing.add(framed)
        self._pacer.begin(stamp_ns, self._profile.wire_octets(framed))
        if self._listener is not None:
            self._listener.on_sent(SentCodeword(framed, stamp_ns, packet))
        self._void_after_ns = stamp_ns + self._air_time_ns(len(self._outgoing)) + _MAX_WAIT_NS
        self._counter += 1
        self.statistics.packets += 1
        return counter
