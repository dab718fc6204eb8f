"""Makes tests/captures/version-2.pcapng: a few seconds of both directions of a link, always the same octets.

``python -m tests.firmware_link.golden_capture`` writes it anew. It is a file of a format, so it changes only with that.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pantel_link import (
    LengthClass,
    LinkReceiver,
    LinkSender,
    PacketKind,
    Preset,
    SentCodeword,
    StreamContext,
    StreamProfile,
)
from pantel_link.back_channel import (
    AskStill,
    Command,
    Confirm,
    Outcome,
    Region,
    Reply,
    SetLine,
    command_to_payload,
)
from pantel_link.captures import CaptureHeader, CaptureWriter
from pantel_link.messages import Alarm, Telemetry, text_parts
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.stills import Fragment

PATH = Path(__file__).parents[1] / "captures" / "version-2.pcapng"
MAST = StreamContext(5, "DK1AB-7", 0x010203, bytes.fromhex("a1b2c3"), 320, 240)
HOME = StreamContext(6, "DK1AB", 77, bytes.fromhex("a1b2c3"), 320, 240)

LINE = "73 de the mast: 21.5 °C, Grüße an alle"  # its first part ends within a character
COMMANDS: tuple[Command, ...] = (
    SetLine(1200),
    AskStill(3000, Region(0.25, 0.5, 0.75, 1.0)),
    SetLine(480, Preset.HEAVY),
    Confirm(0x0C03),
)
ALARM = Alarm(200, True, 1, 0.7, Region.from_steps(51, 102, 68, 255), "Zufahrt Süd, am großen Tor")  # too long a name
ROLLOVER = 3  # of the commands' numbers

_S = 1_000_000_000
_STEP_NS = _S // 40
_UTC_OFFSET_NS = 1_700_000_000 * _S
_END_NS = 9 * _S
_CORRECTED, _BAD = 4, 6  # indices of codewords


def write_golden(path: Path) -> None:
    """Write the capture: what a receiver heard of the mast, and what it sent to the mast."""
    writer = CaptureWriter(
        path, CaptureHeader(clock_offset_ns=_UTC_OFFSET_NS), interface="null modem", callsign=HOME.callsign
    )
    receiver = LinkReceiver(listener=writer)
    air = _Air()
    mast = LinkSender(MAST, now_ns=0, listener=air)
    mast.utc_offset_ns = _UTC_OFFSET_NS
    home = LinkSender(HOME, now_ns=0, profile=StreamProfile(Preset.HEAVY), listener=writer)
    generator = random.Random(2)
    for now_ns in range(0, _END_NS, _STEP_NS):
        if mast.ready(now_ns):
            _submit(mast, generator, now_ns)
        if home.ready(now_ns) and now_ns % (2 * _S) == 0:
            payload = command_to_payload(COMMANDS[now_ns // (2 * _S) % len(COMMANDS)], ROLLOVER)
            home.submit(PacketKind.COMMAND, payload, home.stamp_ns(now_ns))
        for sender in (mast, home):
            while sender.due(now_ns):
                pass
        for octets in air.arrived(now_ns):
            receiver.receive(octets, now_ns)
    writer.close(_END_NS)


class _Air:
    """Carries what the mast sends, one codeword after the other, and damages some of it."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, bytes]] = deque()
        self._count = 0

    def on_sent(self, codeword: SentCodeword) -> None:
        octets = _damaged(codeword.octets, self._count)
        self._sent.append((codeword.sent_ns + 8 * len(octets) * _S // DEFAULT_BITRATE_BPS, octets))
        self._count += 1

    def arrived(self, now_ns: int) -> Iterator[bytes]:
        while self._sent and self._sent[0][0] <= now_ns:
            yield self._sent.popleft()[1]


def _submit(mast: LinkSender, generator: random.Random, now_ns: int) -> None:
    """Send what is next: mostly scene, and now and then the rest."""
    count = mast.statistics.packets
    stamp_ns = mast.stamp_ns(now_ns)
    match count % 6:
        case 1 if count > 6:
            mast.submit(PacketKind.ALARM, ALARM.to_payload(mast.payload_capacity_bytes), stamp_ns)
        case 2:
            symbol = generator.randbytes(mast.capacity_bytes(LengthClass.STILL) - 3)
            fragment = Fragment(block=300, content_symbols=3, index=count // 3 + 1, symbol=symbol)
            mast.submit(PacketKind.STILL, fragment.to_payload(), stamp_ns, LengthClass.STILL)
        case 3:
            parts = text_parts(1, LINE, mast.payload_capacity_bytes)
            mast.submit(PacketKind.TEXT, parts[count // 6 % len(parts)].to_payload(), stamp_ns)
        case 4 if count > 6:
            reply = Reply(0x0C03, Outcome.ON_TRIAL, 480, Preset.HEAVY)
            mast.submit(PacketKind.REPLY, reply.to_payload(), stamp_ns)
        case 5:
            everything = Telemetry(12.345, -4.5, 47.1234567, -122.7654321, 431, 90_000 + count, 58_000, 61.5)
            some = Telemetry(battery_v=12.3, latitude_deg=-89.9999999, altitude_m=-12)
            telemetry = everything if count < 6 else some
            mast.submit(PacketKind.TELEMETRY, telemetry.to_payload(mast.payload_capacity_bytes), stamp_ns)
        case _:
            mast.submit(PacketKind.SCENE, generator.randbytes(mast.payload_capacity_bytes), stamp_ns)


def _damaged(codeword: bytes, number: int) -> bytes:
    """Return a codeword as it arrives."""
    wrong = bytearray(codeword)
    if number == _CORRECTED:
        wrong[0] ^= 0x40  # in the marker
        wrong[20] ^= 0x81
    elif number == _BAD:
        wrong[10:40:3] = bytes(10)
    return bytes(wrong)


if __name__ == "__main__":
    PATH.unlink(missing_ok=True)
    write_golden(PATH)
