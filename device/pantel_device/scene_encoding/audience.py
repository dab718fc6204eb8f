"""Who hears a stream: how much is lost on the way, and whether somebody may have joined since something was told."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ASSUMED_LOSS", "Audience"]

ASSUMED_LOSS = 0.05
"""Share of packets that is expected to be lost, unless somebody knows better."""

_NEVER = -(1 << 62)


@dataclass(slots=True)
class Audience:
    """What the parts of an encoder share about the receivers.

    Attributes:
        loss: Share of packets that is expected to be lost.
        refresh_s: Time after which a receiver that joined late should have been told again [s].
        acknowledges: Whether a receiver tells, these days, what it hears. Then nobody is expected to join late.
        there_ns: When it last was known to be there.
    """

    loss: float
    refresh_s: float
    acknowledges: bool = False
    there_ns: int = _NEVER

    @property
    def arrival(self) -> float:
        """How likely a packet arrives."""
        return 1 - self.loss

    @property
    def refresh_ns(self) -> float:
        """As `refresh_s`, in nanoseconds."""
        return self.refresh_s * 1e9

    def open_ns(self, told_ns: int, now_ns: int) -> int:
        """Return for how long a receiver may have joined that was not there at a time."""
        return 0 if self.acknowledges else max(now_ns - max(told_ns, self.there_ns), 0)
