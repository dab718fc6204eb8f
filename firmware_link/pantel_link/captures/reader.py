"""Reads captures: the head, codeword after codeword, and the end of each section."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pantel_link.captures.header import HEADER_MARK, CaptureHeader
from pantel_link.captures.link_type import LinkType
from pantel_link.captures.pcapng import (
    ENHANCED_PACKET,
    FLAG_OUTBOUND,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    OPT_COMMENT,
    OPT_END_TIME,
    OPT_FLAGS,
    OPT_RESOLUTION,
    OPT_SPEED,
    SECTION_HEADER,
    Block,
    read_blocks,
    read_options,
)
from pantel_link.errors import CaptureError, PacketError
from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["CaptureEnd", "CaptureEvent", "CapturedCodeword", "read_capture"]

log = logging.getLogger(__name__)

_MICROSECONDS = 6  # where an interface does not say
_DIRECTION = 3


@dataclass(frozen=True, slots=True)
class CapturedCodeword:
    """A codeword as it was received, or sent.

    Attributes:
        octets: Marker and codeword, before error correction; a packet where packets arrive whole.
        arrival_ns: On the receiver's monotonic clock; when its first octet left, if it was sent.
        verdict: What the receiver made of it, in words.
        outbound: Whether it was sent.
        whole: Whether it is a packet that arrived whole.
        wire_octets: What it took on the wire with all that was around it, where that is more than itself and known.
    """

    octets: bytes
    arrival_ns: int
    verdict: str
    outbound: bool = False
    whole: bool = False
    wire_octets: int | None = None


@dataclass(frozen=True, slots=True)
class CaptureEnd:
    """The receiver ended in order.

    Attributes:
        time_ns: When, on its monotonic clock.
    """

    time_ns: int


CaptureEvent = CaptureHeader | CapturedCodeword | CaptureEnd
"""What a capture holds: runs of the receiver, which begin, hear codewords and end."""


@dataclass(frozen=True, slots=True)
class _Interface:
    """Where packets came from: what they are, None if not ours, and how time is counted there."""

    link_type: LinkType | None
    ticks_per_s: int


def read_capture(path: Path, *, on_damage: Callable[[str], None] | None = None) -> Iterator[CaptureEvent]:
    """Yield what a file holds: for each run of a receiver its header, its codewords and, if it ended in order, its end.

    What is not ours in a pcapng file is skipped. A file that is damaged or cut off ends there, with a warning in the
    log.

    Args:
        path: The file.
        on_damage: Is told why a file ends early.

    Raises:
        CaptureError: The file cannot be opened, or there is nothing in it that a receiver could have heard.
        OSError: The file cannot be read to its end.
    """
    section = _Section()
    begun = False
    with _open(path) as file:
        try:
            for block in read_blocks(file):
                event = section.take(block)
                if event is not None:
                    begun = True
                    yield event
        except CaptureError as error:
            if not begun:
                raise CaptureError(f"{path} is no capture: {error}") from error
            log.warning("capture ends early path=%s reason=%s", path, error)
            if on_damage is not None:
                on_damage(str(error))
    if not begun:
        raise CaptureError(f"{path} is no capture: it holds no codewords of pantel")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CaptureError(f"cannot read {path}: {error.strerror}; name a file that --capture has written") from error


class _Section:
    """Turns the blocks of a file, one after another, into events."""

    def __init__(self) -> None:
        self._comment = ""
        self._header: CaptureHeader | None = None
        self._interfaces: list[_Interface] = []

    def take(self, block: Block) -> CaptureEvent | None:
        """Return the event that a block brings, None if it brings none.

        Raises:
            CaptureError: The block is damaged, or the section is of a newer version.
        """
        take = {
            SECTION_HEADER: self._begin,
            INTERFACE_DESCRIPTION: self._describe,
            ENHANCED_PACKET: self._packet,
            INTERFACE_STATISTICS: self._end,
        }.get(block.kind)
        try:
            return take(block) if take is not None else None
        except (IndexError, struct.error) as error:
            raise CaptureError(f"the block that ends at octet {block.end} makes no sense") from error

    def _begin(self, block: Block) -> None:
        comments = [value for code, value in read_options(block.body[16:], block.order) if code == OPT_COMMENT]
        # Other programs add comments of their own, or lose ours.
        self._comment = next((each.decode(errors="replace") for each in comments if HEADER_MARK in each), "")
        self._header = None
        self._interfaces = []

    def _describe(self, block: Block) -> CaptureEvent | None:
        (number,) = struct.unpack_from(f"{block.order}H", block.body)
        link_type = LinkType(number) if number in set(LinkType) else None
        options = dict(read_options(block.body[8:], block.order))
        resolution = options.get(OPT_RESOLUTION, bytes([_MICROSECONDS]))[0]
        ticks_per_s = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        self._interfaces.append(_Interface(link_type, ticks_per_s))
        if self._header is not None or link_type is None:
            return None
        bitrate_bps = DEFAULT_BITRATE_BPS
        if OPT_SPEED in options:
            (bitrate_bps,) = struct.unpack(f"{block.order}Q", options[OPT_SPEED])
        if self._comment:
            self._header = CaptureHeader.from_comment(self._comment, bitrate_bps)
        else:
            self._header = CaptureHeader(bitrate_bps)
        return self._header

    def _packet(self, block: Block) -> CaptureEvent | None:
        number, high, low, size, wire_octets = struct.unpack_from(f"{block.order}5I", block.body)
        interface = self._interfaces[number]
        if interface.link_type is None or self._header is None:
            return None
        record = block.body[20 : 20 + size]
        if len(record) < size:
            raise IndexError(size)
        try:
            octets = interface.link_type.from_record(record)
        except PacketError:
            return None  # what others say on the channel
        options = dict(read_options(block.body[20 + size + -size % 4 :], block.order))
        flags = options.get(OPT_FLAGS, b"")
        return CapturedCodeword(
            octets=octets,
            arrival_ns=self._local_ns(interface, high, low),
            verdict=options.get(OPT_COMMENT, b"").decode(errors="replace"),
            outbound=len(flags) == 4 and struct.unpack(f"{block.order}I", flags)[0] & _DIRECTION == FLAG_OUTBOUND,
            whole=interface.link_type.whole,
            wire_octets=wire_octets if interface.link_type.whole and wire_octets > size else None,
        )

    def _end(self, block: Block) -> CaptureEvent | None:
        (number,) = struct.unpack_from(f"{block.order}I", block.body)
        interface = self._interfaces[number]
        options = dict(read_options(block.body[12:], block.order))
        if interface.link_type is None or self._header is None or OPT_END_TIME not in options:
            return None
        return CaptureEnd(self._local_ns(interface, *struct.unpack(f"{block.order}II", options[OPT_END_TIME])))

    def _local_ns(self, interface: _Interface, high: int, low: int) -> int:
        """Return a time of the file on the receiver's monotonic clock."""
        time_ns = (high << 32 | low) * 1_000_000_000 // interface.ticks_per_s
        return time_ns - (self._header.clock_offset_ns if self._header is not None else 0)
