"""Days of a link in minutes: a virtual clock, a line that loses packets, and everything that is sent at once.

``python -m tests.firmware_link.endurance --hours 24`` prints figures and fails if a promise was broken; ``make
endurance`` does that. A mast with a key sends scene, stills, lines of text and telemetry at 960 bit/s over a null modem
that hits every tenth live packet; a receiver decodes them, puts stills together on disk and writes a capture that
begins new files. Nothing is waited for, and nothing is left out: every octet passes through the channel one by one.

Memory is the resident set of the process (``/proc/self/statm``) after a garbage collection, at the end less after a
warm-up: what a daemon would cost the machine. Caches and histories must have filled by then, of stills and captures
too, so the warm-up of 24 h is 2 h, and a tenth of shorter runs.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import logging
import os
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pantel_link import (
    ChannelSettings,
    Keyring,
    LengthClass,
    LinkReceiver,
    LinkSender,
    MasterKey,
    NullModem,
    PacketKind,
    ReceivedPacket,
    Security,
    StreamContext,
    VirtualClock,
)
from pantel_link.captures import CaptureHeader, CaptureLimits, CaptureWriter
from pantel_link.messages import Telemetry, TextAssembler, TextPart, text_parts
from pantel_link.stills import Fragment, StillAssembler, StillBlock, StillStore
from pantel_link.stills.block import repairs_needed

_S = 1_000_000_000
_BITRATE_BPS = 960
_STEP_NS = 8 * 8 * _S // _BITRATE_BPS  # in which the pacing grants a chunk
_WINDOW_NS = 10 * _S
_LIMIT_BITS = 10_000
_LOSS = 0.1
_MEMORY_LIMIT_MIB = 5.0
_REMEMBERED = 4096  # of what was sent; what arrives later than that would have been found by its counter
_REMEMBERED_STILLS = 32
_CONTEXT = StreamContext(5, "DL1ABC", 7, b"abc", 320, 240, Security.AUTHENTICATED)
_MASTER = MasterKey(bytes(range(32)))
_CAPTURE_LIMITS = CaptureLimits(max_bytes=1 << 20, max_age_ns=6 * 3600 * _S, quota_bytes=4 << 20)


@dataclass(slots=True)
class Figures:
    """What a run has shown.

    Attributes:
        hours: Virtual time.
        wall_s: Real time.
        packets: Sent.
        delivered: Delivered among them.
        wrong: Packets that are not what was sent.
        worst_window_bits: Most that left in any 10 s.
        stills: Sent to the end with their repair.
        stills_complete: Those that were whole at the receiver.
        stills_wrong: Those that were another file.
        texts: Lines that were put together.
        memory_mib: Resident memory at the end less after the warm-up.
        peak_mib: The highest reading after the warm-up, less that after it.
        descriptors: Open files at the end less after the warm-up.
        disk_bytes: What captures and symbols take at the end.
    """

    hours: float
    wall_s: float = 0.0
    packets: int = 0
    delivered: int = 0
    wrong: int = 0
    worst_window_bits: int = 0
    stills: int = 0
    stills_complete: int = 0
    stills_wrong: int = 0
    texts: int = 0
    memory_mib: float = 0.0
    peak_mib: float = 0.0
    descriptors: int = 0
    disk_bytes: int = 0

    @property
    def kept(self) -> bool:
        """Whether all promises were kept."""
        return (
            self.worst_window_bits <= _LIMIT_BITS
            and self.peak_mib < _MEMORY_LIMIT_MIB
            and self.descriptors == self.wrong == self.stills_wrong == 0
        )

    def lines(self) -> list[str]:
        """Return all of it for people."""
        return [
            f"{self.hours:g} h at {_BITRATE_BPS} bit/s with {_LOSS:.0%} loss, in {self.wall_s:.0f} s",
            f"{self.packets} packets sent, {self.delivered / self.packets:.3f} delivered, {self.wrong} wrong",
            f"{self.worst_window_bits} bit in the worst 10 s, of {_LIMIT_BITS}",
            f"{self.stills} stills sent, {self.stills_complete} complete, {self.stills_wrong} wrong",
            f"{self.texts} lines of text put together",
            f"{self.memory_mib:+.2f} MiB of memory, {self.peak_mib:+.2f} at most; {self.descriptors:+d} descriptors",
            f"{self.disk_bytes / 1e6:.2f} MB on disk",
        ]


@dataclass(slots=True)
class _Sent:
    """What was sent of late, for comparison."""

    payloads: dict[int, bytes] = field(default_factory=dict)
    stills: dict[int, bytes] = field(default_factory=dict)
    _order: deque[int] = field(default_factory=deque)

    def note(self, counter: int, payload: bytes) -> None:
        self.payloads[counter] = payload
        self._order.append(counter)
        if len(self._order) > _REMEMBERED:
            del self.payloads[self._order.popleft()]


class _Memory:
    """What a receiver keeps of its senders; no file, as it would have one in the device."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], tuple[int, int]] = {}

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        return self.known.get((sender, callsign))

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        self.known[sender, callsign] = epoch, counter


class _Mast:
    """Says whatever is next: mostly scene, and stills, lines and measures in between."""

    def __init__(self, link: LinkSender, figures: Figures, sent: _Sent) -> None:
        self._link = link
        self._figures = figures
        self._sent = sent
        self._random = random.Random(24)
        self._lines = self._text()
        self._block = self._new_block()
        self._window: deque[tuple[int, int]] = deque()
        self._window_octets = 0

    def advance(self, now_ns: int) -> bytes:
        """Return the octets that leave now."""
        octets = b""
        while True:
            while chunk := self._link.due(now_ns):
                octets += chunk
            if not self._link.ready(now_ns):
                break
            self._submit(now_ns)
        self._weigh(now_ns, len(octets))
        return octets

    def _weigh(self, now_ns: int, octets: int) -> None:
        """Add up what has left in the last 10 s, both ends included."""
        self._window.append((now_ns, octets))
        self._window_octets += octets
        while self._window[0][0] < now_ns - _WINDOW_NS:
            self._window_octets -= self._window.popleft()[1]
        self._figures.worst_window_bits = max(self._figures.worst_window_bits, 8 * self._window_octets)

    def _submit(self, now_ns: int) -> None:
        kind, payload, length_class = self._news(self._random.random())
        counter = self._link.submit(kind, payload, self._link.stamp_ns(now_ns), length_class)
        self._sent.note(counter, payload.ljust(self._link.capacity_bytes(length_class), b"\0"))

    def _news(self, choice: float) -> tuple[PacketKind, bytes, LengthClass]:
        if choice < 0.1:
            return PacketKind.STILL, self._symbol(), LengthClass.STILL
        if choice < 0.15:
            return PacketKind.TEXT, next(self._lines).to_payload(), LengthClass.LIVE
        if choice < 0.2:
            measures = Telemetry(battery_v=self._random.uniform(10, 14), uptime_s=self._figures.packets)
            return PacketKind.TELEMETRY, measures.to_payload(33), LengthClass.LIVE
        octets = self._random.randrange(20, self._link.payload_capacity_bytes + 1)
        return PacketKind.SCENE, self._random.randbytes(octets), LengthClass.LIVE

    def _symbol(self) -> bytes:
        symbols = self._block.content_symbols
        if self._block.sent >= symbols + repairs_needed(symbols, 2 * _LOSS):
            self._figures.stills += 1
            self._block = self._new_block()
        return self._block.next_payload()

    def _new_block(self) -> StillBlock:
        number = self._figures.stills
        data = self._random.randbytes(self._random.randrange(100, 2500))
        self._sent.stills[number % _REMEMBERED_STILLS] = data
        return StillBlock(number, data, self._link.capacity_bytes(LengthClass.STILL), utc_s=1_800_000_000 + number)

    def _text(self) -> Iterator[TextPart]:
        for number in itertools.count():
            parts = text_parts(number, "x" * self._random.randrange(1, 200), self._link.payload_capacity_bytes)
            yield from parts * 2


class _Home:
    """Hears the mast and compares."""

    def __init__(self, folder: Path, figures: Figures, sent: _Sent) -> None:
        self.writer = CaptureWriter(folder / "line.pcapng", CaptureHeader(), limits=_CAPTURE_LIMITS)
        self.link = LinkReceiver(keyring=Keyring(_MASTER), memory=_Memory(), listener=self.writer)
        self._stills = StillAssembler(StillStore(folder / "stills"))
        self._texts = TextAssembler()
        self._figures = figures
        self._sent = sent

    def hear(self, octets: bytes, now_ns: int) -> None:
        """Take octets from the line."""
        for received in self.link.receive(octets, now_ns):
            self._figures.delivered += 1
            packet = received.packet
            if packet.kind is not PacketKind.IDENT:
                self._figures.wrong += self._sent.payloads.get(packet.counter) != packet.payload
            if packet.kind is PacketKind.STILL:
                self._take_symbol(received, now_ns)
            elif packet.kind is PacketKind.TELEMETRY:
                Telemetry.from_payload(packet.payload)
            elif packet.kind is PacketKind.TEXT:
                line = self._texts.take(received.context, TextPart.from_payload(packet.payload))
                self._figures.texts += line is not None

    def _take_symbol(self, received: ReceivedPacket, now_ns: int) -> None:
        still = self._stills.take(received.context, Fragment.from_payload(received.packet.payload), now_ns)
        if still is not None and still.complete:
            self._figures.stills_complete += 1
            data = self._sent.stills[still.block % _REMEMBERED_STILLS]
            self._figures.stills_wrong += still.data[: len(data)] != data


def endure(hours: float, folder: Path) -> Figures:
    """Let a link run.

    Args:
        hours: Virtual time.
        folder: For captures and symbols.
    """
    figures, sent, clock = Figures(hours), _Sent(), VirtualClock(start_ns=17 * _S)
    begun_ns, begun_s = clock.now_ns(), time.monotonic()
    modem = NullModem(clock, ChannelSettings(_BITRATE_BPS, loss=_LOSS, seed=24))
    key = _MASTER.sender_key(_CONTEXT.sender, _CONTEXT.callsign)
    link = LinkSender(_CONTEXT, now_ns=begun_ns, bitrate_bps=_BITRATE_BPS, key=key)
    mast, home = _Mast(link, figures, sent), _Home(folder, figures, sent)
    whole_ns = round(3600 * _S * hours)
    next_look_ns = begun_ns + min(2 * 3600 * _S, whole_ns // 10)
    look_interval_ns = max(whole_ns // 50, _S)
    before: tuple[float, int] | None = None
    while clock.now_ns() < begun_ns + whole_ns:
        now_ns = clock.now_ns()
        modem.near.write(mast.advance(now_ns))
        home.hear(modem.far.read(4096), now_ns)
        if now_ns >= next_look_ns:
            before = _look(figures, before)
            next_look_ns += look_interval_ns
        clock.sleep(_STEP_NS / _S)
    _look(figures, before)
    home.writer.close(clock.now_ns())
    figures.packets = link.statistics.packets
    figures.wall_s = time.monotonic() - begun_s
    figures.disk_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return figures


def _look(figures: Figures, before: tuple[float, int] | None) -> tuple[float, int]:
    """Measure memory and open files; return the first measures."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory_mib, descriptors = (
        pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )
    if before is None:
        return memory_mib, descriptors
    figures.memory_mib, figures.descriptors = memory_mib - before[0], descriptors - before[1]
    figures.peak_mib = max(figures.peak_mib, figures.memory_mib)
    return before


def main() -> int:
    """Run as long as the arguments say, and tell what came of it."""
    parser = argparse.ArgumentParser(description="Let a link run for a virtual day.")
    parser.add_argument("--hours", type=float, default=24.0)
    arguments = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        figures = endure(arguments.hours, Path(folder))
    sys.stdout.write("\n".join(figures.lines()) + "\n")
    return 0 if figures.kept else 1


if __name__ == "__main__":
    sys.exit(main())
