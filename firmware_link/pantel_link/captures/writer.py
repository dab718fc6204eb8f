"""Writes captures: plugged in where a receiver tells what it hears."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.pcapng import (
    ENHANCED_PACKET,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    LINKTYPE_USER0,
    OPT_COMMENT,
    OPT_END_TIME,
    OPT_FLAGS,
    OPT_NAME,
    OPT_PROGRAM,
    OPT_RECEIVED,
    OPT_RESOLUTION,
    OPT_SPEED,
    OPT_UNWRITTEN,
    ORDER_MAGIC,
    SECTION_HEADER,
    Option,
    make_block,
    padded,
    read_blocks,
)
from pantel_link.codeword import HeardCodeword
from pantel_link.errors import CaptureError
from pantel_link.record_file import Trouble, append_whole

__all__ = ["CaptureWriter"]

_FIRST_OCTETS = struct.pack("<I", SECTION_HEADER)
_LENGTH_UNKNOWN = -1
_NANOSECONDS = 9  # 10 to the power of minus that
_INBOUND = 0x00000001
_CHECKSUM_WRONG = 0x01000000


class CaptureWriter:
    """Appends every codeword that a receiver hears to a file, each as one block, the bad ones too.

    A capture holds octets as they came from the line, before error correction, so whoever reads it can do the whole
    work of the receiver again. A file that exists is continued by a section of its own; what an earlier run could not
    finish writing is cut off. A full disk passes: it is logged once, and the codewords until there is room again are
    missing.

    Args:
        path: The file; made when missing.
        header: How the receiver is set.
        interface: Name of the port, for people.

    Raises:
        CaptureError: The file exists and is no capture.
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, header: CaptureHeader, *, interface: str = "") -> None:
        self._offset_ns = header.clock_offset_ns
        self._trouble = Trouble(str(path))
        self._file = path.open("a+b", buffering=0)
        try:
            self._file.truncate(_whole_octets(path))
        except CaptureError:
            self._file.close()
            raise
        self._unwritten = _section_header(header) + _interface_description(header, interface)
        self._written = 0
        self._dropped = 0
        self._append(b"")

    def on_codeword(self, codeword: HeardCodeword) -> None:
        """Append a codeword."""
        flags = _INBOUND | (_CHECKSUM_WRONG if codeword.packet is None else 0)
        size = len(codeword.octets)
        body = struct.pack("<IIIII", 0, *_time_fields(codeword.arrival_ns + self._offset_ns), size, size)
        options = [(OPT_COMMENT, codeword.verdict.encode()), (OPT_FLAGS, struct.pack("<I", flags))]
        if self._append(make_block(ENHANCED_PACKET, body + padded(codeword.octets), options)):
            self._written += 1
        else:
            self._dropped += 1

    def close(self, now_ns: int) -> None:
        """Append how it ended, so that a replay ends at the same time, and close the file.

        Args:
            now_ns: On the receiver's monotonic clock.
        """
        time_fields = _time_fields(now_ns + self._offset_ns)
        self._append(
            make_block(
                INTERFACE_STATISTICS,
                struct.pack("<III", 0, *time_fields),
                [
                    (OPT_END_TIME, struct.pack("<II", *time_fields)),
                    (OPT_RECEIVED, struct.pack("<Q", self._written + self._dropped)),
                    (OPT_UNWRITTEN, struct.pack("<Q", self._dropped)),
                ],
            )
        )
        self._file.close()

    def _append(self, block: bytes) -> bool:
        """Append a block, and the head before it if there was no room for that yet; return whether there was room."""
        try:
            append_whole(self._file, self._unwritten + block)
        except OSError as error:
            self._trouble.begin(error)
            return False
        self._unwritten = b""
        self._trouble.end()
        return True


def _whole_octets(path: Path) -> int:
    """Return how many octets of a file are whole blocks."""
    end = 0
    with path.open("rb") as file:
        try:
            for block in read_blocks(file):
                end = block.end
        except CaptureError as error:
            file.seek(0)
            if end == 0 and not file.read(4).startswith(_FIRST_OCTETS):
                raise CaptureError(f"{path} exists and is no capture ({error}); name another file") from error
    return end


def _section_header(header: CaptureHeader) -> bytes:
    body = struct.pack("<IHHq", ORDER_MAGIC, 1, 0, _LENGTH_UNKNOWN)
    return make_block(
        SECTION_HEADER, body, [(OPT_COMMENT, header.to_comment().encode()), (OPT_PROGRAM, b"pantel receive")]
    )


def _interface_description(header: CaptureHeader, interface: str) -> bytes:
    options: list[Option] = [(OPT_NAME, os.fsencode(interface))] if interface else []
    options += [
        (OPT_SPEED, struct.pack("<Q", header.bitrate_bps)),
        (OPT_RESOLUTION, bytes([_NANOSECONDS])),
    ]
    return make_block(INTERFACE_DESCRIPTION, struct.pack("<HHI", LINKTYPE_USER0, 0, 0), options)


def _time_fields(time_ns: int) -> tuple[int, int]:
    """Return the upper and the lower half of a time."""
    return time_ns >> 32 & 0xFFFFFFFF, time_ns & 0xFFFFFFFF
