"""The receiver's side, in a process of its own: what it has read, shown and cost."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pantel_bench.masts.settings import MastsSettings
from pantel_bench.masts.tape import tape_ports
from pantel_bench.rig.memory import max_rss_mib
from pantel_device.receiving.line import Line
from pantel_device.receiving.line_opener import MAX_PACKETS_PER_S
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_link import Keyring, LinkReceiver, VirtualClock
from pantel_link.streams import KnownStreams
from pantel_models import View

__all__ = ["Received", "WatchedMast", "receive_tape"]

_TAIL_S = 3.0  # until what has arrived has been shown
_SLOW_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class WatchedMast:
    """What was shown of a mast that was watched.

    Attributes:
        name: Who it is.
        first_picture_s: When its first picture was drawn.
        pictures: How many were drawn.
        pictures_per_s: From the first one to the end.
    """

    name: str
    first_picture_s: float
    pictures: int
    pictures_per_s: float


@dataclass(frozen=True, slots=True)
class Received:
    """What the receiver's process has measured.

    Attributes:
        octets: That were read.
        packets: That were delivered.
        packets_lost: Gaps in the sequence numbers.
        packets_flooded: That were dropped unseen.
        payloads_damaged: That could not be decoded.
        masts: That were heard.
        cpu_s: Processor time.
        longest_step_s: Of the receiver's loop.
        slow_steps: Steps that took longer than the time between two pictures.
        backlog_octets: The most that waited on any line.
        max_rss_mib: The most memory that the process held; None where the system does not tell.
        pictures: How many were drawn.
        watched: What was shown of each.
    """

    octets: int
    packets: int
    packets_lost: int
    packets_flooded: int
    payloads_damaged: int
    masts: int
    cpu_s: float
    longest_step_s: float
    slow_steps: int
    backlog_octets: int
    max_rss_mib: float | None
    pictures: int
    watched: tuple[WatchedMast, ...]


class _Viewer:
    """Watches the masts with the lowest numbers."""

    def __init__(self, watched: int) -> None:
        self._watched = watched
        self.times_ns: dict[SenderName, list[int]] = {}

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        return (View.PERCEPTUAL,) if sender.number < self._watched else ()

    def on_picture(self, picture: Picture) -> None:
        self.times_ns.setdefault(picture.sender, []).append(picture.time_ns)

    def on_event(self, event: Event) -> None:
        """Do nothing: counters are read at the end."""

    def close(self) -> None:
        """Hold nothing."""


def receive_tape(path: Path, settings: MastsSettings) -> Received:
    """Hear a tape, and return what was measured.

    The clock goes on by the processor time that each step takes, so that what is shown is what a daemon on this machine
    would show.

    Args:
        path: Of the tape.
        settings: Of the run.
    """
    clock = VirtualClock()
    ports = tape_ports(path, clock, whole_packets=settings.shared)
    streams = KnownStreams((), Keyring(), None)
    most = MAX_PACKETS_PER_S if settings.shared else None
    links = [LinkReceiver(bitrate_bps=settings.bitrate_bps, streams=streams, max_packets_per_s=most) for _ in ports]
    viewer = _Viewer(settings.watched)
    receiver = Receiver(
        port=ports[0],
        link=links[0],
        further=[Line.of(*each) for each in zip(ports[1:], links[1:], strict=True)],
        sinks=[],
        view=View.PERCEPTUAL,
        watchers=[viewer],
    )
    end_ns = round((settings.seconds + _TAIL_S) * 1e9)
    steps_ns: list[int] = []
    while clock.now_ns() < end_ns:
        began_ns = time.process_time_ns()
        due_ns = receiver.advance(clock.now_ns())
        steps_ns.append(time.process_time_ns() - began_ns)
        clock.advance_to(max(due_ns, clock.now_ns() + steps_ns[-1]))
    statistics = [line.statistics for line in receiver.lines]
    return Received(
        octets=sum(each.wire_octets for each in statistics),
        packets=sum(each.packets_good for each in statistics),
        packets_lost=sum(each.packets_lost for each in statistics),
        packets_flooded=sum(each.packets_flooded for each in statistics),
        payloads_damaged=receiver.payloads_damaged,
        masts=len(receiver.contacts),
        cpu_s=sum(steps_ns) / 1e9,
        longest_step_s=max(steps_ns) / 1e9,
        slow_steps=sum(each > _SLOW_NS for each in steps_ns),
        backlog_octets=max(port.backlog_octets for port in ports),
        max_rss_mib=max_rss_mib(),
        pictures=sum(map(len, viewer.times_ns.values())),
        watched=tuple(_shown(name, viewer.times_ns[name], end_ns) for name in sorted(viewer.times_ns)),
    )


def _shown(name: SenderName, times_ns: list[int], end_ns: int) -> WatchedMast:
    seconds = (end_ns - times_ns[0]) / 1e9
    return WatchedMast(str(name), times_ns[0] / 1e9, len(times_ns), len(times_ns) / seconds)
