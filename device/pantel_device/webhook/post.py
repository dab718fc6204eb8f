"""One alarm, one request."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from enum import Enum, auto
from importlib.metadata import version

from pantel_device.config.urls import Server
from pantel_device.printable import printable

__all__ = ["Answer", "Outcome", "Webhook", "connection_to", "post", "reason_of"]

_TIMEOUT_S = 10.0
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


def _shortened(text: str) -> str:
    shown = printable(text[:_MOST_SAID])
    return shown if len(text) <= _MOST_SAID and len(shown) <= _MOST_SAID else f"{shown[:_MOST_SAID]}..."


def connection_to(webhook: Webhook, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection, not yet opened, whose every step may take some time [s]."""
    server = webhook.server
    if webhook.tls is None:
        return http.client.HTTPConnection(server.host, server.port, timeout=timeout_s)
    return http.client.HTTPSConnection(server.host, server.port, timeout=timeout_s, context=webhook.tls)
