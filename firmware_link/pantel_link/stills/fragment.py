"""The payload of a still packet: one symbol of a block, and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.errors import PacketError

__all__ = ["BLOCKS", "FRAGMENT_OCTETS", "Fragment", "FragmentError"]

_FIELDS = (BitField("block", 9), BitField("symbols_minus_1", 7), BitField("index", 8))
FRAGMENT_OCTETS = packed_octets(_FIELDS)
BLOCKS = 1 << _FIELDS[0].bits


class FragmentError(PacketError):
    """A still packet that is too short to hold anything."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One symbol of a block.

    Attributes:
        block: Number of the block, modulo 512.
        content_symbols: How many symbols the content has: K, 1 to 128.
        index: Number of the symbol; from K on they repair.
        symbol: The symbol.
    """

    block: int
    content_symbols: int
    index: int
    symbol: bytes

    def to_payload(self) -> bytes:
        """Return the payload."""
        values = {"block": self.block, "symbols_minus_1": self.content_symbols - 1, "index": self.index}
        return pack_fields(_FIELDS, values) + self.symbol

    @classmethod
    def from_payload(cls, payload: bytes) -> Fragment:
        """Read the payload of a still packet.

        Raises:
            FragmentError: It is too short.
        """
        if len(payload) <= FRAGMENT_OCTETS:
            raise FragmentError(f"still payload of {len(payload)} octets holds no symbol")
        values = unpack_fields(_FIELDS, payload[:FRAGMENT_OCTETS])
        return cls(values["block"], values["symbols_minus_1"] + 1, values["index"], payload[FRAGMENT_OCTETS:])
