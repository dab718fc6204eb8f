"""A demo on the virtual clock: one process, faster than real time, the same at every run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pantel_bench.demo.ends import ReceiverEnd, SenderEnd
from pantel_bench.demo.run import Findings, Showing, channel_settings
from pantel_bench.demo.settings import (
    DISPLAY_INTERVAL_NS,
    RECEIVER_COMPUTING_NS,
    SENDER_COMPUTING_NS,
    DemoSettings,
)
from pantel_device.sink import Event, Picture
from pantel_link import NullModem, VirtualClock

__all__ = ["VirtualRun"]


class VirtualRun:
    """Sender and receiver in turn, joined by nothing but the octets of a null modem.

    Time goes from one event to the next, as the ends ask for it. Computing costs what a small machine would need: a
    payload describes a frame at least 150 ms old, and a picture is on show 50 ms after it was begun.
    """

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings
        self._clock = VirtualClock()
        modem = NullModem(self._clock, channel_settings(settings))
        self._screen = _Screen()
        self._receiver = ReceiverEnd(settings, modem.far, self._screen)
        self._sender = SenderEnd(settings, modem.near, self._clock, computing_ns=SENDER_COMPUTING_NS)
        self._sender_due_ns = 0
        self._receiver_due_ns = 0

    def showings(self) -> Iterator[Showing]:
        """Yield what is on show at each display instant, as the run proceeds."""
        for k in range(self._settings.instants):
            time_ns = k * DISPLAY_INTERVAL_NS
            self._advance_to(time_ns)
            yield Showing(time_ns, self._screen.at(time_ns))

    def findings(self) -> Findings:
        """Return what both ends have measured."""
        return Findings(self._sender.figures(), self._receiver.figures())

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


class _Screen:
    """A sink that shows each picture when the computing time for it has passed."""

    def __init__(self) -> None:
        self._coming: deque[Picture] = deque()
        self._shown: NDArray[np.uint8] | None = None

    def at(self, time_ns: int) -> NDArray[np.uint8] | None:
        """Return the picture on show at a time, None before the first."""
        while self._coming and self._coming[0].time_ns + RECEIVER_COMPUTING_NS <= time_ns:
            self._shown = self._coming.popleft().pixels
        return self._shown

    def on_picture(self, picture: Picture) -> None:
        self._coming.append(picture)

    def on_event(self, event: Event) -> None:
        """Ignore events: the link's counters are read at the end."""

    def close(self) -> None:
        """Hold nothing."""
