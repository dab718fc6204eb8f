"""One alarm, one request."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from importlib.metadata import version

from pantel_device.config.urls import Server
from pantel_device.printable import printable

__all__ = ["Answer", "Outcome", "Webhook", "connection_to", "post", "reason_of"]

_TIMEOUT_S = 10.0  # of every step
_DEADLINE_S = 30.0  # of all steps together: a server that says a little now and then would never be done
_MOST_READ_BYTES = 4096
_MOST_SAID = 100  # characters of an answer in the log; a server may send 65,536
# The server does not want this alarm, whenever it comes: who sends it again for ever keeps all others waiting. Of
# other errors, a wrong token or address among them, an alarm is not to blame.
_OF_THE_ALARM = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alarms are posted.

    Attributes:
        server: Where, and under which path.
        token: That goes along; empty for none.
        tls: How to speak TLS; None for plain text.
    """

    server: Server
    token: str = ""
    tls: ssl.SSLContext | None = None


class Outcome(Enum):
    """What became of an alarm."""

    DELIVERED = auto()
    REFUSED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered.

    Attributes:
        outcome: What that means.
        reason: What it said, for people; printable, and of bounded length.
    """

    outcome: Outcome
    reason: str


def post(webhook: Webhook, body: bytes, alarm_id: str) -> Answer:
    """Post an alarm; nothing that a server answers leads anywhere else.

    Args:
        webhook: Where to.
        body: JSON.
        alarm_id: By which the server knows an alarm that comes twice.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"pantel/{version('pantel')}",
        "Idempotency-Key": alarm_id,
    }
    if webhook.token:
        headers["Authorization"] = f"Bearer {webhook.token}"
    connection = connection_to(webhook, _TIMEOUT_S)
    try:
        # Not by the connection itself, which shows its socket only once TLS has come about.
        connection.sock = socket.create_connection((webhook.server.host, webhook.server.port), _TIMEOUT_S)
        with _deadline(connection.sock, _DEADLINE_S):
            if webhook.tls is not None:
                connection.sock = webhook.tls.wrap_socket(connection.sock, server_hostname=webhook.server.host)
            connection.request("POST", webhook.server.path, body, headers)
            response = connection.getresponse()
            response.read(_MOST_READ_BYTES)
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last of names that DNS cannot have
        return Answer(Outcome.FAILED, reason_of(error))
    finally:
        connection.close()
    said = _shortened(f"{response.status} {response.reason}".strip())
    if response.status // 100 == 2:
        return Answer(Outcome.DELIVERED, said)
    if response.status in _OF_THE_ALARM:
        return Answer(Outcome.REFUSED, said)
    if response.status // 100 == 3:
        said += ", which is not followed; let webhook name the address itself"
    return Answer(Outcome.FAILED, f"it answers {said}")


def reason_of(error: OSError | http.client.HTTPException | UnicodeError) -> str:
    """Return why a server cannot be asked, in a few words."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not believed: {_shortened(error.verify_message)}; see webhook_ca_file"
        case TimeoutError():
            return "no answer in time"
        case _:
            return _shortened(getattr(error, "strerror", None) or str(error) or type(error).__name__)


@contextmanager
def _deadline(sock: socket.socket, patience_s: float) -> Iterator[None]:
    """End a connection that takes too long.

    Args:
        sock: Of the connection.
        patience_s: Longest time [s].

    Raises:
        TimeoutError: It took longer.
    """
    late = threading.Event()
    same = sock.dup()  # TLS takes the original away

    def end() -> None:
        late.set()
        with suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(patience_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        timer.join()
        same.close()
    if late.is_set():
        raise TimeoutError


def _shortened(text: str) -> str:
    shown = printable(text[:_MOST_SAID])
    return shown if len(text) <= _MOST_SAID and len(shown) <= _MOST_SAID else f"{shown[:_MOST_SAID]}..."


def connection_to(webhook: Webhook, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection, not yet opened, whose every step may take some time [s]."""
    server = webhook.server
    if webhook.tls is None:
        return http.client.HTTPConnection(server.host, server.port, timeout=timeout_s)
    return http.client.HTTPSConnection(server.host, server.port, timeout=timeout_s, context=webhook.tls)
