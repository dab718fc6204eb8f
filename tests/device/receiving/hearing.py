"""A receiver that hears what tests say, and what senders write."""

from __future__ import annotations

from typing import Any

from tests.album import Album

from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Picture
from pantel_link import Keyring, LinkReceiver, LinkSender, MasterKey, PacketKind, SenderKey, StreamContext, memory_pair

_S = 1_000_000_000


class End:
    """A receiver, what it hands on, and a line into it."""

    def __init__(self, *, delay_ns: int = 0, key: MasterKey | None = None, **options: Any) -> None:
        self.album = Album()
        self._near, far = memory_pair()
        link = LinkReceiver(keyring=Keyring(key))
        self.receiver = Receiver(port=far, link=link, sinks=[self.album], playout_delay_ns=delay_ns, **options)

    def hear(self, octets: bytes, now_ns: int) -> None:
        self._near.write(octets)
        self.receiver.advance(now_ns)

    def wait(self, start_ns: int, stop_ns: int) -> list[Picture]:
        """Let time pass, asked for or not, and return the pictures drawn meanwhile."""
        drawn = len(self.album.pictures)
        for time_ns in range(start_ns, stop_ns, 7_000_000):
            self.receiver.advance(time_ns)
        return self.album.pictures[drawn:]


def sent_octets(
    context: StreamContext, *payloads: bytes, kind: PacketKind = PacketKind.SCENE, key: SenderKey | None = None
) -> bytes:
    """Return what a sender writes: its IDENT and some payloads."""
    sender = LinkSender(context, now_ns=0, key=key)
    waiting = list(payloads)
    written = b""
    for time_ns in range(0, (len(payloads) + 2) * _S // 2, _S // 50):
        if waiting and sender.ready(time_ns):
            sender.submit(kind, waiting.pop(0), time_ns)
        while chunk := sender.due(time_ns):
            written += chunk
    return written
