"""Under which topics what is published, and what a message is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pantel_device.receiving.sink import SenderName

__all__ = ["Message", "Topics"]

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9.-]")
_NOT_OF_IDS = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True, slots=True)
class Message:
    """What is published.

    Attributes:
        topic: Where.
        payload: Empty and retained, it removes what the broker keeps.
        qos: 0: at most once; 1: at least once.
        retain: Whether the broker keeps it for those who come later.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a receiver.

    Attributes:
        base: Its first levels.
        receiver: Name of the receiver, one level.
        discovery: Prefix of Home Assistant; empty for none.
    """

    base: str
    receiver: str
    discovery: str = ""

    @property
    def status(self) -> str:
        """Whether the receiver is there."""
        return f"{self.base}/{self.receiver}/status"

    def of_receiver(self, leaf: str) -> str:
        """Return a topic that belongs to no sender."""
        return f"{self.base}/{self.receiver}/{leaf}"

    def of(self, sender: SenderName, leaf: str) -> str:
        """Return a topic of a sender.

        What a topic level cannot hold becomes an underscore, which callsigns have none of: so DK1AB/P is DK1AB_P, and
        no two senders share a topic.
        """
        return f"{self.base}/{self.receiver}/{_NOT_PLAIN.sub('_', sender.callsign)}-{sender.number}/{leaf}"

    def device_id(self, sender: SenderName) -> str:
        """Return by what Home Assistant knows a sender of this receiver; of letters, digits, _ and - alone."""
        return "pantel_" + "_".join(_plain_id(part) for part in (self.receiver, str(sender)))

    def device(self, sender: SenderName) -> str:
        """Return where a sender is announced to Home Assistant."""
        return f"{self.discovery}/device/{self.device_id(sender)}/config"

    @property
    def home_assistant(self) -> str:
        """Where Home Assistant says that it is there."""
        return f"{self.discovery}/status"


def _plain_id(text: str) -> str:
    """Return a text with all but letters, digits and - as hexadecimal numbers, so none is like another."""
    return _NOT_OF_IDS.sub(lambda found: f"_{ord(found[0]):x}_", text)
