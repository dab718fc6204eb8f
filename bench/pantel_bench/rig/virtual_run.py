"""A run on the virtual clock: one process, faster than real time, the same every time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from pantel_bench.rig.ends import ReceiverEnd, SenderEnd
from pantel_bench.rig.run import Findings, Showing, channel_settings
from pantel_bench.rig.settings import (
    DISPLAY_INTERVAL_NS,
    RECEIVER_COMPUTING_NS,
    SENDER_COMPUTING_NS,
    RigSettings,
)
from pantel_device.receiving.sink import Event, Picture, Sink
from pantel_link import CodewordListener, NullModem, StreamContext, VirtualClock

__all__ = ["Screen", "VirtualRun"]


class VirtualRun:
    """Sender and receiver in turn, joined by nothing but the octets of a null modem.

    Time goes from one event to the next, as the ends ask for it. Computing costs what a small machine would need: a
    payload describes a frame at least 150 ms old, and a picture is on show 50 ms after it was begun.

    Args:
        settings: Of the run.
        sinks: Take the receiver's pictures and events besides the screen.
        listener: Hears every codeword that the receiver hears.
    """

    def __init__(
        self, settings: RigSettings, *, sinks: Sequence[Sink] = (), listener: CodewordListener | None = None
    ) -> None:
        self._settings = settings
        self._clock = VirtualClock()
        modem = NullModem(self._clock, channel_settings(settings))
        self._screen = Screen()
        self._receiver = ReceiverEnd(settings, modem.far, self._clock, [self._screen, *sinks], listener=listener)
        self._sender = SenderEnd(settings, modem.near, self._clock, computing_ns=SENDER_COMPUTING_NS)
        self._sender_due_ns = 0
        self._receiver_due_ns = 0

    def showings(self) -> Iterator[Showing]:
        """Yield what is on show at each display instant, as the run proceeds."""
        for k in range(self._settings.instants):
            time_ns = k * DISPLAY_INTERVAL_NS
            self._advance_to(time_ns)
            picture = self._screen.at(time_ns)
            yield Showing(time_ns, None) if picture is None else Showing(time_ns, picture.pixels, picture.objects)

    def findings(self) -> Findings:
        """Return what both ends have measured."""
        return Findings(self._sender.figures(), self._receiver.figures())

    @property
    def context(self) -> StreamContext:
        """What the sender announces of its stream."""
        return self._sender.context

    def close(self) -> None:
        """Close both ends."""
        self._sender.close()
        self._receiver.close()

    def _advance_to(self, time_ns: int) -> None:
        while (due_ns := min(self._sender_due_ns, self._receiver_due_ns)) <= time_ns:
            self._clock.advance_to(due_ns)
            if self._sender_due_ns <= due_ns:
                self._sender_due_ns = self._sender.advance(due_ns)
            if self._receiver_due_ns <= due_ns:
                self._receiver_due_ns = self._receiver.advance(due_ns)


class Screen:
    """A sink that shows each picture when the computing time for it has passed."""

    def __init__(self) -> None:
        self._coming: deque[Picture] = deque()
        self._shown: Picture | None = None

    def at(self, time_ns: int) -> Picture | None:
        """Return the picture on show at a time, None before the first."""
        while self._coming and self._coming[0].time_ns + RECEIVER_COMPUTING_NS <= time_ns:
            self._shown = self._coming.popleft()
        return self._shown

    def on_picture(self, picture: Picture) -> None:
        """Take a picture."""
        self._coming.append(picture)

    def on_event(self, event: Event) -> None:
        """Ignore events: the link's counters are read at the end."""

    def close(self) -> None:
        """Hold nothing."""
