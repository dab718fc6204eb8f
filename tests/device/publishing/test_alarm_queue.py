"""Alarms that wait: over restarts, torn files, full disks, and not without end."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.device.web.serving import make_event

from pantel_device.command import CommandError
from pantel_device.publishing.alarm_fan_out import AlarmFanOut
from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.receiving.sink import SenderName

_MAST = SenderName("DK1AB/P", 3)


@contextmanager
def _queue(folder: Path, most: int = 1000) -> Iterator[AlarmQueue]:
    queue = AlarmQueue(folder, most)
    try:
        yield queue
    finally:
        queue.close()


def _put(queue: AlarmQueue, *numbers: int) -> None:
    for number in numbers:
        queue.put(f"id{number}", _MAST, {"number": number})


def _drain(queue: AlarmQueue) -> list[int]:
    """Deliver all that waits; return its numbers."""
    numbers = []
    while (alarm := queue.first()) is not None:
        numbers.append(json.loads(alarm.body)["number"])
        queue.remove(alarm)
    return numbers


def test_in_order_and_once(tmp_path: Path) -> None:
    with _queue(tmp_path / "q") as queue:
        _put(queue, 1, 2, 3)
        assert queue.came.is_set()
        first = queue.first()
        assert first is not None
        assert (first.alarm_id, first.sender) == ("id1", _MAST)
        assert json.loads(first.body) == {"id": "id1", "callsign": "DK1AB/P", "sender": 3, "number": 1}
        assert _drain(queue) == [1, 2, 3]
        assert queue.first() is None
        assert not list((tmp_path / "q").iterdir())


def test_over_restarts(tmp_path: Path) -> None:
    with _queue(tmp_path / "q") as queue:
        _put(queue, 1, 2, 3)
        first = queue.first()
        assert first is not None
        queue.remove(first)
    with _queue(tmp_path / "q") as queue:
        _put(queue, 4)
        second = queue.first()
        assert second is not None
        assert (second.alarm_id, second.sender) == ("id2", _MAST)
        assert _drain(queue) == [2, 3, 4]


def test_an_alarm_outlives_its_process_at_once(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, pathlib\n"
        "from pantel_device.publishing.alarm_queue import AlarmQueue\n"
        "from pantel_device.receiving.sink import SenderName\n"
        "queue = AlarmQueue(pathlib.Path(sys.argv[1]))\n"
        "queue.put('id7', SenderName('K1ABC', 0), {'number': 7})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "q"], check=False)
    assert done.returncode == -signal.SIGKILL
    with _queue(tmp_path / "q") as queue:
        assert _drain(queue) == [7]


def test_what_a_power_cut_tears_is_left_out_wherever_it_is_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _queue(tmp_path / "q") as queue:
        _put(queue, 1, 2)
    path = sorted((tmp_path / "q").iterdir())[0]
    whole = path.read_bytes()
    for length in range(len(whole)):
        for torn in (whole[:length], whole[:length] + bytes(len(whole) - length)):
            path.write_bytes(torn)
            with _queue(tmp_path / "q") as queue:
                assert len(queue) == 1, torn
            assert not path.exists()
    assert "a waiting alarm is damaged and was removed" in caplog.text
    with _queue(tmp_path / "q") as queue:
        assert _drain(queue) == [2]


def test_of_too_many_the_oldest_go_which_is_counted_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with _queue(tmp_path / "q", most=5) as queue:
        _put(queue, *range(12))
        assert queue.dropped == 7
        assert len(list((tmp_path / "q").iterdir())) == 5
        assert _drain(queue) == [7, 8, 9, 10, 11]
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "alarms are dropped" in line]) == 1
    assert len([line for line in said if "dropped=7" in line]) == 1


def test_one_that_is_dropped_on_its_way_takes_no_other_with_it(tmp_path: Path) -> None:
    with _queue(tmp_path / "q", most=2) as queue:
        _put(queue, 1, 2)
        on_its_way = queue.first()
        assert on_its_way is not None
        _put(queue, 3)
        queue.remove(on_its_way)
        assert _drain(queue) == [2, 3]


def test_a_full_disk_passes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with _queue(tmp_path / "q") as queue:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        try:
            _put(queue, 1, 2, 3)
            queue.settle()
            assert not list((tmp_path / "q").iterdir())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        first = queue.first()
        assert first is not None
        queue.remove(first)  # delivered without ever having been on the disk
        queue.settle()
        assert len(list((tmp_path / "q").iterdir())) == 2
    with _queue(tmp_path / "q") as queue:
        assert _drain(queue) == [2, 3]
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if line.startswith("cannot write")]) == 1
    assert len([line for line in said if line.startswith("writing again")]) == 1


def test_who_puts_does_not_wait_for_what_had_no_room(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with _queue(tmp_path / "q", most=2) as queue:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        try:
            _put(queue, 1, 2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        hanging = tmp_path / "q" / "000000000001.json"
        os.mkfifo(hanging)  # like a slow disk it keeps who writes waiting
        os.link(hanging, tmp_path / "disk")
        settling = threading.Thread(target=queue.settle)
        putting = threading.Thread(target=_put, args=(queue, 3))
        settling.start()
        settling.join(0.2)
        putting.start()
        putting.join(2)
        waited = putting.is_alive()
        disk = os.open(tmp_path / "disk", os.O_RDWR)
        settling.join()
        putting.join()
        os.close(disk)
        assert not waited
        assert [path.stem[-1] for path in sorted((tmp_path / "q").iterdir())] == ["2", "3"]  # 1 had to make room
        assert _drain(queue) == [2, 3]


def test_one_receiver_at_a_time(tmp_path: Path) -> None:
    with _queue(tmp_path / "q"), pytest.raises(CommandError, match=r"^another receiver uses .*: stop it, or give"):
        AlarmQueue(tmp_path / "q")
    with _queue(tmp_path / "q"):
        pass


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").is_dir(), reason="needs /proc")
def test_a_folder_that_cannot_be_used() -> None:
    with pytest.raises(CommandError, match=r"^cannot keep /proc/alarms.*; set state_dir to a folder that is yours$"):
        AlarmQueue(Path("/proc/alarms"))


def test_every_alarm_goes_to_all_under_one_id_and_nothing_else_does(tmp_path: Path) -> None:
    with _queue(tmp_path / "a") as one, _queue(tmp_path / "b") as other:
        fan_out = AlarmFanOut("home", [one, other])
        assert fan_out.views(_MAST, heard_last=True, silence_s=0) == ()
        fan_out.on_event(make_event("text", text="hello"))
        fan_out.on_event(make_event("alarm", phase="began", zone="gate", number=4))
        fan_out.on_event(make_event("alarm", phase="began", zone="gate", number=4))
        first, same = one.first(), other.first()
        assert first is not None
        assert same is not None
        assert (first.alarm_id, first.body) == (same.alarm_id, same.body)
        assert len(one) == len(other) == 2
        one.remove(first)
        second = one.first()
        assert second is not None
        assert second.alarm_id != first.alarm_id
        told = json.loads(first.body)
        assert (told["receiver"], told["event_type"], told["kind"], told["zone"]) == ("home", "began", "alarm", "gate")
