"""The test scene for 20 s through real modem programs, against the same scene over simulated lines.

The modems carry audio in real time; sender and receiver compute on virtual clocks before and after, so a busy machine
only makes audio some milliseconds later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.real_parts import needs_program, present

from pantel_bench.modem.measure import SIMULATED, ModemCase, ModemResult, measure_modems
from pantel_bench.modem.page import to_html, to_lines
from pantel_bench.modem.report import ModemRow, make_row, to_json
from pantel_bench.rig.settings import RigSettings

pytestmark = [pytest.mark.real, pytest.mark.slow]

REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"
SETTINGS = RigSettings(seconds=20.0)
MINIMODEM, NOISY_MINIMODEM, DIREWOLF = ModemCase("minimodem"), ModemCase("minimodem", 0.0), ModemCase("direwolf")
CASES = (MINIMODEM, NOISY_MINIMODEM, DIREWOLF)


@pytest.fixture(scope="module")
def results() -> Sequence[ModemResult]:
    """Return what was measured: all modems that are here carry at the same time."""
    return measure_modems(SETTINGS, [case for case in CASES if present(case.modem)])


@pytest.fixture(scope="module")
def rows(results: Sequence[ModemResult]) -> Mapping[tuple[ModemCase, str], ModemRow]:
    """Return the figures by way and profile."""
    return {(result.case, result.profile): make_row(result) for result in results}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a way must reach.

    Attributes:
        most_lost: Packets.
        most_worse_db: By how much PSNR may be below that of the simulated line [dB].
        least_ms_ssim: Over the last five seconds.
    """

    most_lost: int
    most_worse_db: float
    least_ms_ssim: float


@pytest.mark.parametrize(
    ("case", "profile", "bar"),
    [
        pytest.param(MINIMODEM, "stream", Bar(0, 0.8, 0.75), marks=needs_program("minimodem"), id="minimodem"),
        pytest.param(NOISY_MINIMODEM, "stream", Bar(5, 1.5, 0.70), marks=needs_program("minimodem"), id="noise"),
        pytest.param(DIREWOLF, "packet", Bar(0, 0.4, 0.75), marks=needs_program("direwolf"), id="direwolf"),
    ],
)
def test_the_scene_looks_as_over_a_simulated_line(
    rows: Mapping[tuple[ModemCase, str], ModemRow], case: ModemCase, profile: str, bar: Bar
) -> None:
    row, simulated = rows[case, profile], rows[ModemCase(SIMULATED), profile]
    assert row.packets_lost <= bar.most_lost
    assert row.packets_received >= row.packets_sent - 3 - bar.most_lost  # what the end of the run cuts off is not lost
    assert row.gross_bps_max_10s <= 1000
    assert row.first_picture_s is not None
    assert row.first_picture_s <= 5
    assert row.shown_fps >= 10
    assert row.distinct_fps is not None
    assert simulated.distinct_fps is not None
    assert row.distinct_fps >= simulated.distinct_fps - 1
    assert row.psnr_db >= simulated.psnr_db - bar.most_worse_db
    assert row.moving_psnr_db is not None
    assert simulated.moving_psnr_db is not None
    assert row.moving_psnr_db >= simulated.moving_psnr_db - bar.most_worse_db
    assert row.ms_ssim_last_5s >= bar.least_ms_ssim


@needs_program("minimodem")
def test_noise_is_heard_and_corrected(rows: Mapping[tuple[ModemCase, str], ModemRow]) -> None:
    assert rows[MINIMODEM, "stream"].bit_error_rate == 0
    assert rows[NOISY_MINIMODEM, "stream"].bit_error_rate
    assert rows[NOISY_MINIMODEM, "stream"].packets_received > 0.8 * rows[NOISY_MINIMODEM, "stream"].packets_sent


@needs_program("minimodem")
def test_the_report(results: Sequence[ModemResult]) -> None:
    rows = [make_row(result) for result in results]
    content = json.loads(to_json(SETTINGS, rows))
    assert content["benchmark"] == "modem"
    assert [(row["modem"], row["snr_db"]) for row in content["rows"]][-len(rows) :] == [
        (row.modem, row.snr_db) for row in rows
    ]
    assert all(len(values) == 200 for values in content["rows"][0]["series"].values())
    section = REPORTS.read_text().partition("## `pantel bench modem`")[2].partition("\n## ")[0]
    undocumented = [key for key in {*content, *content["settings"], *content["rows"][0]} if f"`{key}`" not in section]
    assert not undocumented
    lines = to_lines(rows).splitlines()
    assert len(lines) == len(rows) + 1
    assert len({len(line) for line in lines}) == 1
    assert "minimodem, 0 dB SNR" in "".join(lines)
    parser = HTMLParser()
    parser.feed(to_html(SETTINGS, rows, [result.last for result in results]).decode())
    parser.close()
