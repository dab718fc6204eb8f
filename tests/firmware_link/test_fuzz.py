"""A small share of the attacks that ``make fuzz`` makes, and whether they would find anything."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
from tests.firmware_link.attacks.intruder import attack_with_forgeries, attack_with_jammed, attack_with_recordings
from tests.firmware_link.attacks.line import attack_codewords, attack_packets
from tests.firmware_link.attacks.readers import attack_captures, attack_payloads
from tests.firmware_link.attacks.report import Report

from pantel_link import CaptureError, StreamContext, seal
from pantel_link.captures import CaptureHeader
from pantel_link.sequence import Arrival, CounterTracker, Order


@pytest.fixture
def report() -> Report:
    return Report()


def test_noise_and_malice_on_the_line_are_noticed(report: Report) -> None:
    attack_packets(report, 16_000, random.Random(2))
    attack_codewords(report, 4_000, random.Random(2))
    assert report.clean, report.lines()
    assert report.checked >= 10_000
    assert report.lines()[1].endswith("chance lets 0.000003 of them pass")


def test_readers_of_payloads_raise_their_one_error(report: Report) -> None:
    attack_payloads(report, 10_000, random.Random(2))
    assert report.clean, report.lines()
    assert 1_000 <= report.refused <= 5_000


def test_damaged_captures_raise_their_one_error(
    report: Report, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    attack_captures(report, 250, random.Random(2), tmp_path)
    assert report.clean, report.lines()
    assert report.checked >= 100


@pytest.mark.parametrize("counter", [-1, 1 << 26, 1 << 40])
def test_a_capture_whose_head_counts_too_far_is_refused(context: StreamContext, counter: int) -> None:
    """The attacks found it: the counter reached the trailer's arithmetic, which raised OverflowError in a replay."""
    comment = CaptureHeader(contexts=(context,), counters={context: counter}).to_comment()
    with pytest.raises(CaptureError, match="no possible receiver"):
        CaptureHeader.from_comment(comment, 960)


def test_no_forgery_and_no_recording_is_accepted(report: Report) -> None:
    attack_with_forgeries(report, 4_000, random.Random(2))
    attack_with_recordings(report, 3_000, random.Random(2))
    assert report.clean, report.lines()
    assert min(report.forged.values()) >= 400
    assert min(report.replayed.values()) >= 100


def test_what_was_jammed_cannot_be_played_after_a_restart_of_the_mast(report: Report) -> None:
    """The protocol says: a receiver with a key takes no epoch below the highest of that sender."""
    attack_with_jammed(report, 500, random.Random(2))
    assert report.clean, report.lines()


def test_a_check_that_is_left_out_is_found(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "compare_digest", lambda *_: True)
    attack_packets(report, 4_000, random.Random(2))
    attack_with_forgeries(report, 1_000, random.Random(2))
    assert report.undetected > 100
    assert report.forged_accepted.total() > 100
    assert "undetected errors" in report.lines()[2]


def test_a_history_that_is_left_out_is_found(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(tracker: CounterTracker, counter: int) -> Arrival:
        tracker.newest = max(counter, tracker.newest or 0)
        return Arrival(Order.NEW)

    monkeypatch.setattr(CounterTracker, "observe", forgetful)
    attack_with_recordings(report, 1_000, random.Random(2))
    assert report.replayed_accepted.total() > 100
