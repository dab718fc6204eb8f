"""The null modem in real time, between two pseudo-terminals that any two programs open."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from pantel_link.channel import ChannelSettings
from pantel_link.clock import MonotonicClock
from pantel_link.null_modem import both_directions
from pantel_link.ports.pty import PtyPort

__all__ = ["PtyNullModem"]

_POLL_S = 0.004  # half an octet at 960 bit/s
_READ_OCTETS = 256


class PtyNullModem:
    """A simulated bad line between two devices under /dev/pts.

    A thread carries the octets from when the context is entered until it is left::

        with PtyNullModem(ChannelSettings(bit_error_rate=1e-3)) as modem:
            sender = open_port(str(modem.near_path))
            receiver = open_port(str(modem.far_path))

    Args:
        settings: How bad the line is.
        near_url: ``pty:`` or ``pty:/path/of/a/link`` for one end.
        far_url: The same for the other end.

    Attributes:
        near_path: Device that one program opens.
        far_path: Device that the other opens.
    """

    def __init__(self, settings: ChannelSettings, near_url: str = "pty:", far_url: str = "pty:") -> None:
        self._near_to_far, self._far_to_near = both_directions(settings)
        self._near = PtyPort(near_url)
        try:
            self._far = PtyPort(far_url)
        except BaseException:
            self._near.close()
            raise
        self.near_path = self._near.path
        self.far_path = self._far.path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="pty null modem", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._near.close()
        self._far.close()

    def _carry(self) -> None:
        clock = MonotonicClock()
        ways = ((self._near, self._near_to_far, self._far), (self._far, self._far_to_near, self._near))
        while not self._stop.wait(_POLL_S):
            now_ns = clock.now_ns()
            for source, channel, sink in ways:
                channel.send(source.read(_READ_OCTETS), now_ns)
                # What a sink does not accept is lost: a UART has no other choice either.
                sink.write(channel.receive(now_ns, _READ_OCTETS))
