"""The mast's ear: commands that are authentic, each once."""

from __future__ import annotations

from dataclasses import dataclass

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
    """Finds commands in what a mast's port brings, its own echo and noise among it.

    A command is authentic for one start of the mast, so recordings of before are worthless, and its number must be
    higher than that of any before. The newest may come again, because its reply was lost; it counts as a duplicate.

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

    def receive(self, octets: bytes, now_ns: int, *, whole_packet: bool) -> list[NumberedCommand]:
        """Take what the port brought; return the commands in it. Noise raises nothing.

        Args:
            octets: As they came.
            now_ns: Monotonic time.
            whole_packet: Whether they are one packet, as a packet port brings it.
        """
        receive = self.link.receive_packet if whole_packet else self.link.receive
        found = []
        for each in receive(octets, now_ns):
            try:
                found.append(NumberedCommand(each.packet.counter, command_from_payload(each.packet.payload)))
            except PacketError:
                self.link.statistics.packets_rejected += 1
        return found


class _CommandStream(KnownStreams):
    """The commands to one mast, which know their counters by themselves."""

    def __init__(self, context: StreamContext, key: SenderKey) -> None:
        super().__init__((), Keyring(), None)
        self._stream = Stream(make_back_seal(context, key.key))

    def open(self, octets: bytes) -> tuple[Packet, Stream]:
        sealed = SealedPacket.from_bytes(octets)
        if sealed.kind is not PacketKind.COMMAND or sealed.sender != self._stream.seal.context.sender:
            raise ContextError("it is no command for this mast")
        counter = rollover_of(sealed.readable_payload) << SEQUENCE_BITS | sealed.sequence
        packet = sealed.open(self._stream.seal, counter)
        newest = self._stream.counters.newest
        if newest is not None and counter < newest:
            raise ReplayError(f"command {counter} is older than {newest}")
        return packet, self._stream
