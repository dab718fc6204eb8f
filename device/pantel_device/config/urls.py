"""How brokers, topics and webhooks may be written.

Each check takes what a file or an option says, and raises `ValueError` with a line that says how it is written.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

__all__ = ["Server", "check_broker", "check_level", "check_topic", "check_webhook", "split_broker", "split_webhook"]

_BROKER_ADVICE = "write the broker's address, such as mqtt://192.168.1.10:1883 or mqtts://broker.example.org"
_WEBHOOK_ADVICE = "write the address that takes alarms, such as https://example.org/alarms"
_TOPIC_ADVICE = "write levels of a topic joined by /, without +, # and a $ at the beginning"
_LONGEST_TOPIC = 200
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is found.

    Attributes:
        host: Name or address.
        port: Its port.
        tls: Whether to speak TLS with it.
        path: Of a webhook, with its query; empty for a broker.
    """

    host: str
    port: int
    tls: bool
    path: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, so that nobody can listen on the way."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def split_broker(text: str) -> Server:
    """Return where a broker such as mqtt://host:1883 is found.

    Raises:
        ValueError: It is none.
    """
    url, server = _split(text, {"mqtt": 1883, "mqtts": 8883}, _BROKER_ADVICE)
    if url.path not in {"", "/"} or url.query:
        raise ValueError(_BROKER_ADVICE)
    return server


def split_webhook(text: str) -> Server:
    """Return where a webhook such as https://host/path is found.

    Raises:
        ValueError: It is none.
    """
    url, server = _split(text, {"http": 80, "https": 443}, _WEBHOOK_ADVICE)
    path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
    return Server(server.host, server.port, server.tls, path)


def check_broker(text: str) -> str:
    """Return a broker as it is, if it is one or empty."""
    if text:
        split_broker(text)
    return text


def check_webhook(text: str) -> str:
    """Return a webhook as it is, if it is one or empty."""
    if text:
        split_webhook(text)
    return text


def check_topic(text: str) -> str:
    """Return levels of a topic as they are, if they are some or empty."""
    levels = text.split("/")
    if text and (not all(levels) or text.startswith("$") or set(text) & set("+#") or not text.isprintable()):
        raise ValueError(_TOPIC_ADVICE)
    if len(text) > _LONGEST_TOPIC:
        raise ValueError(f"{_TOPIC_ADVICE}, of at most {_LONGEST_TOPIC} characters")
    return text


def check_level(text: str) -> str:
    """Return a level of a topic as it is, if it is one or empty."""
    if "/" in text:
        raise ValueError("write one level of a topic, without /")
    return check_topic(text)


def _split(text: str, schemes: dict[str, int], advice: str) -> tuple[SplitResult, Server]:
    """Return the parts of a URL, and whose it is.

    Args:
        text: The URL.
        schemes: The schemes that it may have, with their ports; that which ends in s is TLS.
        advice: What to write instead.

    Raises:
        ValueError: It is no such URL.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(advice)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise ValueError(advice) from error
    if url.username is not None or url.password is not None:
        raise ValueError("leave user and password out of the address: they have keys of their own")
    host = url.hostname or ""
    if url.scheme not in schemes or not _HOST.fullmatch(host) or url.fragment or port == 0:
        raise ValueError(advice)
    return url, Server(host, schemes[url.scheme] if port is None else port, url.scheme.endswith("s"))
