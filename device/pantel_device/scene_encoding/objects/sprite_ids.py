"""The ids that objects have in a stream."""

from __future__ import annotations

from collections.abc import Container

from pantel_codec import MAX_SPRITES

__all__ = ["SpriteIds"]


class SpriteIds:
    """Gives ids to objects; a new one takes that which has been free longest."""

    def __init__(self) -> None:
        self._ids: dict[int, int] = {}
        self._next = 0

    def take(self, track_id: int) -> int | None:
        """Return the id of an object; None if none is free."""
        if track_id not in self._ids:
            if len(self._ids) >= MAX_SPRITES:
                return None
            while self._next in self._ids.values():
                self._next = (self._next + 1) % MAX_SPRITES
            self._ids[track_id] = self._next
            self._next = (self._next + 1) % MAX_SPRITES
        return self._ids[track_id]

    def keep(self, *track_ids: Container[int]) -> None:
        """Free the ids of all objects that are in none of these."""
        self._ids = {key: value for key, value in self._ids.items() if any(key in each for each in track_ids)}
