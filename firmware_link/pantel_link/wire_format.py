"""The six formats on the wire: three presets of protection times two lengths, each with its marker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pantel_link.packet import HEADER_OCTETS
from pantel_link.seal import TRAILER_OCTETS

__all__ = [
    "MARKER_OCTETS",
    "MARKER_TOLERANCE_BITS",
    "MAX_WIRE_OCTETS",
    "WIRE_FORMATS",
    "LengthClass",
    "Preset",
    "WireFormat",
    "wire_format",
]

MARKER_OCTETS = 3
MARKER_TOLERANCE_BITS = 3


class Preset(StrEnum):
    """How strongly codewords are protected against bit errors."""

    LIGHT = "light"
    STANDARD = "standard"
    HEAVY = "heavy"


class LengthClass(StrEnum):
    """How long codewords are: short for live pictures, long for the throughput of stills."""

    LIVE = "live"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One way of putting a packet on the wire.

    Attributes:
        preset: Strength of the protection.
        length_class: Live or still.
        marker: Attached sync marker, 24 bit, that announces the format.
        codeword_octets: Octets after the marker.
        parity_octets: Reed-Solomon parity within them; half as many octet errors are corrected.
    """

    preset: Preset
    length_class: LengthClass
    marker: int
    codeword_octets: int
    parity_octets: int

    @property
    def wire_octets(self) -> int:
        """Octets that one packet occupies on the wire."""
        return MARKER_OCTETS + self.codeword_octets

    @property
    def packet_octets(self) -> int:
        """Octets of header, payload and trailer."""
        return self.codeword_octets - self.parity_octets

    @property
    def correctable_octets(self) -> int:
        """Wrong octets in one codeword that the parity corrects."""
        return self.parity_octets // 2

    @property
    def payload_octets(self) -> int:
        """Octets left for the payload."""
        return self.packet_octets - HEADER_OCTETS - TRAILER_OCTETS


# The markers come from a search: any two differ in at least 12 of 24 bits, so that 3 wrong bits never turn
# one into another; each has 12 ones and no run above 4; shifted by an octet they differ from one another in
# at least 7 of 16 bits, and from idle lines (all zeros, all ones, alternating) in at least 8 of 24.
# docs/decisions/0005-framing.md says how the parities were chosen.
WIRE_FORMATS = (
    WireFormat(Preset.LIGHT, LengthClass.LIVE, 0x22795E, codeword_octets=45, parity_octets=2),
    WireFormat(Preset.STANDARD, LengthClass.LIVE, 0xC8D267, codeword_octets=45, parity_octets=4),
    WireFormat(Preset.HEAVY, LengthClass.LIVE, 0x34C6AB, codeword_octets=45, parity_octets=16),
    WireFormat(Preset.LIGHT, LengthClass.STILL, 0xEE18B8, codeword_octets=128, parity_octets=4),
    WireFormat(Preset.STANDARD, LengthClass.STILL, 0x952D4B, codeword_octets=128, parity_octets=8),
    WireFormat(Preset.HEAVY, LengthClass.STILL, 0x1758E5, codeword_octets=128, parity_octets=34),
)
MAX_WIRE_OCTETS = max(each.wire_octets for each in WIRE_FORMATS)

_BY_NAME = {(each.preset, each.length_class): each for each in WIRE_FORMATS}


def wire_format(preset: Preset, length_class: LengthClass) -> WireFormat:
    """Return the format of a preset and a length class."""
    return _BY_NAME[preset, length_class]
