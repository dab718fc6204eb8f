"""Lines of text: UTF-8, cut into parts where a packet is too short.

::

    | message 8 | parts - 1 4 | part 4 |  UTF-8, zeros behind it  |
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.errors import PacketError

__all__ = ["MAX_TEXT_PARTS", "TextAssembler", "TextError", "TextPart", "printable", "text_parts"]

_FIELDS = (BitField("message", 8), BitField("parts_minus_1", 4), BitField("part", 4))
_HEAD_OCTETS = packed_octets(_FIELDS)
MAX_TEXT_PARTS = 1 << _FIELDS[1].bits
_MESSAGES = 1 << _FIELDS[0].bits
_Value = TypeVar("_Value")

_MAX_OPEN = 128
_MAX_SHOWN = 256


class TextError(PacketError):
    """A text packet that is too short, or a part beyond the last."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """One part of a line.

    Attributes:
        message: Number of the line, modulo 256; a line that is repeated keeps it.
        parts: How many parts the line has.
        part: Which of them this is.
        text: UTF-8; a character may be cut at its end.
    """

    message: int
    parts: int
    part: int
    text: bytes

    def to_payload(self) -> bytes:
        """Return the payload."""
        values = {"message": self.message, "parts_minus_1": self.parts - 1, "part": self.part}
        return pack_fields(_FIELDS, values) + self.text

    @classmethod
    def from_payload(cls, payload: bytes) -> TextPart:
        """Read a payload; zeros at its end are padding.

        Raises:
            TextError: It is too short, or a part beyond the last.
        """
        if len(payload) < _HEAD_OCTETS:
            raise TextError(f"text payload of {len(payload)} octets is too short")
        values = unpack_fields(_FIELDS, payload[:_HEAD_OCTETS])
        if values["part"] > values["parts_minus_1"]:
            raise TextError(f"part {values['part']} of {values['parts_minus_1'] + 1} parts")
        text = payload[_HEAD_OCTETS:].rstrip(b"\0")
        return cls(values["message"], values["parts_minus_1"] + 1, values["part"], text)


def printable(text: str) -> str:
    """Return a text with spaces for line feeds and other characters that no line shows."""
    return "".join(character if character.isprintable() else " " for character in text)


def text_parts(message: int, text: str, payload_octets: int) -> list[TextPart]:
    """Return a line in parts; what 16 parts cannot hold is cut off.

    Args:
        message: Number of the line, counted by the sender.
        text: The line; control characters become spaces.
        payload_octets: Of each packet.
    """
    room = payload_octets - _HEAD_OCTETS
    octets = printable(text).encode()[: room * MAX_TEXT_PARTS].decode(errors="ignore").encode()
    pieces = [octets[start : start + room] for start in range(0, len(octets), room)] or [b""]
    return [TextPart(message % _MESSAGES, len(pieces), part, piece) for part, piece in enumerate(pieces)]


class TextAssembler:
    """Puts lines together; each is returned once, however often it is repeated within the next 256 lines."""

    def __init__(self) -> None:
        self._open: OrderedDict[Hashable, dict[int, bytes]] = OrderedDict()
        self._shown: OrderedDict[Hashable, None] = OrderedDict()

    def take(self, stream: Hashable, part: TextPart) -> str | None:
        """Take a part; return the line when it is complete.

        Args:
            stream: Where it came from.
            part: The part.
        """
        key = stream, part.message, part.parts
        if key in self._shown:
            return None
        parts = self._open.setdefault(key, {})
        parts[part.part] = part.text
        _bound(self._open, _MAX_OPEN)
        if len(parts) < part.parts:
            return None
        self._open.pop(key, None)
        self._shown[key] = None
        _bound(self._shown, _MAX_SHOWN)
        return b"".join(parts[each] for each in range(part.parts)).decode(errors="replace")


def _bound(entries: OrderedDict[Hashable, _Value], most: int) -> None:
    while len(entries) > most:
        entries.popitem(last=False)
