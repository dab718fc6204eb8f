"""Peers: their results are kept for exactly what they depend on, and the best of them are found."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_bench.errors import CacheError
from pantel_bench.live.comparison import MEDIAN_SO_FAR, BestPeer, Lead, best_peers, lead_over_median
from pantel_bench.live.peer_cache import PeerCache
from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.scoring import LiveSeries, score_live
from pantel_bench.live.source import ClipSource


def _source(folder: Path, level: int = 90, seconds: float = 0.3) -> ClipSource:
    picture = folder / f"{level}.png"
    cv2.imwrite(str(picture), np.full((64, 96, 3), level, np.uint8))
    return ClipSource(f"file:{picture}", seconds, size_px=(96, 64))


def test_rows_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    cache = PeerCache(path)
    key = cache.key(_source(tmp_path), 960, 1.5, (None, None))
    assert cache.get(key) is None
    scores = score_live(_source(tmp_path), [None] * 3, 0.0)
    rows = [PeerRow.of("x264", "ideal", scores, kbps=0.98, settings={"crf": 40, "preset": "slow"})]
    cache.put(key, rows)
    assert PeerCache(path).get(key) == rows
    assert cache.key(_source(tmp_path), 960, 1.5, (None, None)) == key


def test_another_clip_line_or_metric_is_another_result(tmp_path: Path) -> None:
    cache = PeerCache(None)
    weights = tmp_path / "weights"
    weights.write_bytes(b"1")
    keys = {
        cache.key(_source(tmp_path), 960, 1.5, (None, None)),
        cache.key(_source(tmp_path, 91), 960, 1.5, (None, None)),
        cache.key(_source(tmp_path, seconds=0.4), 960, 1.5, (None, None)),
        cache.key(_source(tmp_path), 480, 1.5, (None, None)),
        cache.key(_source(tmp_path), 960, 1.0, (None, None)),
        cache.key(_source(tmp_path), 960, 1.5, (weights, None)),
        cache.key(_source(tmp_path), 960, 1.5, (None, weights)),
    }
    assert len(keys) == 7


def test_results_of_another_version_are_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_text(json.dumps({"pantel_peers": 0, "rows": {"a": [{}]}}))
    assert PeerCache(path).get("a") is None


def _row(peer: str, variant: str, moving_db: float | None, lpips: float | None, kbps: float = 1.0) -> PeerRow:
    series = LiveSeries([0.0, 14.9, 15.0, 20.0], [10.0, 20.0, 20.0, 21.0], [0.5] * 4, [moving_db] * 4, [lpips] * 4)
    return PeerRow(
        peer, variant, {}, kbps, 20.0, 0.5, moving_db, moving_db, lpips, lpips, None, 1.0, None, None, series
    )


def test_the_best_peers_of_each_kind() -> None:
    rows = [
        _row("x264", "ideal", 12.0, 0.30),
        _row("x265", "ideal", 13.0, 0.35),
        _row("vp9", "delivered", None, None),
        _row("x265", "delivered", 11.0, None),
        _row("frozen", "ideal", 99.0, 0.0, kbps=0.0),
        _row(MEDIAN_SO_FAR, "delivered", 99.0, 0.0),
    ]
    assert best_peers(rows) == [
        BestPeer("ideal", 13.0, "x265", 0.30, "x264"),
        BestPeer("delivered", 11.0, "x265", None, None),
    ]
    assert best_peers([]) == []


def test_the_lead_over_the_median_counts_from_15_s_on() -> None:
    ours = LiveSeries([0.0, 14.9, 15.0, 20.0], [0.0, 0.0, 22.0, 20.5], [0.5] * 4, [None] * 4, [None] * 4)
    assert lead_over_median(ours, [_row(MEDIAN_SO_FAR, "delivered", None, None)]) == Lead(0.75, 0.5)
    assert lead_over_median(ours, [_row("x264", "delivered", None, None)]) is None


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"pantel_peers": 1, "rows": 5}', '{"pantel_peers": 1, "rows": {"a": 1}}']
)
def test_a_file_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_text(content)
    with pytest.raises(CacheError, match="holds no results of peers"):
        PeerCache(path)
