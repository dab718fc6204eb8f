"""Brokers and publishers for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.device.mqtt.mosquitto import Mosquitto

from pantel_device.config import ReceiverConfig
from pantel_device.publishing.opening import open_publishing
from pantel_device.publishing.publishing import Publishing
from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.sink import Event, Picture
from pantel_link import MonotonicClock


class Loop:
    """What a receiver's loop does with those whom it tells."""

    def __init__(self, publishing: Publishing) -> None:
        self._publishing = publishing

    def event(self, event: Event) -> None:
        for watcher in self._publishing.watchers:
            watcher.on_event(event)

    def picture(self, picture: Picture) -> bool:
        """Show a picture to who wants it; return whether anybody did."""
        takers = [
            watcher
            for watcher in self._publishing.watchers
            if watcher.views(picture.sender, heard_last=True, silence_s=0.5)
        ]
        for taker in takers:
            taker.on_picture(picture)
        return bool(takers)

    def reading(self, reading: LinkReading) -> None:
        for taker in self._publishing.takers:
            taker.on_reading(reading)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Any]:
    """Return a context manager that publishes as a configuration says, and yields the receiver's loop."""

    @contextmanager
    def publishing(**options: Any) -> Iterator[Loop]:
        config = ReceiverConfig.model_validate({"mqtt_name": "home", "state_dir": tmp_path / "state", **options})
        with ExitStack() as stack:
            yield Loop(open_publishing(config, clock=MonotonicClock(), stack=stack))

    return publishing
