"""AX.25 version 2.2: the one kind of frame that we send, and what a modem makes of it on the air.

::

    | destination 7 | source 7 | control 0x03 | protocol 0xF0 | packet |

That is an unnumbered information (UI) frame without digipeaters: no connection, no acknowledgement. It names
the operator in clear, as amateur licences ask, and keeps the packets of other programs out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pantel_link.errors import PacketError

__all__ = ["ADDRESSES_OCTETS", "DESTINATION", "Ax25Error", "UiFrame", "frame_check_sequence", "hdlc_octets"]

DESTINATION = "PANTEL"
ADDRESSES_OCTETS = 14

_ADDRESS_OCTETS = 7
_CALL_CHARACTERS = 6
_CONTROL_AND_PROTOCOL = b"\x03\xf0"  # unnumbered information, poll bit clear; no layer 3
_HEADER_OCTETS = ADDRESSES_OCTETS + len(_CONTROL_AND_PROTOCOL)

_ADDRESS = re.compile(r"([A-Z0-9]{1,6})(?:-(0|[1-9]|1[0-5]))?")
_RESERVED = 0b0110_0000
_COMMAND = 0b1000_0000  # set in the destination only: the frame is a command
_LAST = 0b0000_0001  # no address follows

_POLYNOMIAL = 0x8408  # x^16 + x^12 + x^5 + 1, least significant bit first
_FLAG_BITS = 8


class Ax25Error(PacketError):
    """A frame that is not one of ours, or a callsign that is no AX.25 address."""


@dataclass(frozen=True, slots=True)
class UiFrame:
    """A UI frame to PANTEL-0.

    Attributes:
        source: Who sends: 1 to 6 letters and digits, and perhaps ``-1`` to ``-15``.
        packet: What is carried.
    """

    source: str
    packet: bytes

    def to_bytes(self) -> bytes:
        """Return the frame as a TNC takes it, without flags and check sequence.

        Raises:
            Ax25Error: The source is no AX.25 address.
        """
        addresses = _encode_address(DESTINATION, _COMMAND) + _encode_address(self.source, _LAST)
        return addresses + _CONTROL_AND_PROTOCOL + self.packet

    @classmethod
    def from_bytes(cls, octets: bytes) -> UiFrame:
        """Return the frame that a TNC has heard; whether it says to be a command does not matter.

        Raises:
            Ax25Error: It is no UI frame, has a digipeater, or goes to another destination.
        """
        if len(octets) < _HEADER_OCTETS:
            raise Ax25Error(f"{len(octets)} octets are too few for a UI frame")
        destination, destination_is_last = _decode_address(octets[:_ADDRESS_OCTETS])
        source, source_is_last = _decode_address(octets[_ADDRESS_OCTETS:ADDRESSES_OCTETS])
        if destination_is_last or not source_is_last:
            raise Ax25Error("the frame does not have exactly two addresses")
        if destination != DESTINATION:
            raise Ax25Error(f"the frame goes to {destination}, not to {DESTINATION}")
        if octets[ADDRESSES_OCTETS:_HEADER_OCTETS] != _CONTROL_AND_PROTOCOL:
            raise Ax25Error("the frame is no unnumbered information without layer 3")
        return cls(source, octets[_HEADER_OCTETS:])


def hdlc_octets(frame: bytes) -> int:
    """Return what a frame occupies on the air, begun octets whole.

    Counted are the flags before and behind it, the frame check sequence, and the zeros that are stuffed
    behind each five ones.
    """
    body = frame + frame_check_sequence(frame)
    bits = f"{int.from_bytes(body, 'little'):0{8 * len(body)}b}"[::-1]  # in the order in which they leave
    return -(-(2 * _FLAG_BITS + len(bits) + bits.count("11111")) // 8)  # no two of these overlap


def frame_check_sequence(frame: bytes) -> bytes:
    """Return the CRC-16 of HDLC (ISO 3309), in the order in which its octets leave."""
    register = 0xFFFF
    for octet in frame:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")


def _encode_address(address: str, flags: int) -> bytes:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise Ax25Error(f"{address!r} is no AX.25 address: 1 to 6 of A-Z and 0-9, then perhaps -1 to -15")
    call, station = match.groups(default="0")
    shifted = bytes(ord(character) << 1 for character in call.ljust(_CALL_CHARACTERS))
    return shifted + bytes([_RESERVED | flags | int(station) << 1])


def _decode_address(octets: bytes) -> tuple[str, bool]:
    """Return the address and whether it is the last."""
    *shifted, last = octets
    if any(octet & 1 for octet in shifted):
        raise Ax25Error("an address ends too early")
    call = bytes(octet >> 1 for octet in shifted).decode("ascii").rstrip(" ")
    station = last >> 1 & 15
    address = f"{call}-{station}" if station else call
    if _ADDRESS.fullmatch(address) is None:
        raise Ax25Error(f"{address!r} is no AX.25 address")
    return address, bool(last & _LAST)
