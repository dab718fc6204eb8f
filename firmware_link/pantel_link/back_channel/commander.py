"""The ground's mouth: one command at a time, repeated until it is answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pantel_link.back_channel.acknowledge import Acknowledge
from pantel_link.back_channel.command import Command, Confirm, Outcome, Reply, command_to_payload
from pantel_link.context import StreamContext
from pantel_link.keys import SenderKey
from pantel_link.outgoing import Outgoing
from pantel_link.pacing import DEFAULT_BITRATE_BPS, Pacer, check_bitrate
from pantel_link.packet import SEQUENCE_BITS, Packet, PacketKind
from pantel_link.profiles import Profile
from pantel_link.seal import make_back_seal
from pantel_link.wire_format import LengthClass

__all__ = ["Commander"]

_TIMES = 5
_OCTETS_BETWEEN = 576  # 4.8 s at 960 bit/s: the mast may be in the middle of a still packet, and its answer waits


class Commander:
    """Sends commands to one mast, paced as everything else, and waits for its replies.

    A command is repeated until a reply to it comes, at most five times in all; the mast does it once. A setting that
    came through on trial is confirmed by itself. An acknowledgement goes out once, when no command is due, and a newer
    one takes its place: nobody answers it.

    Args:
        context: Of the mast's stream, as it was heard.
        key: Of the mast.
        next_number: Gives numbers of 26 bits, each higher than any before, over restarts too.
        now_ns: Monotonic time.
        profile: Of the line.
        pacer: Of the line; shared by all who send commands over it.
        bitrate_bps: Of the back-channel.

    Attributes:
        context: As above.
    """

    def __init__(
        self,
        context: StreamContext,
        key: SenderKey,
        next_number: Callable[[], int],
        *,
        now_ns: int,
        profile: Profile,
        pacer: Pacer | None = None,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
    ) -> None:
        check_bitrate(bitrate_bps)
        self.context = context
        self._seal = make_back_seal(context, key.key)
        self._next_number = next_number
        self._profile = profile
        self._octet_ns = 8_000_000_000 // bitrate_bps
        self._waiting: deque[Command] = deque()
        self._pending: Command | None = None
        self._payload = b""
        self._number = 0
        self._times = 0
        self._next_ns = now_ns
        self._outgoing = Outgoing(profile, pacer or Pacer(bitrate_bps, now_ns, burst_octets=profile.burst_octets))
        self._acknowledge: Acknowledge | None = None
        self._abandoned: int | None = None  # number of the command that was given up last

    @property
    def unanswered(self) -> tuple[Command, ...]:
        """The commands that wait, the one that was sent last first."""
        return (*([self._pending] if self._pending is not None else ()), *self._waiting)

    @property
    def speaking(self) -> bool:
        """Whether a packet has begun to leave and has not left: nobody else may write in between."""
        return bool(self._outgoing)

    def give(self, command: Command) -> None:
        """Queue a command."""
        self._waiting.append(command)

    def acknowledge(self, acknowledge: Acknowledge) -> None:
        """Have an acknowledgement sent, instead of any that has not gone out yet."""
        self._acknowledge = acknowledge

    def due(self, now_ns: int) -> bytes:
        """Return the octets to write now, often none; as `LinkSender.due`."""
        if not self._outgoing and not self._begin(now_ns) and self._acknowledge is not None:
            acknowledge, self._acknowledge = self._acknowledge, None
            self._add(PacketKind.ACKNOWLEDGE, acknowledge.newest, acknowledge.to_payload())
        return self._outgoing.release(now_ns)[0]

    def put_back(self, octets: bytes) -> None:
        """Take back what the port did not accept."""
        self._outgoing.put_back(octets)

    def take(self, reply: Reply) -> Command | None:
        """Take a reply of this mast; return the command that it answers, None if that is not the one that waits.

        A setting that comes through on trial after it was given up is confirmed, too.
        """
        if reply.outcome is Outcome.ON_TRIAL and reply.number == self._abandoned:
            self._abandoned = None
            self._waiting.appendleft(Confirm(reply.number))
        if self._pending is None or reply.number != self._number & 0xFFFF:
            return None
        command, self._pending = self._pending, None
        if reply.outcome is Outcome.ON_TRIAL:
            self._waiting.appendleft(Confirm(reply.number))
        return command

    def given_up(self, now_ns: int) -> Command | None:
        """Return, once, a command that was never answered."""
        if self._pending is None or self._times < _TIMES or now_ns < self._next_ns:
            return None
        command, self._pending = self._pending, None
        self._abandoned = self._number & 0xFFFF
        return command

    def _begin(self, now_ns: int) -> bool:
        """Frame a command when it is time for one, and return whether it was."""
        if self._pending is None and self._waiting:
            self._pending = self._waiting.popleft()
            self._number = self._next_number()
            self._payload = command_to_payload(self._pending, self._number >> SEQUENCE_BITS)
            self._times, self._next_ns = 0, now_ns
        if self._pending is None or now_ns < self._next_ns or self._times == _TIMES:
            return False
        self._times += 1
        self._add(PacketKind.COMMAND, self._number, self._payload)
        self._next_ns = now_ns + _OCTETS_BETWEEN * self._octet_ns
        return True

    def _add(self, kind: PacketKind, counter: int, payload: bytes) -> None:
        packet = Packet(kind, self.context.sender, counter, 0, payload)
        self._outgoing.add(self._profile.frame(packet, self._seal, LengthClass.LIVE))
