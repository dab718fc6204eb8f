"""Blocks of pcapng files (draft-ietf-opsawg-pcapng), as far as captures need them.

::

    | type 32 bit | length 32 bit | body ... | options ... | the same length |

Every block is padded to 4 octets and can be skipped without being understood.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pantel_link.errors import CaptureError

__all__ = [
    "ENHANCED_PACKET",
    "FLAG_CHECKSUM_WRONG",
    "FLAG_INBOUND",
    "FLAG_OUTBOUND",
    "INTERFACE_DESCRIPTION",
    "INTERFACE_STATISTICS",
    "OPT_COMMENT",
    "OPT_END_TIME",
    "OPT_FLAGS",
    "OPT_NAME",
    "OPT_PROGRAM",
    "OPT_RECEIVED",
    "OPT_RESOLUTION",
    "OPT_SPEED",
    "OPT_UNWRITTEN",
    "ORDER_MAGIC",
    "SECTION_HEADER",
    "Block",
    "Option",
    "make_block",
    "padded",
    "read_blocks",
    "read_options",
]

SECTION_HEADER = 0x0A0D0D0A  # a palindrome, so that it is known before the octet order is
INTERFACE_DESCRIPTION = 1
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6

ORDER_MAGIC = 0x1A2B3C4D

# What an option means depends on the block that it belongs to.
OPT_COMMENT = 1  # of any
OPT_PROGRAM = 4  # of a section header
OPT_NAME, OPT_SPEED, OPT_RESOLUTION = 2, 8, 9  # of an interface description
OPT_FLAGS = 2  # of a packet
OPT_END_TIME, OPT_RECEIVED, OPT_UNWRITTEN = 3, 4, 5  # of interface statistics
_OPT_END = 0

FLAG_INBOUND, FLAG_OUTBOUND = 1, 2  # the direction in the lowest two bits of OPT_FLAGS
FLAG_CHECKSUM_WRONG = 0x01000000

_FRAME_OCTETS = 12  # type and both lengths
_MAX_OCTETS = 1 << 20  # of one block; ours have a few hundred, and no damaged length shall fill the memory

Option = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a file.

    Attributes:
        kind: Its type.
        order: ``<`` or ``>``, the octet order of its section, as `struct` writes it.
        body: What stands between the two lengths.
        end: Position in the file just after it [octets].
    """

    kind: int
    order: str
    body: bytes
    end: int


def make_block(kind: int, body: bytes, options: Sequence[Option] = ()) -> bytes:
    """Return a block in little-endian order.

    Args:
        kind: Its type.
        body: Its fixed fields, and the padded data of a packet.
        options: Code and value of each option.
    """
    parts = [body]
    if options:
        for code, value in (*options, (_OPT_END, b"")):
            parts += [struct.pack("<HH", code, len(value)), padded(value)]
    content = b"".join(parts)
    length = struct.pack("<I", len(content) + _FRAME_OCTETS)
    return struct.pack("<I", kind) + length + content + length


def padded(octets: bytes) -> bytes:
    """Return octets filled with zeros to a multiple of 4."""
    return octets + bytes(-len(octets) % 4)


def read_options(octets: bytes, order: str) -> list[Option]:
    """Return the options at the end of a block; what is damaged ends them."""
    options = []
    while len(octets) >= 4:
        code, size = struct.unpack_from(f"{order}HH", octets)
        if code == _OPT_END or len(octets) < 4 + size:
            break
        options.append((code, octets[4 : 4 + size]))
        octets = octets[4 + size + -size % 4 :]
    return options


def read_blocks(file: BinaryIO) -> Iterator[Block]:
    """Yield the blocks of a file, whatever their type.

    Raises:
        CaptureError: The file does not begin as pcapng files do, or its next block is damaged or cut off; whatever was
            yielded before is whole.
        OSError: The file cannot be read.
    """
    order, position = "", 0
    while head := file.read(_FRAME_OCTETS):
        if head[:4] == struct.pack("<I", SECTION_HEADER):
            order = _octet_order(head)
        if not order or len(head) < _FRAME_OCTETS:
            raise CaptureError(_damage(position))
        kind, length = struct.unpack_from(f"{order}II", head)
        if length % 4 or not _FRAME_OCTETS <= length <= _MAX_OCTETS:
            raise CaptureError(_damage(position))
        rest = head[8:] + file.read(length - _FRAME_OCTETS)
        if len(rest) < length - 8 or struct.unpack(f"{order}I", rest[-4:])[0] != length:
            raise CaptureError(_damage(position))
        position += length
        yield Block(kind, order, rest[:-4], position)


def _octet_order(section_head: bytes) -> str:
    """Return the order in which a section header's magic number makes sense; empty if in none."""
    magic = section_head[8:12]
    return next((order for order in "<>" if magic == struct.pack(f"{order}I", ORDER_MAGIC)), "")


def _damage(position: int) -> str:
    return f"damaged or cut off at octet {position}" if position else "not a pcapng file"
