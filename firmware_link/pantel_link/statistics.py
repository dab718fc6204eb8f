"""What happened on the link, counted before and after error correction.

The counters only grow; ``dataclasses.asdict`` and ``dataclasses.replace`` make snapshots and reports.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["ReceiverStatistics", "SenderStatistics", "StreamStatistics"]


@dataclass(slots=True)
class SenderStatistics:
    """Counters of a `LinkSender`.

    Attributes:
        packets: Packets framed, IDENT included.
        idents: IDENT packets among them.
        payload_octets: Payload octets submitted, without IDENT and padding.
        wire_octets: Octets released to the port: markers, headers, padding and parity included.
    """

    packets: int = 0
    idents: int = 0
    payload_octets: int = 0
    wire_octets: int = 0


@dataclass(slots=True)
class StreamStatistics:
    """What a `LinkReceiver` has counted of one stream.

    Attributes:
        packets_good: Packets delivered.
        packets_duplicate: Packets that had been delivered before.
        packets_lost: Gaps in the sequence numbers, less those that arrived late.
        good_bits: Codeword bits of good and duplicate packets.
        corrected_bits: Wrong bits among ``good_bits``.
        corrected_octets: Wrong octets among them.
    """

    packets_good: int = 0
    packets_duplicate: int = 0
    packets_lost: int = 0
    good_bits: int = 0
    corrected_bits: int = 0
    corrected_octets: int = 0

    @property
    def bit_error_rate(self) -> float | None:
        """Bit error rate before correction, from good packets; None before the first one.

        Packets that could not be corrected are missing from it, so on a bad line the true rate is higher.
        """
        return self.corrected_bits / self.good_bits if self.good_bits else None

    @property
    def packet_loss(self) -> float | None:
        """Share of packets lost after correction, from sequence numbers; None before the first packet."""
        expected = self.packets_good + self.packets_lost
        return self.packets_lost / expected if expected else None

    def since(self, earlier: StreamStatistics) -> StreamStatistics:
        """Return what was counted after an earlier copy; packets that came late make no negative loss."""
        names = (field.name for field in fields(StreamStatistics))
        return StreamStatistics(**{name: max(getattr(self, name) - getattr(earlier, name), 0) for name in names})


@dataclass(slots=True)
class ReceiverStatistics(StreamStatistics):
    """Counters of a `LinkReceiver`, of all streams together.

    Every marker ends in one of: pending, ``codewords_failed``, ``markers_overlapped`` or
    ``codewords_corrected``; every corrected codeword in one of: ``packets_good``, ``packets_duplicate``,
    ``packets_without_context``, ``packets_replayed`` or ``packets_rejected``.
    A packet that arrives whole counts as a marker and a corrected codeword.

    Attributes:
        wire_octets: Octets received.
        markers: Sync markers found, true ones and those that random octets imitate: 8 in 10,000 octets do.
        markers_overlapped: Markers dismissed because a good packet covers them.
        codewords_failed: Codewords with more errors than their parity corrects, behind any marker.
        codewords_corrected: Codewords that the parity accepted or corrected, behind any marker.
        packets_without_context: Packets of a sender whose IDENT has not arrived yet.
        packets_replayed: Packets of a stream with a key that are too old: recordings.
        packets_rejected: Corrected codewords whose header or trailer is not that of a known stream; a few
            come from imitated markers, and many mean a sender of another version, or without the right key.
        packets_flooded: Packets that arrived whole and were dropped unseen, because there were too many at a time.
    """

    wire_octets: int = 0
    markers: int = 0
    markers_overlapped: int = 0
    codewords_failed: int = 0
    codewords_corrected: int = 0
    packets_without_context: int = 0
    packets_replayed: int = 0
    packets_rejected: int = 0
    packets_flooded: int = 0
