"""What a capture tells of one sender."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pantel_link.context import StreamContext
from pantel_link.packet import PacketKind
from pantel_link.sequence import Arrival, Order

__all__ = ["Reading", "SenderSummary", "Silence"]

_SILENCES = 3


@dataclass(frozen=True, slots=True, order=True)
class Silence:
    """A time in which nothing was received of a sender.

    Attributes:
        seconds: How long it was [s].
        begun_ns: When the last packet before it arrived, on the file's clock.
    """

    seconds: float
    begun_ns: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be read of a packet.

    Attributes:
        kind: What its payload is.
        payload_octets: Size of the payload, with its padding.
        time_ns: When it arrived, or began to leave, on the file's clock.
        air_time_ns: How long it occupied the line.
        wire_octets: What it took on the wire.
        checked_bits: Bits that the error correction covered.
        corrected_bits: Wrong ones among them.
    """

    kind: PacketKind
    payload_octets: int
    time_ns: int
    air_time_ns: int
    wire_octets: int
    checked_bits: int
    corrected_bits: int


@dataclass(slots=True)
class SenderSummary:
    """What was received of one start of a sender, or what was sent.

    Attributes:
        context: The stream.
        outbound: Whether it was sent rather than received.
        verified: Whether the trailers were checked. Otherwise the key is missing, and anybody may have made this.
        kinds: Packets by kind, without those that came twice.
        lost: Packets that are missing among them.
        duplicates: Packets that came again.
        stale: Packets that are too old to say more of them: recordings.
        payload_octets: Of all packets but IDENT, with their padding.
        wire_octets: Of all packets, with all that was around them.
        checked_bits: Bits that error correction covered, of packets that came again, too.
        corrected_bits: Wrong ones among them.
        first_ns: When the first packet arrived, on the file's clock.
        last_ns: When the last one did.
        heard_ns: Time from the first to the last packet of each run, together.
        silences: The longest times without a packet, the longest first.
        first_ident_utc_s: UTC that the first IDENT packet told [s]; None if none did.
        last_ident_utc_s: UTC that the last one told.
    """

    context: StreamContext
    outbound: bool
    verified: bool
    kinds: Counter[PacketKind] = field(default_factory=Counter)
    lost: int = 0
    duplicates: int = 0
    stale: int = 0
    payload_octets: int = 0
    wire_octets: int = 0
    checked_bits: int = 0
    corrected_bits: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    heard_ns: int = 0
    silences: list[Silence] = field(default_factory=list)
    first_ident_utc_s: int | None = None
    last_ident_utc_s: int | None = None
    _before_ns: int | None = None  # the packet before, in this run

    @property
    def packets(self) -> int:
        """Packets without those that came twice."""
        return self.kinds.total()

    @property
    def packet_loss(self) -> float | None:
        """Share of packets lost after correction; None without a packet."""
        expected = self.packets + self.lost
        return self.lost / expected if expected else None

    @property
    def bit_error_rate(self) -> float | None:
        """Bit error rate before correction, from packets that could be corrected; None if packets arrive whole."""
        return self.corrected_bits / self.checked_bits if self.checked_bits else None

    @property
    def seconds(self) -> float:
        """Time in which packets came [s]."""
        return self.heard_ns / 1e9

    def begin_run(self) -> None:
        """Note that a receiver began to listen: before that there was no silence."""
        self._before_ns = None

    def tell_utc(self, utc_s: int | None) -> None:
        """Take what an IDENT packet says of the time."""
        if utc_s is not None:
            self.first_ident_utc_s = utc_s if self.first_ident_utc_s is None else self.first_ident_utc_s
            self.last_ident_utc_s = utc_s

    def take(self, reading: Reading, arrival: Arrival) -> None:
        """Take a packet."""
        if arrival.order is Order.STALE:
            self.stale += 1
            return
        self.checked_bits += reading.checked_bits
        self.corrected_bits += reading.corrected_bits
        if arrival.order is not Order.NEW:
            self.duplicates += 1
            return
        self.kinds[reading.kind] += 1
        self.lost += arrival.lost
        self.wire_octets += reading.wire_octets
        if reading.kind is not PacketKind.IDENT:
            self.payload_octets += reading.payload_octets
        self._pass_time(reading)

    def _pass_time(self, reading: Reading) -> None:
        time_ns = reading.time_ns
        if self._before_ns is None:
            self.heard_ns += reading.air_time_ns
        elif time_ns > self._before_ns:
            self.heard_ns += time_ns - self._before_ns
            silence = Silence((time_ns - self._before_ns) / 1e9, self._before_ns)
            self.silences = sorted([*self.silences, silence], reverse=True)[:_SILENCES]
        self._before_ns = max(self._before_ns or time_ns, time_ns)
        self.first_ns = time_ns if self.first_ns is None else min(self.first_ns, time_ns)
        self.last_ns = time_ns if self.last_ns is None else max(self.last_ns, time_ns)
