"""What is left for real daemons by `pantel ask` and `pantel say`: it arrives, and is refused where nobody runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.system.page_rig import PageRig, end, live_rig

_PATIENCE_S = 60.0


def _leave(state_dir: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pantel_device", *words, f"--state-dir={state_dir}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def _event(rig: PageRig, kind: str) -> dict[str, Any]:
    """Wait for an event of a kind and return it."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        with urllib.request.urlopen(f"{rig.url}/api/events?kind={kind}", timeout=10) as response:  # noqa: S310
            if events := json.load(response)["events"]:
                event: dict[str, Any] = events[0]
                return event
        time.sleep(0.2)
    raise AssertionError(f"no event {kind}")


@pytest.mark.slow
def test_what_is_left_arrives_while_there_is_somebody_to_read_it(tmp_path: Path) -> None:
    mast, home = tmp_path / "sender", tmp_path / "receiver"
    with live_rig(tmp_path) as rig:
        assert _leave(mast, "say", "gate open") == (0, "")
        assert _leave(home, "ask", "watch", "--region=0,0,0.5,1", "--seconds=90") == (0, "")
        assert _event(rig, "text")["text"] == "gate open"
        command = _event(rig, "command")
        told = {"command": "watch", "region": "0,0,0.5,1", "seconds": 90, "outcome": "done", "callsign": "K1ABC"}
        assert command.items() >= told.items()
        rig.stop()
        code, said = _leave(home, "ask", "still")
        assert (code, "no pantel receive with back_channel reads" in said) == (1, True)
        assert _leave(mast, "say", "gate closed") == (0, "")  # there is nothing wrong with the mast
        assert rig.sender is not None
        end(rig.sender)
        code, said = _leave(mast, "say", "gate closed")
        assert (code, "no pantel send reads" in said) == (1, True)
