"""The loopback test: payloads, a still and a break, through the product's own sender and receiver.

It owns no clock and no thread and opens no port by itself, so it runs on the virtual clock over the null modem as it
runs on a rig.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from pantel_device.hil.breaks import Break
from pantel_device.hil.cases import Limits
from pantel_device.hil.interruption import interrupt
from pantel_device.hil.ledger import Entry
from pantel_device.hil.line import Ends, Line, air_time_s
from pantel_device.hil.measurements import (
    LineFigures,
    Measurements,
    RecoveryFigures,
    Series,
    StillFigures,
    latency_figures,
)
from pantel_device.line_profile import line_profile
from pantel_device.sending.airtime import News
from pantel_link import Clock, LengthClass, PacketKind, Preset, SenderKey, StreamContext
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.ports import PacketPort
from pantel_link.stills import StillBlock
from pantel_link.stills.block import file_bytes, repairs_needed

__all__ = ["Loopback", "LoopbackSettings"]

_NS_PER_S = 1_000_000_000
_GRACE_S = 1.0  # for the last packets, beyond the largest latency

_STILL_SYMBOLS = 6  # 6.4 s at 960 bit/s
_SPARE_SYMBOLS = 2
_SHORTEST_HOLD_S = 1.0
_HOLD_PACKETS = 3  # a break lasts as long as so many packets, so that it costs at least one


@dataclass(frozen=True, slots=True)
class LoopbackSettings:
    """How to test.

    Attributes:
        seconds: Length of the payload phase [s].
        bitrate_bps: Of the link.
        preset: Error protection, where octets travel.
        seed: Of payloads and still.
    """

    seconds: float = 30.0
    bitrate_bps: int = DEFAULT_BITRATE_BPS
    preset: Preset = Preset.STANDARD
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Counters at the end of the payload phase, and of the still.

    Attributes:
        phase_s: Length of the payload phase [s].
        packets: Packets framed in it.
        octets_sent: Wire octets that left in it.
        octets_received: Wire octets that arrived in it.
    """

    phase_s: float
    packets: int
    octets_sent: int
    octets_received: int


class Loopback:
    """Sends what it knows and measures what arrives.

    Args:
        ends: Both ends of the line, open; closed with this.
        reopen: Opens them again.
        clock: Monotonic clock.
        settings: How to test.
        limits: Say how long to wait for what does not come.
        context: The stream; its epoch must be new.
        key: Of the sender, if the context has security.
        breaks: What breaks the line; None to close and open its ports.
    """

    def __init__(
        self,
        ends: Ends,
        reopen: Callable[[], Ends],
        clock: Clock,
        *,
        settings: LoopbackSettings,
        limits: Limits,
        context: StreamContext,
        key: SenderKey | None = None,
        breaks: Break | None = None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._limits = limits
        self._breaks = breaks
        self._random = random.Random(settings.seed)  # noqa: S311 - payloads, not secrets
        self._whole = isinstance(ends.near, PacketPort)
        self._profile = line_profile(ends.near, settings.preset)
        self._line = Line(
            ends,
            reopen,
            clock,
            context=context,
            profile=self._profile,
            bitrate_bps=settings.bitrate_bps,
            key=key,
        )

    @property
    def steps(self) -> int:
        """How often `run` reports a step."""
        return ceil(self._settings.seconds) + 2

    def close(self) -> None:
        """Close the ports."""
        self._line.close()

    def run(self, step: Callable[[str], None]) -> Measurements:
        """Test the line.

        Args:
            step: Called `steps` times, with what has been done.

        Raises:
            PortGone: A port that does not reconnect by itself has disappeared.
        """
        began_ns = self._clock.now_ns()
        self._line.discard_input()
        snapshot = self._send_payloads(step)
        heard = self._line.heard is not None
        still = self._send_still() if heard else None
        step("still" if heard else "no still")
        bits = self._line.ledger.bits_compared, self._line.ledger.bits_wrong
        recovery = self._interrupt() if heard else None
        step("break" if heard else "no break")
        entries = self._line.ledger.left(snapshot.packets)
        return Measurements(
            whole=self._whole,
            line=self._line_figures(entries, snapshot, bits),
            still=still,
            recovery=recovery,
            wall_s=self._seconds_since(began_ns),
            series=_series(entries, began_ns),
        )

    def _send_payloads(self, step: Callable[[str], None]) -> _Snapshot:
        """Send payloads for the time that was asked for, and wait for the last of them."""
        line = self._line
        began_ns = self._clock.now_ns()
        end_ns = began_ns + round(self._settings.seconds * _NS_PER_S)
        for second in range(1, ceil(self._settings.seconds) + 1):
            line.work(min(began_ns + second * _NS_PER_S, end_ns), self._payload)
            step(f"{line.receiver.statistics.packets_good} packets")
        sent = line.ledger.entries[:]
        self._wait_for(lambda: all(entry.arrival_ns is not None for entry in sent))
        return _Snapshot(
            phase_s=self._seconds_since(began_ns),
            packets=len(sent),
            octets_sent=line.sender.statistics.wire_octets,
            octets_received=line.receiver.statistics.wire_octets,
        )

    def _send_still(self) -> StillFigures:
        """Send the known still, with the repair that a line needs which keeps the limit of losses, and some more."""
        line = self._line
        payload_octets = line.sender.capacity_bytes(LengthClass.STILL)
        data = self._random.randbytes(file_bytes(_STILL_SYMBOLS, payload_octets))
        block = StillBlock(0, data, payload_octets)
        most = block.content_symbols + repairs_needed(block.content_symbols, self._limits.max_loss) + _SPARE_SYMBOLS

        def symbol() -> News | None:
            return News(PacketKind.STILL, block.next_payload(), LengthClass.STILL) if block.sent < most else None

        def there() -> bool:
            return line.still is not None

        def given_up() -> bool:
            return block.sent >= most and line.ledger.entries[-1].ended_ns is not None

        began_ns = self._clock.now_ns()
        enough_s = 2 * most * air_time_s(self._profile, self._settings.bitrate_bps, LengthClass.STILL)
        line.work(began_ns + round(enough_s * _NS_PER_S), symbol, lambda: there() or given_up())
        self._wait_for(there)
        return StillFigures(
            seconds=self._seconds_since(began_ns),
            bytes=len(data),
            symbols=block.content_symbols,
            symbols_sent=block.sent,
            symbols_received=line.symbols,
            complete=line.still is not None,
            exact=line.still == data,
        )

    def _interrupt(self) -> RecoveryFigures:
        hold_s = max(_SHORTEST_HOLD_S, _HOLD_PACKETS * air_time_s(self._profile, self._settings.bitrate_bps))
        return interrupt(
            self._line,
            self._breaks,
            self._clock,
            self._payload,
            hold_ns=round(hold_s * _NS_PER_S),
            limit_ns=round(self._limits.max_recovery_s * _NS_PER_S),
        )

    def _payload(self) -> News:
        return News(PacketKind.SCENE, self._random.randbytes(self._line.sender.payload_capacity_bytes))

    def _wait_for(self, there: Callable[[], bool]) -> None:
        """Wait for what has been sent, no longer than it may take and a second more."""
        wait_s = self._limits.max_latency_s + _GRACE_S
        self._line.work(self._clock.now_ns() + round(wait_s * _NS_PER_S), None, there)

    def _line_figures(self, sent: list[Entry], snapshot: _Snapshot, bits: tuple[int, int]) -> LineFigures:
        trips = sorted(
            ((entry, *trip) for entry in sent if (trip := entry.trip_ns) is not None), key=lambda trip: trip[2]
        )
        # The rate from the first arrival on: what arrived before that instant took an unknown time.
        later = [entry for entry, _, _ in trips[1:]]
        span_s = (trips[-1][2] - trips[0][2]) / 1e9 if later else 0.0
        wire_octets = sum(self._profile.wire_octets(entry.octets) for entry in later)
        payload_octets = sum(len(entry.packet.payload) for entry in later if entry.packet.kind is PacketKind.SCENE)
        wire_bps = 8 * wire_octets / span_s if span_s > 0 else None
        low_s, middle_s, high_s = latency_figures([(arrival_ns - begun_ns) / 1e9 for _, begun_ns, arrival_ns in trips])
        ledger = self._line.ledger
        return LineFigures(
            seconds=snapshot.phase_s,
            octets_sent=snapshot.octets_sent,
            octets_received=snapshot.octets_received,
            packets_sent=len(sent),
            packets_received=len(trips),
            packet_loss=1 - len(trips) / len(sent) if sent else None,
            wire_bps=wire_bps,
            wire_share=None if wire_bps is None else wire_bps / self._settings.bitrate_bps,
            payload_bps=8 * payload_octets / span_s if span_s > 0 else None,
            bits_compared=bits[0],
            bits_wrong=bits[1],
            bit_error_rate=bits[1] / bits[0] if bits[0] else None,
            latency_min_s=low_s,
            latency_median_s=middle_s,
            latency_p95_s=high_s,
            packets_duplicate=self._line.receiver.statistics.packets_duplicate,
            undetected_errors=ledger.undetected_errors,
            foreign_packets=ledger.foreign_packets,
        )

    def _seconds_since(self, began_ns: int) -> float:
        return (self._clock.now_ns() - began_ns) / 1e9


def _series(sent: list[Entry], began_ns: int) -> Series:
    begun = [(entry.begun_ns, entry.trip_ns) for entry in sent if entry.begun_ns is not None]
    return Series(
        t_s=[(begun_ns - began_ns) / 1e9 for begun_ns, _ in begun],
        latency_s=[None if trip is None else (trip[1] - trip[0]) / 1e9 for _, trip in begun],
    )
