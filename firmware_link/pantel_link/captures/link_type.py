"""What the records of a capture are, by their numbers in the registry of tcpdump.org."""

from __future__ import annotations

import re
from enum import IntEnum

from pantel_link.callsign import DEFAULT_CALLSIGN
from pantel_link.errors import PacketError
from pantel_link.ports.ax25 import Ax25Error, UiFrame
from pantel_link.ports.base import PacketPort, Port
from pantel_link.ports.kiss import KissCommand

__all__ = ["LinkType"]

_KISS_WITH_AX25 = re.compile(r"kiss\+(?!.*[?&]ax25=0+(&|$))")


class LinkType(IntEnum):
    """What a record is.

    What the line carries decides: everything that it changes must be seen. A modem has checked what it hands over, and
    its escapes are gone, so of KISS there is left what libpcap expects: the command octet and the AX.25 frame.
    """

    STREAM = 147
    """LINKTYPE_USER0: marker and codeword, before error correction."""
    PACKET = 148
    """LINKTYPE_USER1: a packet that arrived whole."""
    AX25_KISS = 202
    """A packet that arrived whole, in an AX.25 frame behind the octet of a KISS command."""

    @classmethod
    def of_port(cls, port: Port) -> LinkType:
        """Return what a port carries; of a modem the URL says whether there are AX.25 frames."""
        if not isinstance(port, PacketPort):
            return cls.STREAM
        return cls.AX25_KISS if _KISS_WITH_AX25.match(port.name) else cls.PACKET

    @property
    def whole(self) -> bool:
        """Whether packets arrive whole, without marker and codeword."""
        return self is not LinkType.STREAM

    def to_record(self, octets: bytes, callsign: str = DEFAULT_CALLSIGN) -> bytes:
        """Return the record of a codeword or packet.

        Args:
            octets: Marker and codeword, or the packet.
            callsign: Who sent it. Longer ones than AX.25 knows become N0CALL; the stream has the whole callsign.
        """
        if self is not LinkType.AX25_KISS:
            return octets
        try:
            frame = UiFrame(callsign, octets).to_bytes()
        except Ax25Error:
            frame = UiFrame(DEFAULT_CALLSIGN, octets).to_bytes()
        return bytes([KissCommand.DATA]) + frame

    def from_record(self, record: bytes) -> bytes:
        """Return the codeword or packet of a record.

        Raises:
            PacketError: It is the frame of another program, or a command to the modem.
        """
        if self is not LinkType.AX25_KISS:
            return record
        if not record or record[0] & 0x0F != KissCommand.DATA:
            raise PacketError("the record holds no data")
        return UiFrame.from_bytes(record[1:]).packet
