"""Links to pseudo-terminals: one process has one at a time, and one that was killed keeps nobody out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pantel_link import PortError, PortNameError, open_port

_HOLD = """
import sys, time
from pantel_link import open_port
port = open_port(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def test_a_link_in_use_is_refused_until_it_is_free(tmp_path: Path) -> None:
    url = f"pty:{tmp_path / 'line'}"
    with open_port(url) as near:
        device = (tmp_path / "line").readlink()
        with pytest.raises(PortError, match="another pantel uses it: stop that one, or name another place"):
            open_port(url)
        (tmp_path / "elsewhere").symlink_to(tmp_path)
        with pytest.raises(PortError, match="another pantel uses it"):  # by another name
            open_port(f"pty:{tmp_path / 'elsewhere' / 'line'}")
        assert (tmp_path / "line").readlink() == device
        with open_port(f"pty:{tmp_path / 'line2'}"), open_port(str(tmp_path / "line")) as far:
            assert far.write(b"over") == 4
            assert near.read(100) == b"over"
    open_port(url).close()


def test_the_link_of_a_process_that_was_killed_is_replaced(tmp_path: Path) -> None:
    url = f"pty:{tmp_path / 'line'}"
    with subprocess.Popen([sys.executable, "-c", _HOLD, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(PortError, match="another pantel uses it"):
            open_port(url)
        process.kill()
    assert (tmp_path / "line").is_symlink()
    # Its number may have been given to somebody else meanwhile.
    ours, theirs = os.openpty()
    (tmp_path / "line").unlink()
    (tmp_path / "line").symlink_to(os.ttyname(theirs))
    with open_port(url):
        assert (tmp_path / "line").readlink() != Path(os.ttyname(theirs))
    os.close(ours)
    os.close(theirs)


def test_a_failed_opening_leaves_the_link_free(tmp_path: Path) -> None:
    (tmp_path / "line").write_text("")
    for _ in range(2):
        with pytest.raises(PortNameError, match="it exists and is no pseudo-terminal"):
            open_port(f"pty:{tmp_path / 'line'}")
    (tmp_path / "line").unlink()
    open_port(f"pty:{tmp_path / 'line'}").close()
