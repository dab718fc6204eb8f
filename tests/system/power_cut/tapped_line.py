"""A line between a sender and a receiver that come and go, and all that a sender has said on it."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress

from pantel_link import Keyring, LinkReceiver, PacketKind, ReceivedPacket, StreamContext
from pantel_link.keys import MasterKey
from pantel_link.messages import TextAssembler, TextPart

__all__ = ["TappedLine"]

_POLL_S = 0.01
_OCTETS = 4096


class TappedLine:
    """Two TCP servers that hand octets on from one to the other, as `socket://` ports.

    Args:
        key: Of all senders.
        bitrate_bps: Of the line.

    Attributes:
        epochs: That were introduced on the line since `begin_life`.
        texts: Lines of text that have crossed it whole, ever.
        packets: How many packets have crossed it, ever.
    """

    def __init__(self, key: MasterKey, bitrate_bps: int) -> None:
        self.epochs: set[int] = set()
        self.texts: set[str] = set()
        self.packets = 0
        self._key = key
        self._bitrate_bps = bitrate_bps
        self._servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self._ends: list[socket.socket | None] = [None, None]
        self._selector = selectors.DefaultSelector()
        for end, server in enumerate(self._servers):
            server.setblocking(False)
            self._selector.register(server, selectors.EVENT_READ, ("server", end))
        self.begin_life()

    @property
    def urls(self) -> tuple[str, str]:
        """What sender and receiver open."""
        near, far = (f"socket://127.0.0.1:{server.getsockname()[1]}" for server in self._servers)
        return near, far

    def begin_life(self) -> None:
        """Note that another sender begins: nothing of the one before helps to understand it."""
        self.epochs = set()
        self._texts = TextAssembler()
        self._link = LinkReceiver(bitrate_bps=self._bitrate_bps, keyring=Keyring(self._key))

    def carry(self, until_ns: int) -> None:
        """Hand on what comes until a time."""
        while (now_ns := time.monotonic_ns()) < until_ns:
            for key, _ in self._selector.select(min((until_ns - now_ns) / 1e9, _POLL_S)):
                kind, end = key.data
                if kind == "server":
                    self._accept(end)
                else:
                    self._hand_on(end)

    def close(self) -> None:
        """Close all sockets."""
        self._selector.close()
        for each in (*self._servers, *self._ends):
            if each is not None:
                each.close()

    def _accept(self, end: int) -> None:
        with suppress(BlockingIOError):
            opened, _ = self._servers[end].accept()
            opened.setblocking(False)
            self._hang_up(end)
            self._ends[end] = opened
            self._selector.register(opened, selectors.EVENT_READ, ("end", end))

    def _hang_up(self, end: int) -> None:
        old, self._ends[end] = self._ends[end], None
        if old is not None:
            self._selector.unregister(old)
            old.close()

    def _hand_on(self, end: int) -> None:
        here, there = self._ends[end], self._ends[1 - end]
        if here is None:
            return
        try:
            octets = here.recv(_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._hang_up(end)
            return
        if end == 0:
            self._listen(octets)
        if there is not None:
            with suppress(OSError):  # whoever was killed hears nothing
                there.send(octets)

    def _listen(self, octets: bytes) -> None:
        for received in self._link.receive(octets, time.monotonic_ns()):
            self.packets += 1
            self._take_text(received)
        contexts: tuple[StreamContext, ...] = tuple(self._link.contexts)
        self.epochs.update(context.epoch for context in contexts)

    def _take_text(self, received: ReceivedPacket) -> None:
        if received.packet.kind is PacketKind.TEXT:
            part = TextPart.from_payload(received.packet.payload)
            if (text := self._texts.take(received.context, part)) is not None:
                self.texts.add(text)
