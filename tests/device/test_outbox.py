"""Who leaves something for a daemon is told where none reads it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pantel_device.cli import main
from pantel_device.outbox import COMMANDS, LINES, Outbox, attending
from pantel_device.receiving.ground import Request

_ATTEND = """
import sys, time
from pathlib import Path
from pantel_device.outbox import attending
with attending(Path(sys.argv[1])):
    print("attending", flush=True)
    time.sleep(60)
"""


def test_an_outbox_is_attended_as_long_as_somebody_reads_it(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "new" / LINES)
    assert not outbox.is_attended
    with attending(tmp_path / "new" / LINES):
        assert outbox.is_attended
        with attending(tmp_path / "new" / LINES):
            assert outbox.is_attended
        assert outbox.is_attended
        assert outbox.waiting() == []
    assert not outbox.is_attended


def test_a_daemon_that_was_killed_reads_nothing_any_more(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _ATTEND, str(tmp_path)], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "attending\n"
        assert Outbox(tmp_path).is_attended
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
    assert not Outbox(tmp_path).is_attended


def test_where_nothing_can_be_kept_the_daemon_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with attending(tmp_path / "file" / LINES):
        assert "nothing can be left for this daemon" in caplog.text
    assert not Outbox(tmp_path / "file" / LINES).is_attended


@pytest.mark.parametrize(
    ("words", "folder", "said"),
    [
        (["say", "gate open"], LINES, "no pantel send reads "),
        (["ask", "still"], COMMANDS, "no pantel receive with back_channel reads "),
    ],
)
def test_nothing_is_left_where_nobody_reads(
    words: list[str], folder: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--state-dir", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"pantel: error: {said}{tmp_path / folder}: start it, or name its state_dir")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    with attending(tmp_path / folder):
        assert main([*words, "--state-dir", str(tmp_path)]) == 0
    assert len(Outbox(tmp_path / folder).waiting()) == 1


@pytest.mark.parametrize("turned", [False, True])
def test_whom_to_ask_may_stand_on_either_side_of_what(turned: bool, tmp_path: Path) -> None:
    whom = ["--state-dir", str(tmp_path), "--callsign", "k1abc", "--sender", "3", "--within", "60"]
    with attending(tmp_path / COMMANDS):
        assert main(["ask", *whom, "still"] if turned else ["ask", "still", *whom]) == 0
    ((_, text),) = Outbox(tmp_path / COMMANDS).waiting()
    request = Request.from_text(text)
    assert (request.sender, request.callsign, request.within_s) == (3, "K1ABC", 60)
