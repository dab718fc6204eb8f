"""What makes payloads of observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pantel_device.frame import Observation
from pantel_link.back_channel import Acknowledge, Region

__all__ = ["Attentive", "PayloadEncoder"]


class Attentive(Protocol):
    """Goes by what a receiver says, and its operator."""

    def acknowledged(self, acknowledge: Acknowledge) -> None:
        """Take note of what a receiver has heard."""
        ...

    def watch(self, region: Region, until_ns: int) -> bool:
        """Let a part of the picture matter more until a time on the clock of the frames; return whether it can be."""
        ...


class PayloadEncoder(Attentive, Protocol):
    """Tells a receiver what it lacks.

    Attributes:
        element_bits: Bits written so far of each kind of element.
    """

    @property
    def element_bits(self) -> Mapping[str, float]:
        """See above."""
        ...

    def unhurried(self, *, calm: bool) -> bool:
        """Return whether what it tells next may take longer on the air, because nobody waits for it.

        Args:
            calm: Whether nothing has moved for a while.
        """
        ...

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        """Return the payload that helps the receiver most now; nothing if nothing pays.

        Args:
            observation: The newest frame and what matters in it, of the size the encoder was made for.
            capacity_bytes: It takes at most so many; 16 at least.
            stamp_ns: Time stamp of the packet, on the clock of the frames.
        """
        ...

    def submitted(self, counter: int) -> None:
        """Take the counter of the packet that the newest payload went out with."""
        ...
