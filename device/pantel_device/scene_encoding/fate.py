"""What becomes of a payload on its way."""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Fate"]


class Fate(Enum):
    """What a receiver has told of a payload."""

    ARRIVED = auto()
    LOST = auto()
    UNKNOWN = auto()
    """Nothing: it arrives as likely as any."""
