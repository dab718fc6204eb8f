"""The thread that talks with a broker, so that the receiver's loop never waits for it."""

from __future__ import annotations

import logging
import threading
import time

from paho.mqtt.client import MQTTMessageInfo

from pantel_device.errors import BrokerError
from pantel_device.mqtt.conversation import Broker, Conversation
from pantel_device.mqtt.mailbox import Mailbox
from pantel_device.mqtt.topics import Message, Topics
from pantel_device.publishing.alarm_queue import AlarmQueue, WaitingAlarm
from pantel_device.publishing.outage import Outage
from pantel_device.service.back_off import Failures

__all__ = ["BrokerThread"]

log = logging.getLogger(__name__)

_STABLE_S = 10.0  # a connection of so long was a good one
_CLOSING_S = 5.0  # systemd waits 30 s, of which recordings may take 20
_FAREWELL_S = 2.0
_CONFIRMED_S = 120.0  # a picture that is on its way over a slow line goes first
_MAIL_AT_ONCE = 50
_ONLINE, _OFFLINE = b"online", b"offline"


class BrokerThread:
    """Publishes what waits in a mailbox and in a queue of alarms, over outages of the broker.

    Of each one message at a time is on its way: so a slow network fills no buffers, and alarms keep their order. An
    alarm leaves its queue when the broker has confirmed it.

    Args:
        broker: Which.
        topics: Of the receiver.
        mailbox: What waits.
        alarms: Alarms that wait.
    """

    def __init__(self, broker: Broker, topics: Topics, mailbox: Mailbox, alarms: AlarmQueue) -> None:
        self._broker = broker
        self._topics = topics
        self._mailbox = mailbox
        self._alarms = alarms
        self._stop = threading.Event()
        self._outage = Outage(f"MQTT broker {broker.server}")
        self._unsent: Message | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say that the receiver is gone and end; a network that hangs is left alone after 5 s."""
        self._stop.set()
        self._thread.join(_CLOSING_S)
        if self._thread.is_alive():
            log.warning("the broker could not be told within %.0f s that the receiver is gone", _CLOSING_S)
        self._alarms.close()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            began_s = time.monotonic()
            try:
                self._talk()
            except BrokerError as error:
                self._outage.begin(str(error))
            except Exception:
                log.exception("mqtt failed")
            failures = failures + 1 if time.monotonic() - began_s < _STABLE_S else 1
            self._rest(Failures(failures).delay_s)

    def _rest(self, delay_s: float) -> None:
        """Wait before the next attempt, and have the disk keep alarms that come meanwhile."""
        end_s = time.monotonic() + delay_s
        while not self._stop.is_set() and (left_s := end_s - time.monotonic()) > 0:
            self._settle()
            self._alarms.came.wait(min(left_s, 1.0))

    def _talk(self) -> None:
        """Keep up one connection until the end.

        Raises:
            BrokerError: It could not be made, or is gone.
        """
        status = self._topics.status
        asked = (self._topics.home_assistant,) if self._topics.discovery else ()
        conversation = Conversation(self._broker, Message(status, _OFFLINE, 1, retain=True), asked, self._take)
        conversation.open()
        self._outage.end()
        log.debug("mqtt connected broker=%s", self._broker.server)
        self._mailbox.tell_all_again()
        conversation.publish(Message(status, _ONLINE, 1, retain=True))
        lanes = _Lanes(conversation, self._topics, self._mailbox, self._alarms, self._unsent)
        try:
            end_s: float | None = None
            while end_s is None or (lanes.busy and time.monotonic() < end_s):
                lanes.forward()
                self._settle()
                conversation.turn()
                if end_s is None and self._stop.is_set():
                    end_s = time.monotonic() + _FAREWELL_S
        finally:
            self._unsent = lanes.unsent
        conversation.close(Message(status, _OFFLINE, 1, retain=True))

    def _settle(self) -> None:
        self._alarms.came.clear()
        self._alarms.settle()

    def _take(self, topic: str, payload: bytes) -> None:
        """Take what Home Assistant says: when it has started, it wants to be told everything."""
        if topic == self._topics.home_assistant and payload == _ONLINE:
            self._mailbox.tell_all_again()


class _Lanes:
    """What is on its way over one connection: at most one alarm, and one other message."""

    def __init__(
        self,
        conversation: Conversation,
        topics: Topics,
        mailbox: Mailbox,
        alarms: AlarmQueue,
        unsent: Message | None,
    ) -> None:
        self.unsent = unsent
        self._conversation = conversation
        self._topics = topics
        self._mailbox = mailbox
        self._alarms = alarms
        self._mail: MQTTMessageInfo | None = None
        self._alarm: tuple[WaitingAlarm, MQTTMessageInfo] | None = None
        self._alarm_due_s = 0.0

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return self._mail is not None or self._alarm is not None

    def forward(self) -> None:
        """Publish what comes next, where what was before it has arrived.

        Raises:
            BrokerError: The connection is gone, or the broker confirms nothing.
        """
        if self._alarm is not None and self._alarm[1].is_published():
            self._alarms.remove(self._alarm[0])
            self._alarm = None
        if self._alarm is None and (alarm := self._alarms.first()) is not None:
            topic = self._topics.of(alarm.sender, "alarm")
            self._alarm = alarm, self._conversation.publish(Message(topic, alarm.body, 1))
            self._alarm_due_s = time.monotonic() + _CONFIRMED_S
        elif self._alarm is not None and time.monotonic() > self._alarm_due_s:
            raise BrokerError(f"it has not confirmed an alarm within {_CONFIRMED_S:.0f} s")
        for _ in range(_MAIL_AT_ONCE):
            if self._mail is not None:
                if not self._mail.is_published():
                    return
                self._mail = self.unsent = None
            # What was lost with the connection before comes first.
            self.unsent = self.unsent or self._mailbox.next()
            if self.unsent is None:
                return
            self._mail = self._conversation.publish(self.unsent)
