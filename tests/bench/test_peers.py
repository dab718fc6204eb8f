from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.anchors import read_anchors
from pantel_bench.errors import PeerError
from pantel_bench.metrics import METRICS
from pantel_bench.peers import DOWNSCALES, PEER_FORMATS, PeerFormat, candidates, formats, pillow
from pantel_bench.pictures import read_picture
from pantel_bench.still import StillRow, measure_peer

ANCHORS = Path(__file__).parents[2] / "docs" / "anchors" / "stills_kodak256.csv"
BY_NAME = {peer.name: peer for peer in PEER_FORMATS}
all_peers = pytest.mark.parametrize("peer", PEER_FORMATS, ids=lambda peer: peer.name)


@all_peers
def test_every_candidate_fits_and_has_the_size_of_the_source(peer: PeerFormat, scene: NDArray[np.uint8]) -> None:
    source = np.ascontiguousarray(scene[96:224, :128])
    found = candidates(peer, source, [205, 102])
    assert found[205]
    for budget, entrants in found.items():
        assert len({entrant.downscale for entrant in entrants}) == len(entrants)
        for entrant in entrants:
            assert entrant.downscale in DOWNSCALES
            assert 0 < entrant.need_bytes <= budget
            assert entrant.need_bytes < entrant.file_bytes
            assert entrant.pixels.shape == source.shape


@all_peers
def test_a_budget_that_nothing_meets(peer: PeerFormat, scene: NDArray[np.uint8]) -> None:
    assert candidates(peer, scene, [2]) == {2: []}


@all_peers
def test_small_pictures_are_not_scaled_to_nothing(peer: PeerFormat, scene: NDArray[np.uint8]) -> None:
    small = np.ascontiguousarray(scene[:32, :48])
    assert {entrant.downscale for entrant in candidates(peer, small, [400])[400]} <= {1, 2}


@pytest.mark.parametrize(
    ("name", "quality", "overhead"),
    [
        ("webp", 10, [30]),
        ("avif", 20, [290, 291, 292]),
        ("jp2k", 949, [157]),
    ],
)
def test_containers_and_headers_are_not_counted(
    name: str, quality: int, overhead: list[int], scene: NDArray[np.uint8]
) -> None:
    file = BY_NAME[name].encode(scene, quality)
    assert len(file.data) - file.need_bytes in overhead


def test_jpeg_counts_the_cheaper_of_two_kinds_of_huffman_tables(scene: NDArray[np.uint8]) -> None:
    small = scene[:64, :64]
    file = BY_NAME["jpeg"].encode(small, 10)
    standard = pillow.save(small, "JPEG", quality=10, subsampling="4:2:0")
    scan = standard.split(b"\xff\xda", 1)[1]
    (header_bytes,) = struct.unpack(">H", scan[:2])
    assert file.need_bytes == len(scan) - header_bytes - 2 + 1  # less EOI, plus the quality


@pytest.mark.parametrize(
    "parse",
    [
        formats._jpeg_table_and_scan_bytes,
        formats._media_data,
        formats._av1_frame_bytes,
        formats._jpeg_2000_packet_bytes,
    ],
)
@pytest.mark.parametrize("data", [b"", bytes(40), b"\xff\xd8\xff\xe0\x00\x04ab"])
def test_a_file_without_a_picture(parse: object, data: bytes) -> None:
    assert callable(parse)
    with pytest.raises(PeerError):
        parse(data)


def test_a_format_that_pillow_lacks(scene: NDArray[np.uint8]) -> None:
    with pytest.raises(PeerError, match="cannot write"):
        pillow.save(scene, "NOSUCHFORMAT")


@all_peers
def test_published_figures_are_reproduced(peer: PeerFormat, kodak: Path) -> None:
    """PSNR and MS-SSIM of a picture; AVIF's differ a little between builds of libaom."""
    published = {
        row.target_bpp: row
        for row in read_anchors(ANCHORS, {"kodim09"}, besides=BY_NAME.keys() - {peer.name})
        if row.codec.startswith(peer.name)
    }
    picture = read_picture(kodak / "kodim09.png", "256")
    for row in measure_peer(peer, picture, [0.05, 0.03, 0.01], None):
        assert isinstance(row, StillRow)
        for metric, avif_tolerance in zip(METRICS[:2], (0.15, 0.01), strict=True):
            expected = published[row.target_bpp].scores.value(metric)
            tolerance = avif_tolerance if peer.name == "avif" else 1e-3
            assert row.scores.value(metric) == pytest.approx(expected, abs=tolerance)
