"""The demo on the real clock: processes, pseudo-terminals and a loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from pantel_bench.demo.produce import produce
from pantel_bench.errors import DemoError
from pantel_bench.rig.settings import RigSettings


def test_two_processes_on_a_pseudo_terminal_line(tmp_path: Path) -> None:
    report = produce(RigSettings(seconds=3, real_time=True), tmp_path)
    assert report.mode == "real_time"
    assert 0 < report.gross_bps_max_10s <= 1000
    assert 48 <= report.wire_octets <= 3 * 960 / 8 + 30  # the burst that the pacing allows
    assert report.packets_received >= 1
    assert report.receiver_max_rss_mib is not None
    assert 20 < report.receiver_max_rss_mib < 300
    assert len(report.series.t_s) == 30


def test_both_ends_on_a_loopback_port(tmp_path: Path) -> None:
    report = produce(RigSettings(seconds=2, real_time=True, port="loop://"), tmp_path)
    assert report.packets_received >= 1
    assert report.channel is None
    assert report.receiver_max_rss_mib is None


def test_a_port_that_is_missing(tmp_path: Path) -> None:
    settings = RigSettings(seconds=2, real_time=True, port="/dev/pantel-missing")
    with pytest.raises(DemoError, match="loopback failed: cannot open port /dev/pantel-missing"):
        produce(settings, tmp_path)
    assert not list(tmp_path.iterdir())
