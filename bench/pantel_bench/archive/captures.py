"""Makes an archive: captures of real packets over simulated bad lines, with all that goes wrong in archives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pantel_bench.rig.settings import RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.sending.stream import stream_context
from pantel_link import (
    ChannelSettings,
    HeardCodeword,
    LinkReceiver,
    LinkSender,
    NullModem,
    PacketKind,
    StreamContext,
    VirtualClock,
)
from pantel_link.back_channel import Region
from pantel_link.captures import CaptureHeader, CaptureLimits, CaptureWriter
from pantel_link.messages import Alarm
from pantel_models import find_artefact

__all__ = ["Kind", "Plan", "make_capture", "plans", "record_payloads"]

_S = 1_000_000_000
_STEP_NS = 50_000_000
_DAYS = 3
_FIRST_DAY_S = 1_790_000_000 // 86_400 * 86_400
_SENDERS = 4
_ROTATED_OCTETS = 1000  # of a file, so that a capture of some seconds has several
_LIMITS = CaptureLimits(_ROTATED_OCTETS, 86_400 * _S, 1 << 30)


class Kind(StrEnum):
    """What a capture of the archive is an example of."""

    PLAIN = "plain"
    ROTATED = "rotated"
    RESTARTED = "restarted"
    MIDNIGHT = "midnight"
    CUT = "cut"
    SENT = "sent"


# Of every fifty captures one each; all others are plain.
_KINDS = {7: Kind.ROTATED, 13: Kind.RESTARTED, 21: Kind.MIDNIGHT, 29: Kind.CUT, 37: Kind.SENT}


@dataclass(frozen=True, slots=True)
class Plan:
    """How one capture is made.

    Attributes:
        path: Of its newest file.
        number: Of the capture; seeds all that is random in it.
        kind: What it is an example of.
        seconds: How long the receiver listens [s].
        payloads: File with the payloads that are sent, one after the other from a random one on.
    """

    path: Path
    number: int
    kind: Kind
    seconds: float
    payloads: Path


class _Collector:
    """Keeps the scene payloads of a run."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def on_codeword(self, codeword: HeardCodeword) -> None:
        if codeword.packet is not None and codeword.packet.kind is PacketKind.SCENE:
            self.payloads.append(codeword.packet.payload)


def record_payloads(path: Path, seconds: float) -> None:
    """Write what a real sender makes of so much of the bundled scene, a line of hexadecimal digits for each payload."""
    collector = _Collector()
    with closing(VirtualRun(RigSettings(seconds=seconds), listener=collector)) as run:
        for _ in run.showings():
            pass
    path.write_text("".join(f"{payload.hex()}\n" for payload in collector.payloads))


def plans(folder: Path, count: int, seconds: float, payloads: Path) -> Iterator[Plan]:
    """Yield how each capture of an archive is made: of some senders, over some days, a folder for each."""
    for number in range(count):
        sender, day = number % _SENDERS, number // _SENDERS % _DAYS
        path = folder / f"sender-{sender}" / f"day-{day}" / f"{number:06d}.pcapng"
        yield Plan(path, number, _KINDS.get(number % 50, Kind.PLAIN), seconds, payloads)


def make_capture(plan: Plan) -> int:
    """Write a capture; return how many octets its files have."""
    plan.path.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(plan.number)  # noqa: S311 - a simulation, not a secret
    payloads = [bytes.fromhex(line) for line in plan.payloads.read_text().split()]
    begin_s = _FIRST_DAY_S + plan.number // _SENDERS % _DAYS * 86_400 + chance.randrange(86_000)
    if plan.kind == Kind.MIDNIGHT:
        begin_s = begin_s // 86_400 * 86_400 + 86_400 - int(plan.seconds / 2)
    runs = 2 if plan.kind == Kind.RESTARTED else 1
    for run in range(runs):
        _listen(plan, chance, payloads, (begin_s + 60 * run) * _S)
    files = [plan.path, *plan.path.parent.glob(f"{plan.path.stem}.*.pcapng")]
    if plan.kind == Kind.CUT:
        whole = plan.path.read_bytes()
        plan.path.write_bytes(whole[: len(whole) * 2 // 3 + 1])
    return sum(path.stat().st_size for path in files)


def _listen(plan: Plan, chance: random.Random, payloads: list[bytes], utc_ns: int) -> None:
    """Let a receiver write down what it hears of a sender over a bad line."""
    channel = ChannelSettings(bit_error_rate=1e-3, loss=chance.choice((0.0, 0.05, 0.3)), seed=plan.number)
    clock = VirtualClock(chance.randrange(_S, 100 * _S))
    begin_ns = clock.now_ns()
    modem = NullModem(clock, channel)
    header = CaptureHeader(clock_offset_ns=utc_ns - begin_ns)
    limits = _LIMITS if plan.kind == Kind.ROTATED else None
    writer = CaptureWriter(plan.path, header, interface="null modem", limits=limits)
    sent = plan.kind == Kind.SENT
    context = _context(plan.number, chance.randrange(1 << 16))
    sender = LinkSender(context, now_ns=begin_ns, listener=writer if sent else None)
    receiver = LinkReceiver(listener=None if sent else writer)
    place = chance.randrange(len(payloads))
    alarm = plan.number % 10 == 0
    while clock.now_ns() < begin_ns + round(plan.seconds * _S):
        now_ns = clock.now_ns()
        while octets := sender.due(now_ns):
            modem.near.write(octets)
        if sender.ready(now_ns):
            if alarm:
                payload = Alarm(plan.number % 256, True, 1, 0.5, Region(0.2, 0.4, 0.3, 1.0), "gate")
                sender.submit(PacketKind.ALARM, payload.to_payload(32), sender.stamp_ns(now_ns))
                alarm = False
            else:
                scene = payloads[place % len(payloads)]
                length_class = sender.length_class_for(len(scene))
                sender.submit(PacketKind.SCENE, scene, sender.stamp_ns(now_ns), length_class)
                place += 1
        receiver.receive(modem.far.read(4096), now_ns)
        clock.advance_to(now_ns + _STEP_NS)
    writer.close(clock.now_ns())


def _context(number: int, epoch: int) -> StreamContext:
    sender = number % _SENDERS
    return stream_context(find_artefact(), callsign=f"N{sender}CALL", epoch=epoch, size_px=(320, 240), sender=sender)
