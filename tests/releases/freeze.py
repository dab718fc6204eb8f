"""Freezes a release: `python -m tests.releases.freeze` lets its daemons run, and keeps what they said and left behind.

It is run once for each release, by the very program of that release, into a folder of its version. Nothing in such a
folder is ever made anew: later programs have to understand what is in there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tests.releases.said import frozen_key, what_it_says

from pantel_device.cameras import open_camera
from pantel_device.video import VideoFile

FOLDER = Path(__file__).parent
SAID = "said.json"
CALLSIGN = "DK1AB-7"
_PATIENCE_S = 60.0
_FPS = 10
_WIDTH_PX, _HEIGHT_PX = 320, 240
_SWING_PX = 80


@dataclass(frozen=True, slots=True)
class _Run:
    """One transmission.

    Attributes:
        name: Of its capture.
        seconds: How long it takes.
        options: Of the sender, besides those of all.
        bitrate_bps: Of the line.
        lines: What the sender is told to say.
        keyed: Whether there is a key.
    """

    name: str
    seconds: float
    options: Mapping[str, str] = field(default_factory=dict)
    bitrate_bps: int = 960
    lines: Sequence[str] = ()
    keyed: bool = False


_GATE = (
    '[{"name":"gate","kind":"alarm","polygon":[[0.4,0.2],[0.7,0.2],[0.7,1],[0.4,1]],"classes":["person"],"dwell_s":3}]'
)
_RUNS = (
    _Run("plain", 20),
    _Run(
        "keyed",
        50,
        {
            "still-interval-s": "30",
            "still-bytes": "300",
            "still-share": "0.6",
            "telemetry-interval-s": "10",
            "zones": _GATE,
        },
        lines=("gate open, 21.5 °C",),
        keyed=True,
    ),
    _Run("sketch", 15, {"mode": "sketch"}),
    _Run("fast", 40, bitrate_bps=9600),
    _Run("panning", 20, {"camera": "file:pan.mp4"}),
)


def main() -> None:
    """Freeze the release that is installed here."""
    place = FOLDER / version("pantel")
    place.mkdir()
    examples = FOLDER.parents[1] / "device" / "pantel_device" / "examples"
    for name in ("sender.toml", "receiver.toml"):
        shutil.copyfile(examples / name, place / name)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _film_a_pan(work / "pan.mp4")
        for run in _RUNS:
            _transmit(run, place, work)
        _keep(work, place)
    master = frozen_key(place / "master.key")
    said = {
        run.name: asdict(what_it_says(place / f"{run.name}.pcapng", master if run.keyed else None)) for run in _RUNS
    }
    (place / SAID).write_text(json.dumps(said, indent=1) + "\n")


def _transmit(run: _Run, place: Path, work: Path) -> None:
    line, state = work / f"{run.name}.line", work / "mast"
    rate = [f"--bitrate-bps={run.bitrate_bps}", "--baud-rate=19200"]
    receive = ["receive", f"--port=pty:{line}", *rate, "--picture=", "--events=", f"--state-dir={work / 'home'}"]
    receive += [f"--capture={place / f'{run.name}.pcapng'}"]
    send = ["send", f"--port={line}", *rate, f"--callsign={CALLSIGN}", f"--state-dir={state}"]
    send += [f"--seconds={run.seconds}"]
    send += [f"--{name}={value}" for name, value in run.options.items()]
    if run.keyed:
        _pantel(work, "key", "new", "master.key")
        _pantel(work, "key", "derive", "master.key", "mast.key", "--callsign", CALLSIGN)
        _pantel(work, "key", "begin", "mast.key", "--state-dir", str(state))
        send.append("--key-file=mast.key")
        receive.append("--key-file=master.key")
    receiver = _start(work, *receive)
    try:
        _wait_for(line)
        sender = _start(work, *send)
        for text in run.lines:
            time.sleep(run.seconds / 4)
            _pantel(work, "say", text, "--state-dir", str(state))
        assert sender.wait() == 0
        time.sleep(2)
    finally:
        receiver.terminate()
        receiver.wait()


def _keep(work: Path, place: Path) -> None:
    """Keep keys and state as they lay on the disks of the machines."""
    for name in ("master.key", "mast.key"):
        shutil.copyfile(work / name, place / name)
    for end in ("mast", "home"):
        (place / end).mkdir()
        for file in (work / end).iterdir():
            if file.is_file() and file.suffix != ".lock" and file.stat().st_size:
                shutil.copyfile(file, place / end / file.name)


def _film_a_pan(path: Path) -> None:
    """Film a picture of the bundled scene with a camera that turns to and fro."""
    camera = open_camera("test:1", (_WIDTH_PX + 2 * _SWING_PX, _HEIGHT_PX), _FPS)
    frame = camera.capture(0)
    camera.close()
    assert frame is not None
    with VideoFile(path, (_WIDTH_PX, _HEIGHT_PX), _FPS) as video:
        for angle in np.linspace(0, 2 * np.pi, 20 * _FPS):
            left = round(_SWING_PX * (1 - np.cos(angle)))
            video.add(np.ascontiguousarray(frame.pixels[:, left : left + _WIDTH_PX]))


def _pantel(work: Path, *arguments: str) -> None:
    assert _start(work, *arguments).wait() == 0, arguments


def _start(work: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from pantel_device.cli import main; raise SystemExit(main())", *arguments]
    return subprocess.Popen(command, cwd=work, env={**os.environ, "XDG_STATE_HOME": str(work)})


def _wait_for(path: Path) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not path.exists():
        assert time.monotonic() < end_s, f"{path} never appeared"
        time.sleep(0.1)


if __name__ == "__main__":
    main()
