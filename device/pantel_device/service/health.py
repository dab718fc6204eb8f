"""How the daemons are: whether they get on, and the line that ``systemctl status`` shows."""

from __future__ import annotations

from collections import deque

from pantel_device.cameras import Camera, Outage
from pantel_device.frame import Observation
from pantel_device.receiving.receiver import Receiver
from pantel_device.sending.sender import Sender
from pantel_device.service.supervisor import Health
from pantel_link import LinkSender
from pantel_link.ports import ReconnectingPort
from pantel_link.sender import ident_interval_ns

__all__ = ["ReceiverHealth", "SenderHealth"]

_NS_PER_S = 1_000_000_000
_RATE_NS = 10 * _NS_PER_S
_LOSS_NS = 60 * _NS_PER_S

# Longer than drivers take to notice that a camera is dead, and than a camera exposes.
_BLIND_NS = 60 * _NS_PER_S
_BLIND_FRAMES = 5
# A channel that others use, or a modem that holds everything back, may take nothing for minutes; starting again would
# not help, and the receiver would have to be told everything anew.
_SILENT_NS = 600 * _NS_PER_S
_SILENT_IDENTS = 3
_LONGEST_PACKET_OCTETS = 255


class SenderHealth:
    """How a sender is: it gets on while frames come and octets leave.

    A camera that is gone and looked for, and a port that was unplugged, are no standstill: starting again would bring
    back neither. A camera whose driver has not come back for a minute is one, because only the end of the process frees
    it; so is a port that takes nothing for ten minutes, or for three introductions where those are rarer.

    Args:
        sender: The daemon's core.
        camera: Its camera.
        camera_name: As the user named it.
        port: Its port.
        link: Its link.
        duty_cycle: Share of any hour that it may spend on the air.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        camera: Camera,
        camera_name: str,
        port: ReconnectingPort,
        link: LinkSender,
        duty_cycle: float = 1.0,
    ) -> None:
        self._sender = sender
        self._camera = camera
        self._camera_name = camera_name
        self._port = port
        self._link = link
        self._duty_cycle = duty_cycle
        self._presence = _Presence(port.name)
        self._rate = _Window(_RATE_NS)
        self._observation: Observation | None = None
        self._seen_ns: int | None = None
        self._octets = 0
        self._left_ns: int | None = None

    def __call__(self, now_ns: int) -> Health:
        """Return how the sender is.

        Args:
            now_ns: Monotonic time, more than before [ns].
        """
        outage, port_is_there = self._camera.outage, self._presence.seen(now_ns, there=self._port.connected)
        octets = self._link.statistics.wire_octets
        if self._seen_ns is None or outage is not None or self._sender.observation is not self._observation:
            self._observation, self._seen_ns = self._sender.observation, now_ns
        if self._left_ns is None or not port_is_there or octets != self._octets:
            self._octets, self._left_ns = octets, now_ns
        rate_bps = 8 * self._rate.per_second(now_ns, octets)
        seen = self._sender.observation is not None
        return Health(
            ready=seen and port_is_there,
            status=", ".join(
                [
                    self._presence.status("sending to", now_ns),
                    self._camera_status(outage, now_ns, seen=seen),
                    f"{rate_bps:.0f} bit/s",
                    f"{self._link.statistics.packets:,} packets",
                ]
            ),
            stalled=self._blind(outage, now_ns) or self._silent(now_ns),
        )

    def _camera_status(self, outage: Outage | None, now_ns: int, *, seen: bool) -> str:
        if outage is None:
            return f"camera {self._camera_name}" if seen else f"waits for camera {self._camera_name}"
        gone = f"gone for {_duration(now_ns - outage.since_ns)}" if seen else "missing"
        return f"camera {self._camera_name} {gone} ({outage.reason})"

    def _blind(self, outage: Outage | None, now_ns: int) -> str | None:
        """Return why no frame can be hoped for without a new start; None while it can."""
        if outage is not None:
            hanging_ns = 0 if outage.hangs_since_ns is None else now_ns - outage.hangs_since_ns
            if hanging_ns < _BLIND_NS:
                return None
            return f"camera {self._camera_name} hangs in its driver for {hanging_ns // _NS_PER_S} s"
        patience_ns = max(_BLIND_NS, round(_BLIND_FRAMES / self._sender.slowest_fps * _NS_PER_S))
        if self._seen_ns is None or self._camera.finished or now_ns - self._seen_ns < patience_ns:
            return None
        return f"camera {self._camera_name} has given no picture for {(now_ns - self._seen_ns) // _NS_PER_S} s"

    def _silent(self, now_ns: int) -> str | None:
        """Return why nothing can be hoped to leave without a new start; None while it can."""
        if self._left_ns is None or now_ns - self._left_ns < self._longest_silence_ns:
            return None
        return f"port {self._port.name} has taken nothing for {(now_ns - self._left_ns) // _NS_PER_S} s"

    @property
    def _longest_silence_ns(self) -> int:
        """Even who has nothing else to tell introduces itself, and then may have to pause for its duty cycle."""
        rate_bps = max(1, int(self._link.bitrate_bps * self._duty_cycle))
        pause_ns = 8 * _LONGEST_PACKET_OCTETS * _NS_PER_S // rate_bps
        return max(_SILENT_NS, _SILENT_IDENTS * ident_interval_ns(rate_bps) + 2 * pause_ns)


class ReceiverHealth:
    """How a receiver is: it gets on while its loop turns, since each turn reads the ports.

    That nobody is heard is no standstill: there may be nobody. It is ready when one of its ports is there.

    Args:
        receiver: The daemon's core.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._presences = [_Presence(line.name) for line in receiver.lines]
        self._lost, self._good = _Window(_LOSS_NS), _Window(_LOSS_NS)

    def __call__(self, now_ns: int) -> Health:
        """Return how the receiver is.

        Args:
            now_ns: Monotonic time, more than before [ns].
        """
        lines = list(zip(self._presences, self._receiver.lines, strict=True))
        seen = [presence.seen(now_ns, there=line.up) for presence, line in lines]
        ports = [presence.status("receiving from", now_ns) for presence in self._presences]
        return Health(any(seen), ", ".join([*ports, self._heard(now_ns)]))

    def _heard(self, now_ns: int) -> str:
        lost = self._lost.gain(now_ns, sum(line.statistics.packets_lost for line in self._receiver.lines))
        good = self._good.gain(now_ns, sum(line.statistics.packets_good for line in self._receiver.lines))
        newest = max(self._receiver.contacts, key=lambda contact: contact.heard_ns, default=None)
        if newest is None:
            return "nobody heard yet"
        text = f"{newest.sender} heard {_duration(now_ns - newest.heard_ns)} ago"
        return f"{text}, loss {100 * lost / (lost + good):.0f} %" if good else text


class _Presence:
    """Whether a port is there, and how long it has been gone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._since_ns: int | None = None

    def seen(self, now_ns: int, *, there: bool) -> bool:
        """Take note of whether it is there, and return that."""
        if there:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = now_ns
        return self._since_ns is None

    def status(self, doing: str, now_ns: int) -> str:
        """Return what is done with it, or that it is gone, as of the last look."""
        if self._since_ns is None:
            return f"{doing} {self._name}"
        return f"port {self._name} gone for {_duration(now_ns - self._since_ns)}"


class _Window:
    """By how much a counter has grown within a time."""

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._seen: deque[tuple[int, int]] = deque()

    def gain(self, now_ns: int, count: int) -> int:
        """Take a counter and return what it has gained within the window."""
        self._seen.append((now_ns, count))
        while now_ns - self._seen[0][0] > self._length_ns:
            self._seen.popleft()
        return count - self._seen[0][1]

    def per_second(self, now_ns: int, count: int) -> float:
        """Take a counter and return its mean growth within the window [1/s]."""
        gain = self.gain(now_ns, count)
        elapsed_ns = now_ns - self._seen[0][0]
        return gain * _NS_PER_S / elapsed_ns if elapsed_ns else 0.0


def _duration(nanoseconds: int) -> str:
    """Return a time as people say it."""
    seconds = max(0, nanoseconds) / _NS_PER_S
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
