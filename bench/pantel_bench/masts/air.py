"""The masts' side: as many real senders of packets as masts, each with a stream and a pace of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_bench.masts.scenes import Told
from pantel_bench.masts.settings import CALLSIGN, SIZE_PX, MastsSettings
from pantel_bench.masts.tape import Tape
from pantel_device.sending.stream import stream_context
from pantel_link import (
    ChannelSettings,
    Clock,
    LinkSender,
    NullModem,
    PacketProfile,
    Port,
    Profile,
    StreamProfile,
    VirtualClock,
)
from pantel_link.outgoing import write_due
from pantel_link.ports.memory import packet_pair
from pantel_models import find_artefact

__all__ = ["OnAir", "send_all"]

_STEP_NS = 20_000_000
_PACKET_OCTETS = 256
_READ_OCTETS = 4096
_SECONDS_APART = 0.37  # masts do not start together


@dataclass(frozen=True, slots=True, eq=False)
class OnAir:
    """What the masts have sent.

    Attributes:
        tape: What arrives of it.
        packets: How many packets left.
        octets: How many octets left.
    """

    tape: Tape
    packets: int
    octets: int


class _Mast:
    """A sender of packets that tells a scene again and again."""

    def __init__(
        self, number: int, told: Sequence[Told], settings: MastsSettings, port: Port, profile: Profile
    ) -> None:
        self.begins_ns = round(number * _SECONDS_APART * 1e9) % 15_000_000_000
        self._told = told
        self._next = 0
        self._port = port
        context = stream_context(find_artefact(), callsign=CALLSIGN, epoch=number, size_px=SIZE_PX, sender=number)
        self.link = LinkSender(context, now_ns=self.begins_ns, profile=profile, bitrate_bps=settings.bitrate_bps)

    def advance(self, now_ns: int) -> None:
        """Send what is due."""
        if now_ns < self.begins_ns:
            return
        write_due(self.link, self._port, now_ns)
        if self.link.ready(now_ns):
            told = self._told[self._next % len(self._told)]
            self._next += 1
            length_class = self.link.length_class_for(len(told.payload))
            self.link.submit(told.kind, told.payload, self.link.stamp_ns(now_ns), length_class)
            write_due(self.link, self._port, now_ns)


def send_all(settings: MastsSettings, scenes: Sequence[Sequence[Told]]) -> OnAir:
    """Let all masts send for so long, and return what arrives."""
    clock = VirtualClock()
    tape = Tape()
    ends: list[Port] = []
    masts: list[_Mast] = []
    for line in range(settings.lines):
        near, far, profile = _line(settings, clock)
        ends.append(far)
        masts += [
            _Mast(number, scenes[number % len(scenes)], settings, near, profile)
            for number in range(line, settings.masts, settings.lines)
        ]
    end_ns = round(settings.seconds * 1e9)
    now_ns = 0
    while now_ns < end_ns or not all(mast.link.idle(now_ns) for mast in masts):
        clock.advance_to(now_ns)
        for mast in masts:
            if now_ns >= end_ns:
                mast.link.finish()
            mast.advance(now_ns)
        _collect(tape, ends, now_ns)
        now_ns += _STEP_NS
    clock.advance_to(now_ns + 1_000_000_000)
    _collect(tape, ends, now_ns)
    counters = [mast.link.statistics for mast in masts]
    return OnAir(tape, sum(each.packets for each in counters), sum(each.wire_octets for each in counters))


def _line(settings: MastsSettings, clock: Clock) -> tuple[Port, Port, Profile]:
    """Return both ends of a line, and how packets leave there."""
    if settings.shared:
        return *packet_pair(), PacketProfile(_PACKET_OCTETS, len)
    modem = NullModem(clock, ChannelSettings(bitrate_bps=settings.bitrate_bps))
    return modem.near, modem.far, StreamProfile()


def _collect(tape: Tape, ends: Sequence[Port], now_ns: int) -> None:
    for line, end in enumerate(ends):
        while chunk := end.read(_READ_OCTETS):
            tape.note(now_ns, line, chunk)
