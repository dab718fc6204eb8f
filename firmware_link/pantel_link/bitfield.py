"""Bit fields of the wire formats, declared once as a table and packed most significant bit first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["BitField", "pack_fields", "packed_octets", "unpack_fields"]


@dataclass(frozen=True, slots=True)
class BitField:
    """One unsigned field of a layout.

    Attributes:
        name: Name of the value that it carries.
        bits: Width [bit].
    """

    name: str
    bits: int


def packed_octets(layout: Sequence[BitField]) -> int:
    """Return the size of a layout in octets; every layout here fills whole octets."""
    return sum(field.bits for field in layout) // 8


def pack_fields(layout: Sequence[BitField], values: Mapping[str, int]) -> bytes:
    """Pack values in the order of the layout, big-endian.

    Raises:
        ValueError: A value does not fit its field.
    """
    packed = 0
    for field in layout:
        value = values[field.name]
        if not 0 <= value < 1 << field.bits:
            raise ValueError(f"{field.name} is {value} and must lie in 0..{(1 << field.bits) - 1}")
        packed = packed << field.bits | value
    return packed.to_bytes(packed_octets(layout), "big")


def unpack_fields(layout: Sequence[BitField], octets: bytes) -> dict[str, int]:
    """Return the values of a layout; ``octets`` must have exactly its size."""
    if len(octets) != packed_octets(layout):
        raise ValueError(f"{packed_octets(layout)} octets expected, got {len(octets)}")
    packed = int.from_bytes(octets, "big")
    values = {}
    for field in reversed(layout):
        values[field.name] = packed & (1 << field.bits) - 1
        packed >>= field.bits
    return values
