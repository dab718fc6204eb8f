"""A sink that keeps everything."""

from __future__ import annotations

from pantel_device.pictures import picture_hash
from pantel_device.receiving.sink import Event, Picture

__all__ = ["Album"]


class Album:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.events: list[Event] = []

    def on_picture(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        """Nothing to release."""

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    @property
    def hashes(self) -> dict[int, str]:
        return {picture.time_ns: picture_hash(picture.pixels) for picture in self.pictures}
