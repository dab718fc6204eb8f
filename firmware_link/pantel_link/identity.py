"""The IDENT payload: who sends, and everything a receiver needs before the first picture."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.context import PROTOCOL_VERSION, StreamContext, description_octets
from pantel_link.errors import IdentityError

__all__ = ["ROLLOVER_BITS", "Identity"]

ROLLOVER_BITS = 16
_ROLLOVER_OCTETS = {1: 0, 2: ROLLOVER_BITS // 8}
_UTC_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """What an IDENT packet says.

    Attributes:
        context: The stream that its sender's other packets belong to.
        rollover: How often the sequence number has begun anew, 16 bit; 0 in version 1, which does not tell.
        utc_s: UTC at the packet's time stamp, in seconds since 1970 modulo 2^32, or None when unknown.
    """

    context: StreamContext
    rollover: int = 0
    utc_s: int | None = None

    def to_payload(self) -> bytes:
        """Return the 21 octets: description, rollover (not in version 1), and UTC (0 means unknown)."""
        rollover = self.rollover.to_bytes(_ROLLOVER_OCTETS[self.context.version], "big")
        return self.context.description() + rollover + ((self.utc_s or 0) & 0xFFFFFFFF).to_bytes(_UTC_OCTETS, "big")

    @classmethod
    def from_payload(cls, sender: int, payload: bytes, *, version: int = PROTOCOL_VERSION) -> Identity:
        """Read an IDENT payload; octets after the first 21 are padding.

        Args:
            sender: Sender number of the packet's header.
            payload: At least 21 octets.
            version: Of the packet's header.

        Raises:
            IdentityError: The payload is too short or describes no possible stream.
        """
        described = description_octets(version)
        utc_at = described + _ROLLOVER_OCTETS[version]
        if len(payload) < utc_at + _UTC_OCTETS:
            raise IdentityError(f"IDENT payload of {len(payload)} octets is shorter than {utc_at + _UTC_OCTETS}")
        context = StreamContext.from_description(sender, payload[:described], version=version)
        rollover = int.from_bytes(payload[described:utc_at], "big")
        utc_s = int.from_bytes(payload[utc_at : utc_at + _UTC_OCTETS], "big")
        return cls(context, rollover, utc_s or None)
