"""A quarter of an hour of what ``make endurance`` does for a day."""

from __future__ import annotations

from pathlib import Path

from tests.firmware_link.endurance import endure


def test_a_link_runs_on_and_on(tmp_path: Path) -> None:
    figures = endure(0.25, tmp_path)
    assert figures.kept, figures.lines()
    assert 9_500 <= figures.worst_window_bits <= 10_000
    assert 0.85 <= figures.delivered / figures.packets <= 0.93
    assert figures.stills_complete >= figures.stills - 1 >= 5
    assert figures.texts >= 8
    assert figures.disk_bytes < 5e6
