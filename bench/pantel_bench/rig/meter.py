"""The link meter: counts every octet that is written to a port, with its time."""

from __future__ import annotations

from bisect import bisect_right

from pantel_link import Clock, Port
from pantel_link.ports import PacketPort

__all__ = ["WINDOW_S", "LinkMeter", "MeteredPort"]

WINDOW_S = 10


class LinkMeter:
    """Octets over time.

    Attributes:
        times_ns: When octets were written, rising.
        totals: Octets written until then, those included.
    """

    def __init__(self) -> None:
        self.times_ns: list[int] = []
        self.totals: list[int] = []

    def note(self, now_ns: int, octets: int) -> None:
        """Count octets written at a time, which must not be less than the last."""
        self.times_ns.append(now_ns)
        self.totals.append(self.octets + octets)

    @property
    def octets(self) -> int:
        """All octets written."""
        return self.totals[-1] if self.totals else 0

    def octets_until(self, time_ns: int) -> int:
        """Return the octets written until a time, that instant included."""
        count = bisect_right(self.times_ns, time_ns)
        return self.totals[count - 1] if count else 0

    def bps_until(self, time_ns: int) -> float:
        """Return the rate over the 10 s that end at a time, both ends included; before the first write was silence."""
        before = self.octets_until(time_ns - WINDOW_S * 1_000_000_000 - 1)
        return 8 * (self.octets_until(time_ns) - before) / WINDOW_S

    def max_bps(self) -> float:
        """Return the highest rate over any 10 s [bit/s]: it is reached where a window ends with a write."""
        return max(map(self.bps_until, self.times_ns), default=0.0)


class MeteredPort(Port):
    """A port that a meter listens to.

    Args:
        port: The port to use; closed with this one.
        clock: Dates the writes.
        meter: Counts what the port accepts, packets with all that is around them on the wire.
    """

    def __init__(self, port: Port, clock: Clock, meter: LinkMeter) -> None:
        self.name = port.name
        self.on_air = port.on_air
        self._port = port
        self._clock = clock
        self._meter = meter

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived; see `Port.read`."""
        return self._port.read(max_octets)

    def write(self, octets: bytes) -> int:
        """Hand octets over and count those accepted; see `Port.write`."""
        accepted = self._port.write(octets)
        if accepted:
            port = self._port
            self._meter.note(
                self._clock.now_ns(), port.wire_octets(octets) if isinstance(port, PacketPort) else accepted
            )
        return accepted

    def _release(self) -> None:
        self._port.close()
