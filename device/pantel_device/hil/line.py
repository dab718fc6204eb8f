"""The line under test: the product's own sender and receiver at its two ends, and a ledger that listens to both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pantel_device.hil.ledger import Entry, Ledger
from pantel_device.sending.airtime import News
from pantel_link import (
    Clock,
    Keyring,
    LengthClass,
    LinkReceiver,
    LinkSender,
    PacketError,
    PacketKind,
    Port,
    PortError,
    Preset,
    Profile,
    ReceivedPacket,
    ReconnectingPort,
    SenderKey,
    StreamContext,
    wire_format,
)
from pantel_link.ports import PacketPort
from pantel_link.stills import Fragment, StillAssembler

__all__ = ["Ends", "Feed", "Line", "air_time_s"]

_NS_PER_S = 1_000_000_000
_LONGEST_TURN_NS = 5_000_000  # the error of a latency: half an octet at 960 bit/s
_SHORTEST_TURN_NS = 1_000_000
_READ_OCTETS = 4096
_READS = 16  # so that a babbling line cannot keep us for ever
_RETRY_NS = 250_000_000

Feed = Callable[[], News | None]
"""Returns what to send next; None for nothing."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of the line.

    Attributes:
        near: Sends.
        far: Receives; the same port where its output returns to its input.
    """

    near: Port
    far: Port

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports, each once."""
        return (self.near,) if self.near is self.far else (self.near, self.far)

    def close(self) -> None:
        """Close them."""
        for port in self.ports:
            port.close()


def air_time_s(profile: Profile, bitrate_bps: int, length_class: LengthClass = LengthClass.LIVE) -> float:
    """Return how long the longest packet of a length takes on its way [s]."""
    octets = wire_format(Preset.STANDARD, length_class).wire_octets  # of all presets, and of packets that travel whole
    return 8 * profile.wire_octets(bytes(octets)) / bitrate_bps


class Line:
    """Sends what it is fed and takes what arrives.

    Args:
        ends: Both ends, open; closed with this.
        reopen: Opens them again.
        clock: Monotonic clock.
        context: The stream; its epoch must be new.
        profile: Of the line.
        bitrate_bps: Of the link.
        key: Of the sender, if the context has security.

    Attributes:
        ledger: What was sent, and what became of it.
        sender: Of the link.
        receiver: Of the link.
        symbols: Packets of stills that arrived as they were sent.
        still: The still that arrived last; None before.
        heard: The packet that arrived last, of those that were sent so; None before.
    """

    def __init__(
        self,
        ends: Ends,
        reopen: Callable[[], Ends],
        clock: Clock,
        *,
        context: StreamContext,
        profile: Profile,
        bitrate_bps: int,
        key: SenderKey | None = None,
    ) -> None:
        self._ends: Ends | None = ends
        self._reopen = reopen
        self._reopen_at_ns: int | None = None
        self._clock = clock
        self._outages = 0
        self._assembler = StillAssembler()
        self.ledger = Ledger(context, whole=isinstance(ends.near, PacketPort))
        self.sender = LinkSender(
            context,
            now_ns=clock.now_ns(),
            profile=profile,
            bitrate_bps=bitrate_bps,
            key=key,
            listener=self.ledger,
        )
        self.receiver = LinkReceiver(bitrate_bps=bitrate_bps, listener=self.ledger, keyring=Keyring(key))
        self.symbols = 0
        self.still: bytes | None = None
        self.heard: Entry | None = None

    @property
    def outages(self) -> int:
        """How often a port has disappeared by itself."""
        ports = () if self._ends is None else self._ends.ports
        return self._outages + sum(port.outages for port in ports if isinstance(port, ReconnectingPort))

    def work(self, until_ns: int, feed: Feed | None, done: Callable[[], bool] = lambda: False) -> bool:
        """Send and receive until a time, or until it is done; return whether it is.

        Args:
            until_ns: Monotonic time.
            feed: Asked whenever a packet may start; None for no packets but IDENT.
            done: Asked between turns.

        Raises:
            PortGone: A port that does not reconnect by itself has disappeared.
        """
        while not done():
            now_ns = self._clock.now_ns()
            if now_ns >= until_ns:
                return False
            due_ns = self._turn(feed, now_ns)
            wait_ns = min(due_ns, until_ns) - self._clock.now_ns()
            self._clock.sleep(min(max(wait_ns, _SHORTEST_TURN_NS), _LONGEST_TURN_NS) / 1e9)
        return True

    def discard_input(self) -> None:
        """Throw away what is left over from before."""
        for port in () if self._ends is None else self._ends.ports:
            port.discard_input()

    def close(self) -> None:
        """Close the ports."""
        self._outages = self.outages
        if self._ends is not None:
            self._ends.close()
        self._ends = None

    def open_again(self) -> None:
        """Open the ports at the next turn, and try again for as long as that fails."""
        self._reopen_at_ns = self._clock.now_ns()

    def _turn(self, feed: Feed | None, now_ns: int) -> int:
        """Do all that is due; return when something will be due again."""
        if self._reopen_at_ns is not None and now_ns >= self._reopen_at_ns:
            self._try_to_open(now_ns)
        if self._ends is None:
            return now_ns + _LONGEST_TURN_NS
        self._write(self._ends.near)
        if feed is not None and self.sender.ready(now_ns) and (news := feed()) is not None:
            self.sender.submit(news.kind, news.payload, self.sender.stamp_ns(now_ns), news.length_class)
            self._write(self._ends.near)
        self._read(self._ends)
        return self.sender.next_due_ns(now_ns)

    def _try_to_open(self, now_ns: int) -> None:
        try:
            self._ends = self._reopen()
        except PortError:
            self._reopen_at_ns = now_ns + _RETRY_NS
        else:
            self._reopen_at_ns = None
            self.discard_input()

    def _write(self, near: Port) -> None:
        while chunk := self.sender.due(self._clock.now_ns()):
            accepted = near.write(chunk)
            self.ledger.written(chunk[:accepted], self._clock.now_ns())
            if accepted < len(chunk):
                self.sender.put_back(chunk[accepted:])
                return

    def _read(self, ends: Ends) -> None:
        if ends.near is not ends.far:
            ends.near.read(_READ_OCTETS)  # nobody listens there, and its buffer must not fill
        for _ in range(_READS):
            octets = ends.far.read(_READ_OCTETS)
            if not octets:
                return
            now_ns = self._clock.now_ns()
            for received in self.receiver.receive_from(ends.far, octets, now_ns):
                if (entry := self.ledger.deliver(received)) is not None:
                    self.heard = entry
                    self._take_symbol(received, now_ns)

    def _take_symbol(self, received: ReceivedPacket, now_ns: int) -> None:
        if received.packet.kind is not PacketKind.STILL:
            return
        self.symbols += 1
        with suppress(PacketError):
            partial = self._assembler.take(received.context, Fragment.from_payload(received.packet.payload), now_ns)
            if partial is not None and partial.complete:
                self.still = partial.data
