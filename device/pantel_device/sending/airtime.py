"""What a sender says beside the scene: who wants to say something, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pantel_link import LengthClass, PacketKind
from pantel_link.traffic import TrafficClass

__all__ = ["News", "NewsSource"]


@dataclass(frozen=True, slots=True)
class News:
    """One payload, ready to go.

    Attributes:
        kind: What it is.
        payload: It.
        length_class: Of the packet that it needs.
    """

    kind: PacketKind
    payload: bytes
    length_class: LengthClass = LengthClass.LIVE


class NewsSource(Protocol):
    """Somebody who wants to say something now and then."""

    def wants(self, now_ns: int) -> TrafficClass | None:
        """Return what kind of news there is; None if there is none."""
        ...

    def take(self, now_ns: int) -> News:
        """Return the next news; call it only when `wants` returned a class."""
        ...
