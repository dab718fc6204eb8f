"""The port of a daemon: opened at its start, and again whenever it has gone."""

from __future__ import annotations

from functools import partial

from pantel_device.command import used_wrongly
from pantel_device.service import ServiceSession
from pantel_link import Clock, Port, PortError, PortNameError, open_port
from pantel_link.ports import ReconnectingPort, reconnecting

__all__ = ["open_line_port"]


def open_line_port(
    url: str, *, baud_rate: int, callsign: str, session: ServiceSession, clock: Clock
) -> ReconnectingPort:
    """Return a port that survives unplugging.

    Args:
        url: Of the port; see `open_port`.
        baud_rate: As there.
        callsign: As there.
        session: Waits for a port that is missing if it is patient.
        clock: Monotonic clock.

    Raises:
        UsageError: There can be no such port; nobody waits for that.
        PortError: It cannot be opened, and nobody is patient.
    """
    open_again = partial(open_port, url, baud_rate=baud_rate, callsign=callsign)

    def open_first() -> Port:
        with used_wrongly(PortNameError):
            return open_again()

    return reconnecting(session.open(f"port {url}", open_first, PortError), open_again, clock)
