"""Addresses and options in the URLs of ports: ``scheme://address?name=value&name=value``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar
from urllib.parse import urlsplit

from pantel_link.errors import PortNameError

__all__ = ["PortUrl"]

Default = TypeVar("Default", bound=int | None)


@dataclass(frozen=True, slots=True)
class PortUrl:
    """A URL, taken apart.

    Attributes:
        url: The whole, for messages.
        address: What stands before the question mark.
        options: What stands behind it.
    """

    url: str
    address: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, url: str, known: Collection[str], *, foreign: bool = False) -> Self:
        """Take a URL apart.

        Args:
            url: The URL.
            known: Names of the options that it may have.
            foreign: Whether other options are somebody else's, and remain part of the address.

        Raises:
            PortNameError: It has another option, or one twice.
        """
        address, _, query = url.partition("?")
        options: dict[str, str] = {}
        others = []
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            if name in options:
                raise PortNameError(f"cannot open port {url}: option {name} is given twice")
            if name in known:
                options[name] = value
            elif foreign:
                others.append(part)
            else:
                raise PortNameError(f"cannot open port {url}: unknown option {name!r}; known are {', '.join(known)}")
        return cls(url, f"{address}?{'&'.join(others)}" if others else address, options)

    def number(self, name: str, values: range, default: Default) -> int | Default:
        """Return the number that an option has.

        Args:
            name: Name of the option.
            values: What is allowed.
            default: What to return if the option is not given.

        Raises:
            PortNameError: It is no number, or not allowed.
        """
        text = self.options.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in values):
            raise self.error(f"option {name} is {text!r} and must be a number of {values[0]} to {values[-1]}")
        return int(text)

    def flag(self, name: str, value: str) -> bool:
        """Return whether an option is given; it has only one value.

        Raises:
            PortNameError: It has another.
        """
        text = self.options.get(name, value)
        if text != value:
            raise self.error(f"option {name} is {text!r} and can only be {value}")
        return name in self.options

    def host_and_port(self) -> tuple[str, int]:
        """Return the host and the port number of a network address.

        Raises:
            PortNameError: One of them is missing or impossible, or something follows them.
        """
        try:
            parts = urlsplit(self.address)
            host, number = parts.hostname, parts.port
        except ValueError:
            host, number = None, None
        if not host or not number or parts.path not in {"", "/"} or parts.username is not None:
            scheme = self.url.partition(":")[0]
            raise self.error(f"name a host and a port number, as in {scheme}://localhost:8001")
        return host, number

    def error(self, reason: str) -> PortNameError:
        """Return an error that says why this URL can never be opened."""
        return PortNameError(f"cannot open port {self.url}: {reason}")
