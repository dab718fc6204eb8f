"""The IDENT payload: who sends, and everything a receiver needs before the first picture."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.context import DESCRIPTION_OCTETS, StreamContext
from pantel_link.errors import IdentityError

__all__ = ["IDENTITY_OCTETS", "Identity"]

_UTC_OCTETS = 4
IDENTITY_OCTETS = DESCRIPTION_OCTETS + _UTC_OCTETS


@dataclass(frozen=True, slots=True)
class Identity:
    """What an IDENT packet says.

    Attributes:
        context: The stream that its sender's other packets belong to.
        utc_s: UTC at the packet's time stamp, in seconds since 1970 modulo 2^32, or None when unknown.
    """

    context: StreamContext
    utc_s: int | None = None

    def to_payload(self) -> bytes:
        """Return the 21 octets: description, then UTC (0 means unknown)."""
        return self.context.description() + ((self.utc_s or 0) & 0xFFFFFFFF).to_bytes(_UTC_OCTETS, "big")

    @classmethod
    def from_payload(cls, sender: int, payload: bytes) -> Identity:
        """Read an IDENT payload; octets after the first 21 are padding.

        Args:
            sender: Sender number of the packet's header.
            payload: At least 21 octets.

        Raises:
            IdentityError: The payload is too short or describes no possible stream.
        """
        if len(payload) < IDENTITY_OCTETS:
            raise IdentityError(f"IDENT payload of {len(payload)} octets is shorter than {IDENTITY_OCTETS}")
        context = StreamContext.from_description(sender, payload[:DESCRIPTION_OCTETS])
        utc_s = int.from_bytes(payload[DESCRIPTION_OCTETS:IDENTITY_OCTETS], "big")
        return cls(context, utc_s or None)
