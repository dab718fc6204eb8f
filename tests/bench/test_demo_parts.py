"""The measuring instruments of the demo, each by itself."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_bench.demo.source import Source
from pantel_bench.live.scoring import ScoreKeeper
from pantel_bench.pages.line_plot import Curve, line_plot
from pantel_bench.pages.video import SideBySideVideo
from pantel_bench.rig.meter import LinkMeter, MeteredPort
from pantel_bench.rig.settings import RigSettings
from pantel_device.errors import VideoError
from pantel_link import VirtualClock, memory_pair

_S = 1_000_000_000
_BLACK = np.zeros((240, 320, 3), np.uint8)


@given(st.lists(st.tuples(st.integers(0, 8 * _S), st.integers(1, 8)), max_size=12))
def test_the_meter_finds_the_busiest_10_s(writes: list[tuple[int, int]]) -> None:
    meter = LinkMeter()
    dated = []
    now_ns = 0
    for pause_ns, octets in writes:
        now_ns += pause_ns
        meter.note(now_ns, octets)
        dated.append((now_ns, octets))
    windows = [sum(n for time_ns, n in dated if start <= time_ns <= start + 10 * _S) for start, _ in dated]
    assert meter.max_bps() == 8 * max(windows, default=0) / 10
    assert meter.octets == sum(n for _, n in dated)


def test_the_meter_counts_what_the_port_accepts() -> None:
    clock, meter = VirtualClock(), LinkMeter()
    near, far = memory_pair()
    port = MeteredPort(near, clock, meter)
    port.write(b"12345678")
    clock.advance_to(2 * _S)
    port.write(b"123")
    assert far.read(100) == b"12345678123"
    assert (meter.octets_until(0), meter.octets_until(2 * _S - 1), meter.octets_until(2 * _S)) == (8, 8, 11)
    far.write(b"back")
    assert port.read(100) == b"back"
    port.close()


def test_the_source_knows_what_moves_on_the_test_camera() -> None:
    source = Source(RigSettings(seconds=2))
    first, moving = source.at(-_S)
    assert first.shape == (240, 320, 3)
    assert 0 < moving.mean() < 0.8
    again, _ = source.at(99_999_999)
    assert again is first
    later, _ = source.at(2 * _S)
    assert not np.array_equal(later, first)
    source.close()


def test_the_source_finds_what_moves_in_pictures(tmp_path: Path) -> None:
    for k in range(8):
        picture = np.full((240, 320, 3), 90, np.uint8)
        picture[100:140, 20 + 30 * k : 50 + 30 * k] = (200, 40, 40)
        picture[5, 5] = 255 * (k % 2)  # a single pixel does not count
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture)
    source = Source(RigSettings(camera=f"file:{tmp_path}", seconds=0.8))
    _, moving = source.at(3 * _S // 10)
    assert moving[100:140, 110:140].all()
    assert moving.mean() < 0.1
    source.close()


def test_scores_before_and_after_the_first_picture() -> None:
    source = np.full((240, 320, 3), 138, np.uint8)
    source[100:120, 100:120] = 240
    moving = np.zeros((240, 320), np.bool_)
    moving[100:120, 100:120] = True
    keeper = ScoreKeeper()
    assert (keeper.take(0, source, moving, None) == 128).all()
    changed = source.copy()
    changed[100:120, 100:120] = 200
    assert keeper.take(_S // 10, changed, moving, changed) is changed
    keeper.take(2 * _S // 10, changed, moving, changed)
    keeper.take(3 * _S // 10, source, np.zeros_like(moving), changed)
    assert [score.time_s for score in keeper.scores] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert keeper.scores[0].moving_psnr_db == pytest.approx(20 * np.log10(255 / 112))
    assert keeper.scores[1].psnr_db == 100
    assert keeper.scores[3].moving_psnr_db is None
    assert keeper.distinct == 1  # only once both had changed


def test_a_video_without_a_folder(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="cannot write"):
        SideBySideVideo(tmp_path / "missing" / "a.mp4", (320, 240), 10, ("a", "b"))


def test_a_plot_has_gaps_and_says_what_it_shows() -> None:
    curve = Curve("a < b", [(0.0, 1.0), (1.0, 2.0), (2.0, None), (3.0, 1.5), (4.0, 9.0)])
    plot = line_plot([curve], x_label="t [s]", y_label="height", y_range=(0.0, 2.0))
    path = plot.split("class='line ours' d='")[1].split("'")[0]
    assert path.count("M") == 2
    assert path.count("L") == 2
    assert "a &lt; b" in plot
    assert plot.count("<svg") == plot.count("</svg>") == 1
