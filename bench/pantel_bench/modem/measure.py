"""Sends a scene through modems and through simulated lines of the same kind, and scores what the receiver shows."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import LiveScores, score_live, visible
from pantel_bench.live.source import ClipSource
from pantel_bench.modem.carry import carry
from pantel_bench.modem.programs import MODEMS, need
from pantel_bench.modem.tape import Tape, Taped, TapingPacketPort, TapingPort, playing_port
from pantel_bench.pages.parts import Still, make_still
from pantel_bench.rig.ends import ReceiverEnd, ReceiverFigures, SenderEnd, SenderFigures
from pantel_bench.rig.run import channel_settings
from pantel_bench.rig.settings import DISPLAY_INTERVAL_NS, PLAYOUT_DELAY_NS, SENDER_COMPUTING_NS, RigSettings
from pantel_bench.rig.virtual_run import Screen
from pantel_device.progress import progress
from pantel_link import Port, VirtualClock
from pantel_link.channel import Channel
from pantel_link.ports import PacketPort

__all__ = ["SIMULATED", "ModemCase", "ModemResult", "measure_modems"]

SIMULATED = "simulated"
_DELAY_S = PLAYOUT_DELAY_NS / 1e9
_POLL_NS = 5_000_000
_READ_OCTETS = 4096


@dataclass(frozen=True, slots=True)
class ModemCase:
    """A way through modems.

    Attributes:
        modem: Name of the program.
        snr_db: Of the audio between its two instances, over 24 kHz; None for no noise.
    """

    modem: str
    snr_db: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModemResult:
    """What was measured on one way.

    Attributes:
        case: The way; its modem is ``simulated`` for a line without errors that is as fast as the sender thinks.
        profile: ``stream`` or ``packet``.
        delay_ns: By which the receiver was told that the modems delay everything.
        sender: What the sender's end has measured; the same for all ways of a profile.
        receiver: What the receiver's end has measured.
        scores: Of the pictures on show.
        last: The last instant: the picture on show beside what it should be.
    """

    case: ModemCase
    profile: str
    delay_ns: int
    sender: SenderFigures
    receiver: ReceiverFigures
    scores: LiveScores
    last: Still


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """What a sender had to say to ports of a kind."""

    tape: Tape
    figures: SenderFigures


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """What a receiver shall hear, and as what.

    Attributes:
        case: The way that it came.
        like: A port of the kind at which it arrived.
        delay_ns: Of the modems.
        tape: What arrived.
    """

    case: ModemCase
    like: Port
    delay_ns: int
    tape: Tape


def measure_modems(settings: RigSettings, cases: Sequence[ModemCase]) -> list[ModemResult]:
    """Measure ways through modems, and before them a simulated line for each profile that occurs.

    Args:
        settings: Of the run; its errors of the line do not count.
        cases: The ways; all of them are used at the same time.

    Raises:
        ModemError: A program is missing or does not start.
        CameraError: The camera cannot be opened.
        PortGone: A program has ended.
    """
    for case in cases:
        need(case.modem)
    source = ClipSource(settings.camera, settings.seconds, size_px=settings.size_px)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pantel-modem-")))
        lines = []
        for number, case in enumerate(cases):
            place = folder / str(number)
            place.mkdir()
            lines.append(stack.enter_context(MODEMS[case.modem](place, case.snr_db, settings.seed)))
        kinds = {_profile(line.near): line for line in lines}
        sent = {profile: _speak(settings, line.near) for profile, line in kinds.items()}
        arrived = carry([(line, sent[_profile(line.near)].tape) for line in lines], settings.seconds)
    ways = [
        _Way(ModemCase(SIMULATED), line.near, 0, _simulated(settings, line.near, sent[profile].tape))
        for profile, line in kinds.items()
    ]
    for case, line, tape in zip(cases, lines, arrived, strict=True):
        ways.append(_Way(case, line.far, line.delay_ns, tape))
    results = []
    with progress(len(ways), "scores", every_s=5) as done:
        for way in ways:
            results.append(_hear(settings, source, sent[_profile(way.like)], way))
            done(way.case.modem)
    return results


def _profile(port: Port) -> str:
    return "packet" if isinstance(port, PacketPort) else "stream"


def _speak(settings: RigSettings, like: Port) -> _Sent:
    """Let a sender speak to a port of a kind on the virtual clock."""
    clock = VirtualClock()
    port: TapingPort | TapingPacketPort
    port = TapingPacketPort(clock, like) if isinstance(like, PacketPort) else TapingPort(clock)
    with closing(SenderEnd(settings, port, clock, computing_ns=SENDER_COMPUTING_NS)) as sender:
        due_ns, end_ns = 0, round(settings.seconds * 1e9)
        while due_ns <= end_ns:
            clock.advance_to(due_ns)
            due_ns = sender.advance(due_ns)
        return _Sent(port.tape, sender.figures())


def _simulated(settings: RigSettings, like: Port, tape: Tape) -> Tape:
    """Return what arrives on a line that does what the sender expects of it."""
    if isinstance(like, PacketPort):
        return [
            replace(each, time_ns=each.time_ns + 8 * like.wire_octets(each.octets) * 10**9 // like.crossing_bps)
            for each in tape
        ]
    channel = Channel(channel_settings(replace(settings, bit_error_rate=0.0, loss=0.0)))
    arrived: list[Taped] = []
    coming = deque(tape)
    for now_ns in range(0, round(settings.seconds * 1e9), _POLL_NS):
        while coming and coming[0].time_ns <= now_ns:
            each = coming.popleft()
            channel.send(each.octets, each.time_ns)
        if octets := channel.receive(now_ns, _READ_OCTETS):
            arrived.append(Taped(now_ns, octets))
    return arrived


def _hear(settings: RigSettings, source: ClipSource, sent: _Sent, way: _Way) -> ModemResult:
    """Let a receiver hear a tape on the virtual clock, and score what it shows.

    It is told of the modems' delay, so that what it shows is as old as that of a line without modems.
    """
    clock, screen = VirtualClock(), Screen()
    settings = replace(settings, playout_delay_ns=PLAYOUT_DELAY_NS - way.delay_ns)
    shown: list[NDArray[np.uint8] | None] = []
    with closing(ReceiverEnd(settings, playing_port(clock, way.tape, way.like), clock, [screen])) as receiver:
        shown += _showings(settings, clock, receiver, screen)
        figures = receiver.figures()
    scores = score_live(source, shown, _DELAY_S)
    last = len(source) - 1
    frame = source.frames[source.delayed(last, _DELAY_S)]
    still = make_still(scores.series.t_s[last], scores.series.ms_ssim[last], frame, visible(shown[last], frame))
    return ModemResult(way.case, _profile(way.like), way.delay_ns, sent.figures, figures, scores, still)


def _showings(
    settings: RigSettings, clock: VirtualClock, receiver: ReceiverEnd, screen: Screen
) -> Iterator[NDArray[np.uint8] | None]:
    """Yield what is on show at each display instant."""
    due_ns = 0
    for k in range(settings.instants):
        time_ns = k * DISPLAY_INTERVAL_NS
        while due_ns <= time_ns:
            clock.advance_to(due_ns)
            due_ns = receiver.advance(due_ns)
        picture = screen.at(time_ns)
        yield None if picture is None else picture.pixels
