"""KISS, the protocol between a computer and a packet radio modem (TNC), by Chepponis and Karn, 1987.

::

    | FEND | port 4, command 4 | octets | FEND |

Inside, the octet FEND travels as FESC TFEND, and FESC as FESC TFESC. There is no checksum: the modem has
checked what it heard, and the line to it is trusted. Whatever else appears on that line (a banner, a modem
that starts up, octets lost by a full buffer) is counted and passed over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["KissCommand", "KissDecoder", "KissFrame"]

_FEND, _FESC, _TFEND, _TFESC = 0xC0, 0xDB, 0xDC, 0xDD
_UNESCAPED = {_TFEND: _FEND, _TFESC: _FESC}


class KissCommand(IntEnum):
    """What the octets are; times are in steps of 10 ms, one octet each."""

    DATA = 0
    TXDELAY = 1
    PERSISTENCE = 2
    SLOT_TIME = 3
    TXTAIL = 4


@dataclass(frozen=True, slots=True)
class KissFrame:
    """What stands between two FEND.

    Attributes:
        command: A `KissCommand`, or another number of 0..15.
        octets: The packet, or the command's argument.
        port: Which radio of the modem, 0..15.
    """

    command: int
    octets: bytes
    port: int = 0

    def to_bytes(self) -> bytes:
        """Return the octets on the line."""
        body = bytes([self.port << 4 | self.command]) + self.octets
        escaped = body.replace(bytes([_FESC]), bytes([_FESC, _TFESC])).replace(bytes([_FEND]), bytes([_FESC, _TFEND]))
        return bytes([_FEND]) + escaped + bytes([_FEND])


class KissDecoder:
    """Finds frames in a stream of octets that may be noise, in pieces of any size.

    Push octets, then pop frames until None. At most one frame's octets are kept, besides what was pushed and
    not yet popped. What precedes the first FEND belongs to no frame.

    Args:
        max_octets: Longest frame that is believed, without its command octet.

    Attributes:
        bad_frames: Frames that were too long, or had an octet behind FESC that has no meaning there.
    """

    def __init__(self, max_octets: int) -> None:
        self.bad_frames = 0
        self._max_body_octets = max_octets + 1
        self._frames: deque[KissFrame] = deque()
        self._body = bytearray()
        self._escaped = False
        self._believed = False  # inside a frame that has been good so far

    def push(self, octets: bytes) -> None:
        """Take received octets."""
        for octet in octets:
            if octet == _FEND:
                self._end()
            elif self._believed:
                self._take(octet)

    def pop(self) -> KissFrame | None:
        """Return the next frame, or None until more octets are pushed."""
        return self._frames.popleft() if self._frames else None

    def _take(self, octet: int) -> None:
        if self._escaped:
            self._escaped = False
            if octet not in _UNESCAPED:
                self._give_up()
                return
            octet = _UNESCAPED[octet]
        elif octet == _FESC:
            self._escaped = True
            return
        if len(self._body) >= self._max_body_octets:
            self._give_up()
            return
        self._body.append(octet)

    def _end(self) -> None:
        """Close a frame, of which nothing may have come, and begin another."""
        if self._escaped:
            self.bad_frames += 1
        elif self._body:
            port, command = divmod(self._body[0], 16)
            self._frames.append(KissFrame(command, bytes(self._body[1:]), port))
        self._body.clear()
        self._escaped = False
        self._believed = True

    def _give_up(self) -> None:
        self.bad_frames += 1
        self._body.clear()
        self._believed = False
