"""A page on a free port, fed by hand, and what it takes to talk to it over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pantel_device.config import ReceiverConfig
from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.web.access.doorkeeper import Limits
from pantel_device.web.hub import Hub
from pantel_device.web.page import open_page
from pantel_link import MonotonicClock
from pantel_link.statistics import ReceiverStatistics
from pantel_models import View

__all__ = ["MAST", "TOKEN", "Answer", "Site", "make_event", "make_picture", "make_reading", "serving"]

MAST = SenderName("K1ABC", 0)
TOKEN = "a-token-of-tests-1234"  # noqa: S105
_PATIENCE_S = 10.0


def make_picture(
    time_ns: int = 10_000_000_000,
    *,
    sender: SenderName = MAST,
    view: View = View.PERCEPTUAL,
    grey: int = 100,
    **options: Any,
) -> Picture:
    """Return a picture of 32x16 pixels, all of one grey."""
    return Picture(
        time_ns=time_ns,
        shown_ns=time_ns - 1_500_000_000,
        capture_time_ns=time_ns - 2_000_000_000,
        pixels=np.full((16, 32, 3), grey, np.uint8),
        sender=sender,
        cell_age_s=np.array([[0.0, np.inf]], np.float32),
        view=view,
        **options,
    )


def make_event(kind: str, time_ns: int = 0, **fields: Any) -> Event:
    """Return an event about the mast."""
    return Event(time_ns, kind, {"callsign": MAST.callsign, "sender": MAST.number, **fields})


def make_reading(time_ns: int, *, port_up: bool = True, damaged: int = 0, **counters: int) -> LinkReading:
    """Return a reading at a time when the mast was just heard."""
    contact = Contact(MAST, time_ns, time_ns - 1_000_000_000)
    line = LineReading("/dev/ttyUSB0", 960, port_up, damaged, ReceiverStatistics(**counters))
    return LinkReading(time_ns, (contact,), MAST, (line,))


@dataclass
class Answer:
    """What a request was answered with."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """A page that is being served."""

    hub: Hub
    host: str
    port: int
    folder: Path
    stop: Callable[[], None]
    clock: MonotonicClock = field(default_factory=MonotonicClock)

    @property
    def netloc(self) -> str:
        return f"{self.host}:{self.port}"

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Answer:
        """Send a request on a connection of its own; underscores in names of headers stand for hyphens."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_PATIENCE_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def log_in(self, token: str = TOKEN, **headers: str) -> Answer:
        """Send the form."""
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return self.ask("POST", "/login", f"token={token}".encode(), **headers)

    def cookie(self) -> str:
        """Log in and return the cookie to send."""
        return self.log_in().headers["set-cookie"].partition(";")[0]

    def raw(self, octets: bytes, *, wait_s: float = _PATIENCE_S, source: str = "127.0.0.1") -> bytes:
        """Send octets and return all that comes until the other end closes, or the time is over."""
        with socket.create_connection((self.host, self.port), wait_s, (source, 0)) as connection:
            try:
                connection.sendall(octets)
                return _all_of(connection)
            except (ConnectionError, TimeoutError):
                return b""

    def feed(self, *pictures: Picture) -> None:
        """Let the receiver draw pictures, as far as somebody watches."""
        for picture in pictures:
            if picture.view in self.hub.views(picture.sender, heard_last=picture.sender == MAST, silence_s=1.0):
                self.hub.on_picture(picture)


@contextmanager
def serving(
    folder: Path,
    *,
    token: str | None = None,
    web: str = "127.0.0.1:0",
    limits: Limits | None = None,
    **options: Any,
) -> Iterator[Site]:
    """Serve a page.

    Args:
        folder: For files.
        token: That opens it.
        web: Where.
        limits: What a connection may take.
        options: Further keys of the configuration.
    """
    if token is not None:
        path = folder / "token"
        path.write_text(f"{token}\n")
        path.chmod(0o600)
        options["web_token_file"] = str(path)
    config = ReceiverConfig.model_validate({"web": web, "state_dir": folder / "state", **options})
    with ExitStack() as stack:
        page = open_page(config, clock=MonotonicClock(), stack=stack, limits=limits)
        assert page is not None
        host = "127.0.0.1" if web.startswith("0.") else page.host
        yield Site(page.hub, host, page.port, folder, stack.close)


def _all_of(connection: socket.socket) -> bytes:
    octets = b""
    while chunk := connection.recv(65536):
        octets += chunk
    return octets
