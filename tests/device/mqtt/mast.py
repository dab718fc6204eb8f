"""A mast on a TCP port: receivers that call hear its introduction, and the alarms that the test has it raise."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress

from pantel_device.sending.stream import stream_context
from pantel_link import LinkSender, PacketKind
from pantel_link.messages import Alarm
from pantel_link.region import Region
from pantel_models import find_artefact

__all__ = ["Mast"]

_BITRATE_BPS = 10_000
_SETTLING_S = 0.5  # what has come before a port is open is stale


class Mast:
    """Alarms of one stream, over connections that come and go.

    Args:
        callsign: Of the mast.
    """

    def __init__(self, callsign: str = "DK1AB/P") -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._context = stream_context(find_artefact(), callsign=callsign, epoch=7, size_px=(96, 64))
        self._wanted: list[int] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def alarm(self, number: int) -> None:
        """Raise an alarm."""
        self._wanted.append(number)

    def close(self) -> None:
        self._closing.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._send(connection)

    def _send(self, connection: socket.socket) -> None:
        time.sleep(_SETTLING_S)
        link = LinkSender(self._context, now_ns=time.monotonic_ns(), bitrate_bps=_BITRATE_BPS)
        while not self._closing.is_set() and not _has_hung_up(connection):
            now_ns = time.monotonic_ns()
            if self._wanted and link.ready(now_ns):
                alarm = Alarm(self._wanted.pop(0), True, 1, 0.0, Region(0.1, 0.2, 0.3, 0.4), "gate")
                link.submit(PacketKind.ALARM, alarm.to_payload(24), now_ns)
            while chunk := link.due(now_ns):
                connection.sendall(chunk)
            time.sleep(0.005)


def _has_hung_up(connection: socket.socket) -> bool:
    """Whether the receiver is gone: it says nothing over a line that goes one way."""
    return bool(select.select([connection], [], [], 0)[0])
