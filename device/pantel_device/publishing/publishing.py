"""Those whom a receiver tells, as its loop sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_device.receiving.sink import Watcher
from pantel_device.receiving.watched_receiver import ReadingTaker

__all__ = ["Publishing"]


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a receiver must know of those whom it tells.

    Attributes:
        watchers: Take events and pictures.
        takers: Take readings of the link.
    """

    watchers: Sequence[Watcher] = ()
    takers: Sequence[ReadingTaker] = ()
