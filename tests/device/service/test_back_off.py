"""Starts in a row that came to nothing, and how long the next one waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pantel_device.service.back_off import BackOff, Failures


def test_the_more_have_failed_the_longer_the_next_one_waits() -> None:
    assert [Failures(count).delay_s for count in range(10)] == [0, 0, 0, 2, 4, 8, 16, 32, 60, 60]
    assert Failures(10**6).delay_s == 60


def test_a_start_has_failed_until_it_works(tmp_path: Path) -> None:
    file = tmp_path / "failures.json"
    for count in range(4):
        assert BackOff(file).begin() == Failures(count, "it was killed, or did not answer")
    back_off = BackOff(file)
    back_off.begin()
    back_off.fail("there is no camera")
    back_off = BackOff(file)
    assert back_off.begin() == Failures(5, "there is no camera")
    back_off.settle()
    assert not file.exists()
    assert BackOff(file).begin() == Failures(0)


def test_a_failure_after_long_work_counts_once(tmp_path: Path) -> None:
    back_off = BackOff(tmp_path / "failures.json")
    back_off.begin()
    back_off.settle()
    back_off.fail("the camera broke down")
    assert BackOff(tmp_path / "failures.json").begin() == Failures(1, "the camera broke down")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"count": "many", "reason": 1}', '{"count": null}', "\0\0"])
def test_a_damaged_file_counts_for_nothing(content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "failures.json").write_text(content)
    assert BackOff(tmp_path / "failures.json").begin() == Failures(0)
    assert caplog.messages[0].startswith("cannot read the failures path=")


def test_a_folder_that_is_missing_keeps_nobody_from_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    back_off = BackOff(tmp_path / "missing" / "failures.json")
    assert back_off.begin() == Failures(0)
    back_off.fail("something")
    back_off.settle()
    assert all(message.startswith("cannot keep the failures path=") for message in caplog.messages)


def test_without_a_file_nothing_is_counted() -> None:
    back_off = BackOff(None)
    assert [back_off.begin(), back_off.begin()] == 2 * [Failures(0)]
