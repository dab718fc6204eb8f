"""How many octets of a stream are slice data.

Only what describes pictures counts. Both sides could agree on the rest beforehand:

=====  ===========================================================================================
h264   NAL units of types 1 and 5, without start codes (ITU-T H.264, section 7.4.1)
hevc   NAL units of types 0 to 31, without start codes (ITU-T H.265, section 7.4.2.2)
av1    payloads of the OBUs frame, frame header and tile group (AV1 specification, section 5.3)
vp9    whole frames without the index of a superframe (VP9 specification, annex B)
=====  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pantel_bench.errors import PeerError

__all__ = ["SLICE_COUNTERS", "SliceCounter"]

SliceCounter = Callable[[bytes], int]
"""Takes one access unit as ffmpeg writes it into NUT; raises PeerError if it cannot be one."""

_START_CODE = b"\0\0\1"
_H264_SLICES = (1, 5)
_HEVC_FIRST_NON_VCL = 32
_AV1_FRAME_HEADER, _AV1_TILE_GROUP, _AV1_FRAME = 3, 4, 6
_LEB128_LONGEST = 8
_VP9_SUPERFRAME_MARKER = 0b110


def _h264(unit: bytes) -> int:
    return sum(len(nal) for nal in _nal_units(unit) if nal[0] & 0x1F in _H264_SLICES)


def _hevc(unit: bytes) -> int:
    return sum(len(nal) for nal in _nal_units(unit) if nal[0] >> 1 & 0x3F < _HEVC_FIRST_NON_VCL)


def _nal_units(unit: bytes) -> Iterator[bytes]:
    """Yield the NAL units of a byte stream (annex B of both standards)."""
    at = unit.find(_START_CODE)
    if at < 0:
        raise PeerError("a video stream without start codes")
    while at >= 0:
        start = at + len(_START_CODE)
        at = unit.find(_START_CODE, start)
        # No NAL unit ends in a zero octet: such belong to a longer start code or are padding.
        nal = unit[start : at if at >= 0 else len(unit)].rstrip(b"\0")
        if nal:
            yield nal


def _av1(unit: bytes) -> int:
    count = at = 0
    try:
        while at < len(unit):
            header = unit[at]
            at += 2 if header & 0b100 else 1  # the extension flag
            size = len(unit) - at
            if header & 0b10:  # the size flag
                size, at = _leb128(unit, at)
            if header >> 3 & 0xF in (_AV1_FRAME_HEADER, _AV1_TILE_GROUP, _AV1_FRAME):
                count += size
            at += size
    except IndexError:
        at = len(unit) + 1
    if at != len(unit):
        raise PeerError("an AV1 stream that ends within a unit")
    return count


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place after it."""
    value = 0
    for index in range(_LEB128_LONGEST):
        octet = data[at + index]
        value |= (octet & 0x7F) << 7 * index
        if octet < 0x80:
            return value, at + index + 1
    raise PeerError("an AV1 stream with a size that has no end")


def _vp9(unit: bytes) -> int:
    if not unit:
        raise PeerError("a VP9 stream with an empty frame")
    last = unit[-1]
    if last >> 5 != _VP9_SUPERFRAME_MARKER:
        return len(unit)
    frames, size_octets = (last & 0b111) + 1, (last >> 3 & 0b11) + 1
    index_octets = 2 + frames * size_octets
    is_superframe = len(unit) > index_octets and unit[-index_octets] == last
    return len(unit) - index_octets if is_superframe else len(unit)


SLICE_COUNTERS: dict[str, SliceCounter] = {"h264": _h264, "hevc": _hevc, "av1": _av1, "vp9": _vp9}
