"""Logs for people and logs for the journal of systemd."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import logging, sys
from pantel_device.log_format import configure_logging, error_line
configure_logging("info")
log = logging.getLogger("pantel.test")
log.debug("not shown")
log.info("port back name=%s", "/dev/ttyUSB0")
log.warning("port gone")
try:
    raise ValueError("deep in a driver")
except ValueError:
    log.exception("camera driver failed")
sys.stderr.write(error_line("there is no camera"))
"""

_HOSTILE = r"""
import logging, sys
from pantel_device.log_format import configure_logging, error_line
configure_logging("info")
log = logging.getLogger("pantel.test")
log.warning("file name=%s", "a\nlevel=INFO \x1b]0;b\x07\udcff \xe9")
try:
    raise ValueError("\x1b[2J")
except ValueError:
    log.exception("failed")
sys.stderr.write(error_line("no \x1b[2J file"))
"""


def _stderr(path: Path, *, journal: str | None, program: str = _PROGRAM) -> list[str]:
    """Return what the program writes to standard error, a file.

    Args:
        path: The file.
        journal: What JOURNAL_STREAM says; "this" for the file's own device and inode.
        program: What runs.
    """
    environment = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
    with path.open("w") as file:
        status = os.fstat(file.fileno())
        if journal is not None:
            environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}" if journal == "this" else journal
        subprocess.run([sys.executable, "-c", program], env=environment, stderr=file, check=True)
    return path.read_text("utf-8").splitlines()


@pytest.mark.parametrize("journal", [None, "", "1:2", "this:one", "8:1:9"])
def test_a_log_for_people_tells_the_time(journal: str | None, tmp_path: Path) -> None:
    lines = _stderr(tmp_path / "log", journal=journal)
    assert re.fullmatch(
        r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} level=INFO source=pantel\.test port back name=/dev/ttyUSB0",
        lines[0],
    )
    assert "level=WARNING source=pantel.test port gone" in lines[1]
    assert lines[-2:] == ["ValueError: deep in a driver", "pantel: error: there is no camera"]


def test_a_log_for_the_journal_tells_the_priority_of_each_line_instead(tmp_path: Path) -> None:
    lines = _stderr(tmp_path / "log", journal="this")
    assert lines[:3] == [
        "<6>level=INFO source=pantel.test port back name=/dev/ttyUSB0",
        "<4>level=WARNING source=pantel.test port gone",
        "<3>level=ERROR source=pantel.test camera driver failed",
    ]
    assert lines[3] == "<3>Traceback (most recent call last):"
    assert lines[-2:] == ["<3>ValueError: deep in a driver", "<3>pantel: error: there is no camera"]
    assert all(line.startswith("<3>") for line in lines[2:])
    assert not any("time=" in line for line in lines)


@pytest.mark.parametrize("journal", [None, "this"])
def test_what_others_have_written_stays_in_its_line(journal: str | None, tmp_path: Path) -> None:
    lines = _stderr(tmp_path / "log", journal=journal, program=_HOSTILE)
    assert lines[0].endswith(r"WARNING source=pantel.test file name=a\nlevel=INFO \x1b]0;b\x07\udcff é")
    assert lines[-2:] == [
        f"{'<3>' if journal else ''}{line}" for line in (r"ValueError: \x1b[2J", r"pantel: error: no \x1b[2J file")
    ]
