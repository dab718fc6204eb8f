"""Serial radios that must be told when to transmit, and when to listen first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Protocol

from pantel_link.clock import Clock
from pantel_link.errors import PortGone
from pantel_link.ports.base import Port

__all__ = ["DEFAULT_TAIL_MS", "DEFAULT_TXDELAY_MS", "PushToTalk", "PushToTalkPort", "TransmitSwitch"]

DEFAULT_TXDELAY_MS = 300
DEFAULT_TAIL_MS = 200

_BITS_PER_OCTET = 10  # 8N1
_HELD_OCTETS = 4096
_HEARD_OCTETS = 4096
_SLOTS = 8


class TransmitSwitch(Protocol):
    """What keys a radio; `SerialPort` is one."""

    def key(self, *, on: bool) -> None:
        """Switch the transmitter."""
        ...

    def unsent_octets(self) -> int:
        """Return how many octets the driver still holds."""
        ...


@dataclass(frozen=True, slots=True)
class PushToTalk:
    """How a channel is taken and left.

    Attributes:
        txdelay_ms: From keying until the first octet, while the transmitter comes up.
        tail_ms: From the last octet until the transmitter is switched off. It must be longer than the gaps that
            pacing leaves inside a packet, or the packet is cut in two.
        lbt_ms: How long nothing must have been heard before a transmission may begin; 0 does not listen.
    """

    txdelay_ms: int = DEFAULT_TXDELAY_MS
    tail_ms: int = DEFAULT_TAIL_MS
    lbt_ms: int = 0


class PushToTalkPort(Port):
    """Wraps a serial port: waits for silence, keys, holds octets until the transmitter is up, and unkeys.

    It has no thread, so time passes only in calls: whoever sends calls `read` or `write` at least every few
    milliseconds, until it is not `transmitting`. Closing unkeys at once and loses what is held.

    Two stations that waited for the same silence must not begin together: each adds a random number of slots,
    0 to 7, drawn anew whenever the channel was taken. A slot is as long as TXDELAY, since no octet tells that
    another station is coming up, and at least an eighth of the silence.

    Args:
        port: The serial port; this port closes it.
        switch: Keys the radio; None for one that keys itself and is only listened to.
        settings: How the channel is taken and left.
        baud_rate: Line rate, to know when octets have left [Bd].
        clock: Monotonic clock.
        random: Draws the slots; from the system's entropy by default.
    """

    def __init__(
        self,
        port: Port,
        switch: TransmitSwitch | None,
        settings: PushToTalk,
        *,
        baud_rate: int,
        clock: Clock,
        random: Random | None = None,
    ) -> None:
        self.name = port.name
        self.on_air = port.on_air
        self._port = port
        self._switch = switch
        self._clock = clock
        self._random = random or SystemRandom()
        self._octet_ns = -(-_BITS_PER_OCTET * 1_000_000_000 // baud_rate)
        self._txdelay_ns = settings.txdelay_ms * 1_000_000
        self._tail_ns = settings.tail_ms * 1_000_000
        self._silence_ns = settings.lbt_ms * 1_000_000
        self._slot_ns = max(self._txdelay_ns, self._silence_ns // _SLOTS)
        self._held = bytearray()
        self._heard: deque[int] = deque(maxlen=_HEARD_OCTETS)
        self._transmitting = False
        self._up_ns = 0  # the transmitter is up from then on
        self._left_ns = 0  # the last octet has left by then
        self._free_ns = 0  # a transmission may begin from then on, if nothing is heard until then
        self._hear(clock.now_ns())

    @property
    def transmitting(self) -> bool:
        """Whether the transmitter is keyed, or octets are leaving, as of the last call."""
        return self._transmitting

    @property
    def drained(self) -> bool:
        """Whether the transmitter is off again; see `Port.drained`."""
        return not self._transmitting

    def read(self, max_octets: int) -> bytes:
        """Return what has been heard; see `Port.read`."""
        self._work()
        count = min(max_octets, len(self._heard))
        return bytes(self._heard.popleft() for _ in range(count))

    def write(self, octets: bytes) -> int:
        """Begin to transmit or go on; 0 while others are heard, or too much is held. See `Port.write`."""
        now_ns = self._work()
        if not self._transmitting:
            if not octets or now_ns < self._free_ns:
                return 0
            self._begin(now_ns)
        accepted = octets[: _HELD_OCTETS - len(self._held)]
        self._held += accepted
        self._pass_on(now_ns)
        return len(accepted)

    def _work(self) -> int:
        """Do what is due, and return the time."""
        self._check_open()
        now_ns = self._clock.now_ns()
        if heard := self._port.read(_HEARD_OCTETS):
            self._heard.extend(heard)
            if not self._transmitting:  # or it is our own echo
                self._hear(now_ns)
        if self._transmitting:
            self._pass_on(now_ns)
            self._end_if_over(now_ns)
        return now_ns

    def _hear(self, now_ns: int) -> None:
        """Note that the channel was taken until now."""
        if self._silence_ns:
            self._free_ns = now_ns + self._silence_ns + self._random.randrange(_SLOTS) * self._slot_ns

    def _begin(self, now_ns: int) -> None:
        if self._switch is not None:
            self._switch.key(on=True)
            self._up_ns = now_ns + self._txdelay_ns
        self._transmitting = True
        self._left_ns = max(now_ns, self._up_ns)

    def _pass_on(self, now_ns: int) -> None:
        if not self._held or now_ns < self._up_ns:
            return
        accepted = self._port.write(bytes(self._held))
        del self._held[:accepted]
        self._left_ns = max(self._left_ns, now_ns) + accepted * self._octet_ns

    def _end_if_over(self, now_ns: int) -> None:
        if self._switch is not None and (unsent := self._switch.unsent_octets()):
            self._left_ns = max(self._left_ns, now_ns + unsent * self._octet_ns)
        if self._held or now_ns < self._left_ns + self._tail_ns:
            return
        if self._switch is not None:
            self._switch.key(on=False)
        self._transmitting = False
        self._hear(now_ns)  # give the others their turn

    def _release(self) -> None:
        try:
            if self._transmitting and self._switch is not None:
                self._switch.key(on=False)
        except PortGone:
            pass  # an unplugged adapter keys nothing
        finally:
            self._port.close()
