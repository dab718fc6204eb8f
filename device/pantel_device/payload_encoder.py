"""What makes payloads of observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pantel_device.frame import Observation

__all__ = ["PayloadEncoder"]


class PayloadEncoder(Protocol):
    """Tells a receiver what it lacks.

    Attributes:
        element_bits: Bits written so far of each kind of element.
    """

    @property
    def element_bits(self) -> Mapping[str, float]:
        """See above."""
        ...

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        """Return the payload that helps the receiver most now; nothing if nothing pays.

        Args:
            observation: The newest frame and what matters in it, of the size the encoder was made for.
            capacity_bytes: It takes at most so many; 16 at least.
            stamp_ns: Time stamp of the packet, on the clock of the frames.
        """
        ...
