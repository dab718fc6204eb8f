"""Power cuts: whatever the moment, what was written is whole or is cleared away at the next start.

200 times a real daemon is killed (SIGKILL) at a random moment of its start or of its work; they are forked from a
process that has loaded their libraries, because loading takes longer than all else. The kernel lives on, so what was
written once stays written: what a power cut does to that besides, on file systems that lose or zero the end of files,
is tried out on the files themselves.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.recordings.films import times_s
from tests.system.power_cut.nursery import Nursery, Programs
from tests.system.power_cut.rig import Rig

from pantel_device.recordings import recordings_in
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.repair import is_complete

_DISK_BYTES = 4_000_000


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs leave to mount a small file system: run it as root, outside of most containers")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_daemons_that_are_killed_at_random_moments(
    nursery: Nursery, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "disk").mkdir()
    with Rig(tmp_path / "disk", tmp_path, nursery, seed=1) as rig:
        rig.kill(132)
        rig.end()
    assert caplog.records == []  # after an orderly end nothing is found to be damaged
    assert len(rig.epochs) > 10
    assert rig.pictures
    assert rig.stills


@pytest.mark.slow
def test_programs_that_are_killed_as_users_start_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "disk").mkdir()
    with Rig(tmp_path / "disk", tmp_path, Programs(), seed=4) as rig:
        rig.kill(8)
        rig.end()
    assert caplog.records == []


@pytest.mark.slow
def test_daemons_that_are_killed_while_the_disk_is_full(
    nursery: Nursery, small_disk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Rig(small_disk, tmp_path, nursery, seed=2, fills_up=True) as rig:
        rig.kill(60)
        rig.end()
    assert caplog.records == []
    assert len(rig.epochs) > 3
    assert rig.receiver.refusals == 0  # only a sender has to write before it may begin


@pytest.mark.slow
def test_a_recorder_that_is_killed_while_it_writes_all_the_time(nursery: Nursery, tmp_path: Path) -> None:
    folder, moment = tmp_path / "recordings", random.Random(3)
    folder.mkdir()
    pictures = torn = kills = 0
    seen: set[Path] = set()
    while kills < 60 or (pictures <= 1000 and kills < 300):  # a busy machine records less before it is killed
        kills += 1
        process = nursery.start(["record", str(folder)], tmp_path / "log")
        time.sleep(moment.uniform(0.05, 0.3))
        os.kill(process, signal.SIGKILL)
        assert nursery.wait(process) == -signal.SIGKILL
        new = [each.path for each in recordings_in(folder) if each.path not in seen]
        torn += sum(not is_complete(path) for path in new)
        RecordingFolder(folder, 3_000_000)
        seen.update(new)
        for path in filter(Path.exists, new):
            times = times_s(path)
            assert times == sorted(set(times))
            pictures += len(times)
        assert sum(each.path.stat().st_size for each in recordings_in(folder)) <= 3_000_000
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert torn > 10
    assert pictures > 1000
