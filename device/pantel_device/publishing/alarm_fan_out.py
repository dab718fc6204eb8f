"""Gives every alarm of a receiver to all who must hear of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.receiving.sinks import strict_record
from pantel_device.wall_clock import utc_now
from pantel_models import View

__all__ = ["AlarmFanOut"]


class AlarmFanOut:
    """A watcher that wants no pictures, and puts each alarm into all queues under the same id.

    Args:
        receiver: Name of the receiver, which alarms tell.
        queues: One for each consumer.
    """

    def __init__(self, receiver: str, queues: Sequence[AlarmQueue]) -> None:
        self._receiver = receiver
        self._queues = tuple(queues)

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return none."""
        return ()

    def on_picture(self, picture: Picture) -> None:
        """Do nothing."""

    def on_event(self, event: Event) -> None:
        """Put an alarm into the queues."""
        if event.kind != "alarm":
            return
        alarm_id = uuid.uuid4().hex
        sender = SenderName(str(event.fields["callsign"]), int(event.fields["sender"] or 0))
        # Home Assistant's event entities want the type of an event under this name.
        head = {"receiver": self._receiver, "event_type": event.fields["phase"]}
        record = head | strict_record(event, utc_now())
        for queue in self._queues:
            queue.put(alarm_id, sender, record)

    def close(self) -> None:
        """Do nothing: each queue is its consumer's to close."""
