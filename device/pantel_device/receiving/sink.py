"""What a receiver hands on: pictures and events, and the protocol of whoever takes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.receiving.alarms_in import ReceivedAlarm
from pantel_device.rendering.renderer import ShownObject
from pantel_models import View

__all__ = ["Event", "Picture", "SenderName", "Sink", "Watcher"]


@dataclass(frozen=True, slots=True, order=True)
class SenderName:
    """By what people tell senders apart; a restarted one keeps it.

    Attributes:
        callsign: Of the operator.
        number: Of the sender, 0..63.
    """

    callsign: str
    number: int

    def __str__(self) -> str:
        return f"{self.callsign}-{self.number}"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One rendered picture.

    Attributes:
        time_ns: Monotonic time at which it was rendered.
        shown_ns: The time whose scene it shows, a play-out delay earlier.
        capture_time_ns: Capture time of the newest packet in it, on the receiver's monotonic clock.
        pixels: (H, W, 3) uint8, RGB, read-only.
        sender: Whose picture it is.
        view: Who has painted it.
        cell_age_s: (rows, columns) float32, read-only: age of each cell of the background [s], see `Rendering`.
        objects: The sprites in it, the farthest first.
        alarms: Those that came in during the last 10 s, the newest first.
    """

    time_ns: int
    shown_ns: int
    capture_time_ns: int
    pixels: NDArray[np.uint8]
    sender: SenderName
    cell_age_s: NDArray[np.float32]
    objects: tuple[ShownObject, ...] = ()
    alarms: tuple[ReceivedAlarm, ...] = ()
    view: View = View.FAITHFUL

    def __post_init__(self) -> None:
        for array in (self.pixels, self.cell_age_s):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in a log: a sender heard, a report on the link, a model that is missing.

    Attributes:
        time_ns: Monotonic time.
        kind: What happened, in snake_case.
        fields: Details; keys in snake_case with units.
    """

    time_ns: int
    kind: str
    fields: Mapping[str, str | int | float | None]


class Sink(Protocol):
    """Takes what a receiver hands on. It must not raise for trouble that may pass, such as a full disk."""

    def on_picture(self, picture: Picture) -> None:
        """Take the next picture of the sender heard last; it may be the same as the one before."""

    def on_event(self, event: Event) -> None:
        """Take an event."""

    def close(self) -> None:
        """Write what is left and release files."""


class Watcher(Sink, Protocol):
    """A sink that says itself which pictures it takes; what nobody takes is not drawn."""

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:
        """Return the views in which pictures of a sender are wanted, asked before each.

        Args:
            sender: One that has been heard.
            heard_last: Whether of all senders it was heard last.
            silence_s: How long ago its newest content was captured [s].
        """
