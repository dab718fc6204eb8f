"""Picture formats, and how many of a file's bytes a receiver would need.

A link of a few hundred bits per second would not send containers and tables that both sides can agree on
beforehand, so only the rest is counted as ``need_bytes``:

====  ======================================================================================
jpeg  the entropy-coded scan, with the file's own Huffman tables or with the standard's if
      that is shorter, and one byte for the quality, which gives the quantization tables
webp  the VP8 key frame after its ten header octets (no RIFF container, no picture size)
avif  the payload of the AV1 frame OBU (no boxes, no sequence header, no OBU headers)
jp2k  the packets of the one tile (no main header, no tile header, no end marker)
====  ======================================================================================

Every format is used at its best for few bytes: 4:2:0, the strongest search that its encoder offers at a
useful speed, optimized tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import PeerError
from pantel_bench.peers import pillow

__all__ = ["PEER_FORMATS", "PeerFile", "PeerFormat"]


@dataclass(frozen=True, slots=True)
class PeerFile:
    """One encoded picture.

    Attributes:
        data: The whole file.
        need_bytes: Size of the part that a receiver needs when tables and containers are agreed beforehand.
    """

    data: bytes
    need_bytes: int


@dataclass(frozen=True, slots=True)
class PeerFormat:
    """A picture format with the ladder of its qualities.

    Attributes:
        name: Short name, as in reports.
        qualities: What to try, coarse to fine; what the number means is the format's own business.
        encode: Writes (H, W, 3) uint8 RGB pixels at one of the qualities.
    """

    name: str
    qualities: Sequence[int]
    encode: Callable[[NDArray[np.uint8], int], PeerFile]


def _encode_jpeg(pixels: NDArray[np.uint8], quality: int) -> PeerFile:
    data = pillow.save(pixels, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)
    own_tables = sum(_jpeg_table_and_scan_bytes(data))
    standard = pillow.save(pixels, "JPEG", quality=quality, subsampling="4:2:0")
    _, standard_scan = _jpeg_table_and_scan_bytes(standard)
    return PeerFile(data, min(own_tables, standard_scan) + 1)


def _jpeg_table_and_scan_bytes(data: bytes) -> tuple[int, int]:
    """Return the size of the Huffman table segments and of the scan (ITU-T T.81, annex B)."""
    define_huffman_tables, start_of_scan = 0xC4, 0xDA
    tables, at = 0, 2  # after SOI
    while at + 4 <= len(data):
        marker, size = data[at + 1], 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        at += size
        if marker == define_huffman_tables:
            tables += size
        elif marker == start_of_scan:
            return tables, len(data) - at - 2  # before EOI
    raise PeerError("a JPEG file without a scan")


def _encode_webp(pixels: NDArray[np.uint8], quality: int) -> PeerFile:
    data = pillow.save(pixels, "WEBP", quality=quality, method=6)
    riff_and_chunk_header, frame_header = 20, 10  # RFC 9649, RFC 6386 section 9.1
    if data[12:16] != b"VP8 ":
        raise PeerError("a WebP file that is not one lossy key frame")
    return PeerFile(data, len(data) - riff_and_chunk_header - frame_header)


def _encode_avif(pixels: NDArray[np.uint8], quality: int) -> PeerFile:
    data = pillow.save(pixels, "AVIF", quality=quality, speed=4, subsampling="4:2:0", codec="aom")
    return PeerFile(data, _av1_frame_bytes(_media_data(data)))


def _media_data(data: bytes) -> bytes:
    """Return the content of a file's ``mdat`` box (ISO/IEC 14496-12)."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"mdat":
            return data[at + 8 : at + size]
        at += max(size, 8)
    raise PeerError("an AVIF file without media data")


def _av1_frame_bytes(stream: bytes) -> int:
    """Return the size of the first frame OBU's payload (AV1 bitstream specification, section 5.3)."""
    frame_obu = 6
    at = 0
    while at < len(stream):
        header = stream[at]
        at += 2 if header & 0b100 else 1  # the extension flag
        size, shift = 0, 0
        while True:  # leb128
            octet = stream[at]
            at += 1
            size |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                break
        if header >> 3 & 0xF == frame_obu:
            return size
        at += size
    raise PeerError("an AVIF file without a frame")


def _encode_jp2k(pixels: NDArray[np.uint8], target_bytes: int) -> PeerFile:
    height, width, _ = pixels.shape
    # Five decompositions at 256 pixels and one less for every halving: each costs the header six bytes.
    resolutions = max(1, min(6, min(height, width).bit_length() - 3))
    data = pillow.save(
        pixels,
        "JPEG2000",
        no_jp2=True,
        irreversible=True,
        mct=1,
        num_resolutions=resolutions,
        quality_mode="rates",
        quality_layers=[pixels.size / target_bytes],
    )
    return PeerFile(data, _jpeg_2000_packet_bytes(data))


def _jpeg_2000_packet_bytes(data: bytes) -> int:
    """Return the size of the tile's packets in a codestream of one tile (ITU-T T.800, annex A)."""
    start_of_tile = b"\xff\x90"
    start_of_data = b"\xff\x93"
    at = 2  # after SOC
    while at + 4 <= len(data):
        marker = data[at : at + 2]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == start_of_tile and data[at : at + 2] == start_of_data:
            return len(data) - at - 4  # SOD before, EOC after
    raise PeerError("a JPEG 2000 file without a tile")


# The ladders are those of the published figures in docs/anchors, so that measured and published peers agree.
# JPEG above quality 60 would gain 0.05 dB at 0.1 bpp, where a picture scaled down by 4 has bytes to spare.
_JP2K_TARGETS_BYTES = tuple(int(154.4 * 1.0786**step) for step in range(120))

PEER_FORMATS = (
    PeerFormat("jpeg", range(2, 61), _encode_jpeg),
    PeerFormat("webp", range(101), _encode_webp),
    PeerFormat("avif", range(2, 101, 2), _encode_avif),
    PeerFormat("jp2k", _JP2K_TARGETS_BYTES, _encode_jp2k),
)
