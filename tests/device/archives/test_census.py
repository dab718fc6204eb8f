"""What is counted of runs, senders and days, on captures whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest
from tests.device.archives.conftest import Maker
from tests.golden.scene_capture import CAPTURE

from pantel_bench.archive.captures import Kind
from pantel_device.archives import census as census_module
from pantel_device.archives.census import Census, Row
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureHeader,
    capture_families,
    join_rotated,
    read_capture,
)
from pantel_models import View

_S = 1_000_000_000
_DAY_S = 86_400


class _Drawn:
    """A sink that counts pictures of a replay that draws them."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []

    def on_picture(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def on_event(self, event: Event) -> None:
        """Only pictures matter."""

    def close(self) -> None:
        """Nothing to release."""


def take(events: Sequence[CaptureEvent], *, fresh_s: float = 10.0, hashed: View | None = None) -> Census:
    census = Census("line", fresh_s=fresh_s, hashed=hashed)
    for _ in replay(events, (), probe=census):
        pass
    return census


def total(rows: Sequence[Row], key: str) -> float:
    return sum(float(row[key] or 0) for row in rows)


def shifted(event: CaptureEvent, by_ns: int) -> CaptureEvent:
    match event:
        case CapturedCodeword():
            return replace(event, arrival_ns=event.arrival_ns + by_ns)
        case CaptureEnd():
            return CaptureEnd(event.time_ns + by_ns)
        case CaptureHeader():
            return event


def test_it_counts_what_the_replay_and_its_pictures_say(make: Maker) -> None:
    events = list(read_capture(make("line.pcapng", seconds=12.0)))
    drawn = _Drawn()
    (run,) = replay(events, [drawn])
    census = take(events, hashed=View.FAITHFUL)
    (row,), (sender,) = census.runs, census.senders
    assert {key: row[key] for key in asdict(run.statistics)} == asdict(run.statistics)
    assert row["codewords"] == run.codewords
    assert row["seconds"] == pytest.approx(run.seconds, abs=1e-6)
    assert (row["payloads_damaged"], row["payloads_cut"]) == (run.payloads_damaged, run.payloads_cut)
    assert sender["packets_good"] == row["packets_good"] == run.statistics.packets_good
    assert run.statistics.packets_good > 10
    assert sender["payloads_cut"] == row["payloads_cut"]
    assert sender["pictures"] == len(drawn.pictures) == len(census.pictures) > 80
    begin_ns = next(event.arrival_ns for event in events if isinstance(event, CapturedCodeword))
    first_s = (drawn.pictures[0].time_ns - begin_ns) / _S
    assert sender["first_picture_s"] == pytest.approx(first_s, abs=0.1)
    assert (sender["callsign"], sender["sender"], sender["streams"]) == ("N1CALL", 1, 1)


def test_quality_is_that_of_the_picture_on_show() -> None:
    events = list(read_capture(CAPTURE))
    drawn = _Drawn()
    list(replay(events, [drawn]))
    (sender,) = take(events).senders
    picture = next(each for each in drawn.pictures if each.time_ns == 10 * _S)
    known = np.isfinite(picture.cell_age_s)
    assert sender["quality_samples"] == 1
    assert sender["cells_known_share"] == known.mean() == 1.0
    assert sender["cell_age_mean_s"] == pytest.approx(np.median(picture.cell_age_s[known]), abs=1e-6)
    assert sender["objects_mean"] == len(picture.objects) == 2
    assert 0.2 < float(sender["cells_fine_share"] or 0) < 0.4
    assert 1 < float(sender["cell_levels_mean"] or 0) <= 4


def test_without_hashes_nothing_is_drawn(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_drawing(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pantel_device.receiving.receiver.Renderer.draw", no_drawing)
    census = take(list(read_capture(make("line.pcapng"))))
    assert total(census.senders, "pictures") > 30
    assert census.pictures == []


def test_a_run_over_midnight_is_two_days_that_add_up(make: Maker) -> None:
    events = list(read_capture(make("line.pcapng", Kind.MIDNIGHT, seconds=12.0)))
    (header,) = (event for event in events if isinstance(event, CaptureHeader))
    # The same an hour earlier: one day.
    (whole,) = take([replace(header, clock_offset_ns=header.clock_offset_ns - 3600 * _S), *events[1:]]).senders
    census = take(events)
    days = [str(row["day"]) for row in census.senders]
    assert len(days) == 2
    assert days == sorted(days) == [str(row["day"]) for row in census.runs]
    added = ["packets_good", "packets_lost", "good_bits", "corrected_bits", "pictures", "seconds", "seconds_fresh"]
    for key in [*added, "seconds_with_content", "payloads_cut"]:
        assert total(census.senders, key) == whole[key], key
    assert total(census.runs, "seconds") == pytest.approx(11.7, abs=0.4)
    midnight_ns = int(census.runs[1]["begin_utc"] or 0)
    assert midnight_ns % (_DAY_S * _S) == 0
    assert {row["packets_good"] for row in census.senders}.isdisjoint({0})


def test_older_files_change_nothing_but_their_number(make: Maker) -> None:
    rotated, whole = make("rotated/line.pcapng", Kind.ROTATED), make("whole/line.pcapng")
    ((_, files),) = capture_families(rotated.parent.iterdir()).items()
    assert len(files) > 1
    events = list(join_rotated(event for path in files for event in read_capture(path)))
    joined, expected = take(events), take(list(read_capture(whole)))
    assert (joined.runs, joined.senders) == (expected.runs, expected.senders)


def test_content_grows_old_in_silence(make: Maker) -> None:
    *events, end = read_capture(make("line.pcapng", seconds=12.0))
    assert isinstance(end, CaptureEnd)
    hour_ns = 3600 * _S
    (heard,) = take([*events, end]).senders
    (silent,) = take([*events, CaptureEnd(end.time_ns + hour_ns)]).senders
    assert int(silent["seconds"] or 0) == int(heard["seconds"] or 0) + 3600
    assert int(silent["seconds_fresh"] or 0) - int(heard["seconds_fresh"] or 0) in {9, 10}
    assert silent["availability"] == pytest.approx(int(silent["seconds_fresh"] or 0) / int(silent["seconds"] or 1))
    assert silent["content_age_max_s"] == pytest.approx(3600, abs=2)
    assert silent["content_age_p50_s"] == pytest.approx(1800, abs=62)
    assert silent["quality_samples"] == int(heard["quality_samples"] or 0) + 1
    assert 580 <= int(silent["pictures"] or 0) - int(heard["pictures"] or 0) <= 600  # no longer than a minute


def test_a_clock_that_jumps_by_years_takes_no_time(make: Maker) -> None:
    *events, end = read_capture(make("line.pcapng"))
    assert isinstance(end, CaptureEnd)
    (run,) = take([*events, end]).runs
    jumped = take([*events, CaptureEnd(end.time_ns + 400 * 365 * _DAY_S * _S)])
    assert len(jumped.runs) <= 2
    assert total(jumped.runs, "seconds") <= float(run["seconds"] or 0) + 60  # as long as a replay goes on


def test_a_sender_that_starts_again_loses_no_count(make: Maker) -> None:
    first, second = (list(read_capture(make(f"{number}.pcapng", number=number))) for number in (1, 5))
    apart = [*take(first).senders, *take(second).senders]
    later = [shifted(event, 3600 * _S) for event in second[1:]]
    (both,) = take([*first[:-1], *later]).senders
    assert [row["sender"] for row in apart] == [both["sender"]] * 2
    assert both["streams"] == 2
    for key in ("packets_good", "packets_lost", "good_bits", "corrected_bits"):
        assert both[key] == total(apart, key), key


def test_two_senders_are_two_rows(make: Maker) -> None:
    first, second = (list(read_capture(make(f"{number}.pcapng", number=number))) for number in (1, 2))
    headers = [event for event in (first[0], second[0]) if isinstance(event, CaptureHeader)]
    begins = [next(e.arrival_ns for e in events if isinstance(e, CapturedCodeword)) for events in (first, second)]
    codewords = [
        *(event for event in first if isinstance(event, CapturedCodeword)),
        *(shifted(e, begins[0] - begins[1]) for e in second if isinstance(e, CapturedCodeword)),
    ]
    codewords.sort(key=lambda each: each.arrival_ns if isinstance(each, CapturedCodeword) else 0)
    census = take([headers[0], *codewords])
    assert [row["callsign"] for row in census.senders] == ["N1CALL", "N2CALL"]
    apart = [*take(first).senders, *take(second).senders]
    assert [row["packets_good"] for row in census.senders] == [row["packets_good"] for row in apart]
    assert total(census.runs, "packets_good") == total(apart, "packets_good")
    assert all(float(row["availability"] or 0) > 0.5 for row in census.senders)


def test_where_the_time_was_not_known_there_is_no_day(make: Maker) -> None:
    header, *events = read_capture(make("line.pcapng", number=10))
    assert isinstance(header, CaptureHeader)
    census = take([replace(header, clock_offset_ns=0), *events])
    assert [row["day"] for row in (*census.runs, *census.senders, *census.alarms)] == [None] * 3
    assert census.runs[0]["begin_utc"] is None
    assert census.alarms[0]["told_utc"] is None
    (dated,) = take([header, *events]).alarms
    assert (dated["zone"], dated["class"], dated["phase"]) == ("gate", "person", "began")
    assert int(dated["told_utc"] or 0) // (_DAY_S * _S) > 20_000


def test_codewords_of_nobody_make_a_run_without_senders() -> None:
    noise = [CapturedCodeword(bytes(48), number * _S, "") for number in range(5)]
    census = take([CaptureHeader(), *noise])
    assert [(row["codewords"], row["packets_good"]) for row in census.runs] == [(5, 0)]
    assert census.senders == []
    assert take([CaptureHeader(), CaptureEnd(5)]).runs == []


def _small_file_of(days: int, step_s: float, offset_ns: int) -> list[CaptureEvent]:
    """Return a capture whose sender is heard for a while, and whose last codeword comes again and again, days later."""
    header, *events = read_capture(CAPTURE)
    assert isinstance(header, CaptureHeader)
    codewords = [event for event in events if isinstance(event, CapturedCodeword)]
    last = codewords[-1]
    later = [shifted(last, round(number * step_s * _S)) for number in range(1, days + 1)]
    return [replace(header, clock_offset_ns=offset_ns), *codewords, *later]


@pytest.mark.parametrize("offset_ns", [0, 1_700_000_000 * _S])
def test_a_small_file_makes_no_more_days_than_a_receiver_hears(offset_ns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census_module, "_MOST_SENDER_DAYS", 20)
    assert len(take(_small_file_of(10, 0.9 * _DAY_S, offset_ns)).senders) == (10 if offset_ns else 1)
    with pytest.raises(OverflowError, match="more than 20 days of senders"):
        take(_small_file_of(30, 0.9 * _DAY_S, offset_ns))


def test_a_month_between_two_packets_is_no_month_of_rows() -> None:
    census = take(_small_file_of(20, 30 * _DAY_S, 1_700_000_000 * _S))
    assert len(census.runs) <= 21
    assert total(census.senders, "seconds") < 21 * 70  # no longer than a replay goes on after each
