"""The mast's ear: commands and acknowledgements that are authentic, each once."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.back_channel.acknowledge import Acknowledge
from pantel_link.back_channel.command import Command, command_from_payload, rollover_of
from pantel_link.context import StreamContext
from pantel_link.errors import ContextError, PacketError, ReplayError
from pantel_link.keys import Keyring, SenderKey
from pantel_link.packet import SEQUENCE_BITS, Packet, PacketKind, SealedPacket
from pantel_link.receiver import LinkReceiver
from pantel_link.seal import make_back_seal
from pantel_link.streams import KnownStreams, Stream

__all__ = ["CommandListener", "NumberedCommand"]


@dataclass(frozen=True, slots=True)
class NumberedCommand:
    """A command that somebody with the key gave.

    Attributes:
        number: Of the command, 26 bits; higher than that of any before.
        command: What is to be done.
    """

    number: int
    command: Command


class CommandListener:
    """Finds commands and acknowledgements in what a mast's port brings, its own echo and noise among it.

    A command is authentic for one start of the mast, so recordings of before are worthless, and its number must be
    higher than that of any before. The newest may come again, because its reply was lost; it counts as a duplicate.
    Acknowledgements have numbers of their own, each of which comes once.

    Args:
        context: Of the mast's stream.
        key: Of the mast.

    Attributes:
        link: Its receiver, for the statistics.
    """

    def __init__(self, context: StreamContext, key: SenderKey) -> None:
        self.link = LinkReceiver(streams=_CommandStream(context, key))

    @property
    def repeats(self) -> int:
        """How often the newest command came again."""
        return self.link.statistics.packets_duplicate

    def receive(self, octets: bytes, now_ns: int, *, whole_packet: bool) -> list[NumberedCommand | Acknowledge]:
        """Take what the port brought; return the commands and acknowledgements in it. Noise raises nothing.

        Args:
            octets: As they came.
            now_ns: Monotonic time.
            whole_packet: Whether they are one packet, as a packet port brings it.
        """
        receive = self.link.receive_packet if whole_packet else self.link.receive
        found: list[NumberedCommand | Acknowledge] = []
        for each in receive(octets, now_ns):
            counter, payload = each.packet.counter, each.packet.payload
            try:
                if each.packet.kind is PacketKind.ACKNOWLEDGE:
                    found.append(Acknowledge.from_payload(payload, counter))
                else:
                    found.append(NumberedCommand(counter, command_from_payload(payload)))
            except PacketError:
                self.link.statistics.packets_rejected += 1
        return found


class _CommandStream(KnownStreams):
    """The commands to one mast and the acknowledgements, which know their counters by themselves."""

    def __init__(self, context: StreamContext, key: SenderKey) -> None:
        super().__init__((), Keyring(), None)
        seal = make_back_seal(context, key.key)
        self._by_kind = {kind: Stream(seal) for kind in (PacketKind.COMMAND, PacketKind.ACKNOWLEDGE)}

    def open(self, octets: bytes) -> tuple[Packet, Stream]:
        sealed = SealedPacket.from_bytes(octets)
        stream = self._by_kind.get(sealed.kind)
        if stream is None or sealed.sender != stream.seal.context.sender:
            raise ContextError("it is no command for this mast")
        counter = rollover_of(sealed.readable_payload) << SEQUENCE_BITS | sealed.sequence
        packet = sealed.open(stream.seal, counter)
        newest = stream.counters.newest
        repeatable = sealed.kind is PacketKind.COMMAND  # whose reply may have been lost
        if newest is not None and counter < newest + (not repeatable):
            raise ReplayError(f"number {counter} is no higher than {newest}")
        return packet, stream
