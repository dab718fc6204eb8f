"""What a receiver hands on: pictures and events, and the protocol of whoever takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Event", "Picture", "Sink"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One rendered picture.

    Attributes:
        time_ns: Monotonic time at which it was rendered.
        capture_time_ns: Capture time of the newest packet in it, on the receiver's monotonic clock.
        pixels: (H, W, 3) uint8, RGB, read-only.
        sender: Callsign of the sender.
    """

    time_ns: int
    capture_time_ns: int
    pixels: NDArray[np.uint8]
    sender: str

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False


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
        """Take a picture that differs from the one before."""

    def on_event(self, event: Event) -> None:
        """Take an event."""

    def close(self) -> None:
        """Write what is left and release files."""
