"""Writes captures: plugged in where a receiver tells what it hears, and a sender what it sends."""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from pantel_link.callsign import DEFAULT_CALLSIGN
from pantel_link.captures.family import CaptureFamily, CaptureLimits
from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.known_streams import IntroducedStreams
from pantel_link.captures.link_type import LinkType
from pantel_link.captures.pcapng import (
    ENHANCED_PACKET,
    FLAG_CHECKSUM_WRONG,
    FLAG_INBOUND,
    FLAG_OUTBOUND,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
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
from pantel_link.codeword import HeardCodeword, SentCodeword
from pantel_link.errors import CaptureError
from pantel_link.record_file import Trouble, append_whole

__all__ = ["CaptureWriter"]

log = logging.getLogger(__name__)

_FIRST_OCTETS = struct.pack("<I", SECTION_HEADER)
_LENGTH_UNKNOWN = -1
_NANOSECONDS = 9  # 10 to the power of minus that
_RESERVED_OCTETS = 136  # what a record has besides codeword and verdict, and the block that ends a section


class CaptureWriter:
    """Appends every codeword that is heard or sent to a file, each as one block, the bad ones too.

    A capture holds octets as they came from the line, before error correction, so whoever reads it can do the whole
    work of the receiver again. A file that exists is continued by a section of its own; what an earlier run could not
    finish writing is cut off. With limits, a file that is full or old becomes an older one of its `CaptureFamily`, and
    the next begins with the streams that are known by then. A full disk passes: it is logged once, and the codewords
    until there is room again are missing.

    Args:
        path: The file; made when missing.
        header: How the receiver is set.
        interface: Name of the port, for people.
        link_type: What the codewords are.
        wire_octets: What a packet takes on the wire with all that is around it, where packets arrive whole: what the
            port says. A replay needs it to know how long a packet was on its way.
        callsign: Of those who send here, for records that name a sender.
        limits: When to begin a new file; None for never.

    Raises:
        CaptureError: The file exists and is no capture.
        OSError: The file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        header: CaptureHeader,
        *,
        interface: str = "",
        link_type: LinkType = LinkType.STREAM,
        wire_octets: Callable[[bytes], int] = len,
        callsign: str = DEFAULT_CALLSIGN,
        limits: CaptureLimits | None = None,
    ) -> None:
        self._header = header
        self._interface = interface
        self._link_type = link_type
        self._wire_octets = wire_octets
        self._callsign = callsign
        self._limits = limits
        self._family = CaptureFamily(path)
        self._known = IntroducedStreams(header.contexts, header.counters)
        self._trouble = Trouble(str(path))
        self._family_trouble = Trouble(f"{path} and its older files")
        self._file: FileIO = path.open("a+b", buffering=0)
        try:
            whole_octets, self._begun_ns = _survey(path)
        except CaptureError:
            self._file.close()
            raise
        self._file.truncate(whole_octets)
        self._trim()
        self._begin_section()
        self._append(b"")

    def on_codeword(self, codeword: HeardCodeword) -> None:
        """Append a codeword that was heard."""
        packet, context = codeword.packet, codeword.context
        self._choose_file(codeword.arrival_ns, len(codeword.octets) + len(codeword.verdict))
        if packet is not None and context is not None:
            self._known.take(context, packet)
        flags = FLAG_INBOUND | (FLAG_CHECKSUM_WRONG if packet is None else 0)
        callsign = None if context is None else context.callsign
        self._write(codeword.octets, callsign, codeword.arrival_ns, codeword.verdict, flags)

    def on_sent(self, codeword: SentCodeword) -> None:
        """Append a packet that is sent; its time is that of its first octet."""
        self._choose_file(codeword.sent_ns, len(codeword.octets) + len(codeword.verdict))
        self._write(codeword.octets, self._callsign, codeword.sent_ns, codeword.verdict, FLAG_OUTBOUND)

    def close(self, now_ns: int) -> None:
        """Append how it ended, so that a replay ends at the same time, and close the file.

        Args:
            now_ns: On the receiver's monotonic clock.
        """
        self._append(self._end(now_ns + self._header.clock_offset_ns))
        self._file.close()

    def _write(self, octets: bytes, callsign: str | None, time_ns: int, verdict: str, flags: int) -> None:
        """Append a record."""
        utc_ns = time_ns + self._header.clock_offset_ns
        record = self._link_type.to_record(octets, callsign or DEFAULT_CALLSIGN)
        # What it took on the wire stands where pcapng has the size of packets that were captured in part.
        wire_octets = max(len(record), self._wire_octets(octets) if self._link_type.whole else 0)
        body = struct.pack("<IIIII", 0, *_time_fields(utc_ns), len(record), wire_octets)
        options = [(OPT_COMMENT, verdict.encode()), (OPT_FLAGS, struct.pack("<I", flags))]
        if self._append(make_block(ENHANCED_PACKET, body + padded(record), options)):
            self._written += 1
            self._begun_ns = utc_ns if self._begun_ns is None else self._begun_ns
        else:
            self._dropped += 1

    def _choose_file(self, time_ns: int, octets: int) -> None:
        """Begin a new file before a record if it is time for one.

        A file with nothing but its head is as good as a new one. The record's own packet must not count as known.
        """
        if self._limits is None or self._begun_ns is None:
            return
        utc_ns = time_ns + self._header.clock_offset_ns
        self._begun_ns = min(self._begun_ns, utc_ns)  # the clock may have been set in between
        full = os.fstat(self._file.fileno()).st_size + len(self._unwritten) + octets + _RESERVED_OCTETS
        if full > self._limits.file_bytes or utc_ns - self._begun_ns >= self._limits.max_age_ns:
            self._begin_file(utc_ns)

    def _begin_file(self, utc_ns: int) -> None:
        """Go on in a new file; where that cannot be made, in the present one."""
        try:
            self._family.shift()
            file: FileIO = self._family.path.open("a+b", buffering=0)
        except OSError as error:
            self._family_trouble.begin(error)
            return
        self._family_trouble.end()
        self._append(self._end(utc_ns))
        self._file.close()
        self._file, self._begun_ns = file, None
        self._header = replace(self._header, contexts=self._known.contexts, counters=self._known.counters)
        self._begin_section()
        self._trim()

    def _begin_section(self) -> None:
        interface = _interface_description(self._header, self._interface, self._link_type)
        self._unwritten = _section_header(self._header) + interface
        self._written = 0
        self._dropped = 0

    def _trim(self) -> None:
        """Remove what is over the quota, so that there is room for all that the present file may become."""
        if self._limits is None:
            return
        try:
            self._family.trim(self._limits.quota_bytes - self._limits.file_bytes)
        except OSError as error:
            self._family_trouble.begin(error)

    def _end(self, utc_ns: int) -> bytes:
        options = [
            (OPT_END_TIME, struct.pack("<II", *_time_fields(utc_ns))),
            (OPT_RECEIVED, struct.pack("<Q", self._written + self._dropped)),
            (OPT_UNWRITTEN, struct.pack("<Q", self._dropped)),
        ]
        return make_block(INTERFACE_STATISTICS, struct.pack("<III", 0, *_time_fields(utc_ns)), options)

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


def _survey(path: Path) -> tuple[int, int | None]:
    """Return how many octets of a file are whole blocks, and the time of its first codeword, if it has one.

    The time is taken to be in nanoseconds, as ours are. That of another program's file seems to be long ago, so such a
    file is not continued where there are limits.
    """
    end, begun_ns = 0, None
    with path.open("rb") as file:
        try:
            for block in read_blocks(file):
                end = block.end
                if begun_ns is None and block.kind == ENHANCED_PACKET and len(block.body) >= 12:
                    high, low = struct.unpack_from(f"{block.order}II", block.body, 4)
                    begun_ns = high << 32 | low
        except CaptureError as error:
            file.seek(0)
            if end == 0 and not _is_torn(file):
                raise CaptureError(f"{path} exists and is no capture ({error}); name another file") from error
            log.warning("capture is cut off after its last whole block path=%s octets=%d", path, end)
    return end, begun_ns


def _is_torn(file: BinaryIO) -> bool:
    """Whether a file may be what a power cut left of the head of a capture: a part of it, or zeros in its place."""
    first = file.read(len(_FIRST_OCTETS))
    if _FIRST_OCTETS.startswith(first):
        return True
    return not any(first) and all(not any(chunk) for chunk in iter(lambda: file.read(1 << 16), b""))


def _section_header(header: CaptureHeader) -> bytes:
    body = struct.pack("<IHHq", ORDER_MAGIC, 1, 0, _LENGTH_UNKNOWN)
    return make_block(SECTION_HEADER, body, [(OPT_COMMENT, header.to_comment().encode()), (OPT_PROGRAM, b"pantel")])


def _interface_description(header: CaptureHeader, interface: str, link_type: LinkType) -> bytes:
    options: list[Option] = [(OPT_NAME, os.fsencode(interface))] if interface else []
    options += [
        (OPT_SPEED, struct.pack("<Q", header.bitrate_bps)),
        (OPT_RESOLUTION, bytes([_NANOSECONDS])),
    ]
    return make_block(INTERFACE_DESCRIPTION, struct.pack("<HHI", link_type, 0, 0), options)


def _time_fields(time_ns: int) -> tuple[int, int]:
    """Return the upper and the lower half of a time."""
    return time_ns >> 32 & 0xFFFFFFFF, time_ns & 0xFFFFFFFF
