"""What a file must tell at its beginning, so that who has only this file can read it from there on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pantel_link.context import Security, StreamContext
from pantel_link.errors import SecurityError
from pantel_link.keys import Keyring
from pantel_link.packet import Packet, PacketKind

__all__ = ["CapturedMemory", "IntroducedStreams", "taken_contexts"]

_MAX_STREAMS = 64  # as many as one callsign may have, so that nobody can make heads of any length


class IntroducedStreams:
    """The streams that have introduced themselves, each sender's newest one, and how far they are.

    Args:
        contexts: Streams that are known beforehand.
        counters: Their newest counters, as far as they are known.
    """

    def __init__(self, contexts: Iterable[StreamContext], counters: Mapping[StreamContext, int]) -> None:
        self._contexts: dict[tuple[int, str], StreamContext] = {}
        self._counters: dict[StreamContext, int] = {}
        for context in contexts:
            self._introduce(context, counters.get(context, 0))

    @property
    def contexts(self) -> tuple[StreamContext, ...]:
        """The streams, the one introduced last at the end."""
        return tuple(self._contexts.values())

    @property
    def counters(self) -> dict[StreamContext, int]:
        """The newest counters of streams with a key; the others can be read without."""
        return {
            context: self._counters[context]
            for context in self.contexts
            if context.security is not Security.CHECKED and self._counters[context]
        }

    def take(self, context: StreamContext, packet: Packet) -> None:
        """Take a verified packet and the stream that it belongs to."""
        if packet.kind is PacketKind.IDENT:
            self._introduce(context, packet.counter)
        elif context in self._counters:
            self._counters[context] = max(self._counters[context], packet.counter)

    def _introduce(self, context: StreamContext, counter: int) -> None:
        sender = context.sender, context.callsign
        self._contexts.pop(sender, None)
        self._contexts[sender] = context
        self._counters[context] = max(self._counters.get(context, 0), counter)
        if len(self._contexts) > _MAX_STREAMS:
            del self._contexts[next(iter(self._contexts))]
        self._counters = {each: self._counters[each] for each in self.contexts}


class CapturedMemory:
    """What the head of a capture remembers of streams with a key; a `StreamMemory`.

    Args:
        counters: Newest counter of each.
    """

    def __init__(self, counters: Mapping[StreamContext, int]) -> None:
        self._counters = counters

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        """Return the newest epoch of a sender and the newest counter that had been heard of it."""
        found = [
            (context.epoch, counter)
            for context, counter in self._counters.items()
            if (context.sender, context.callsign) == (sender, callsign)
        ]
        return max(found, default=None)

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        """Do nothing: what is repeated leaves no trace."""


def taken_contexts(contexts: Iterable[StreamContext], keyring: Keyring) -> tuple[StreamContext, ...]:
    """Return those streams that a keyring takes."""
    taken = []
    for context in contexts:
        try:
            keyring.seal(context)
        except SecurityError:
            continue
        taken.append(context)
    return tuple(taken)
