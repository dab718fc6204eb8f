"""`pantel demo --live`: both daemons and the page, as a new user sees them first."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest

from pantel_device.cli import main

_PATIENCE_S = 90.0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.slow
def test_the_page_shows_what_the_camera_sees_and_asks_for_a_still(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "pantel_device", "demo", "--live", url.removeprefix("http://")]
    demo = subprocess.Popen(
        [*command, "--out", str(tmp_path), "--ber", "1e-4"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert demo.stdout is not None
        assert demo.stdout.readline() == f"live: {url}/ (Ctrl-C ends it)\n"
        end_s = time.monotonic() + _PATIENCE_S
        while not (state := json.load(urlopen(f"{url}/api/state")))["senders"]:  # noqa: S310
            assert time.monotonic() < end_s
            time.sleep(0.5)
        assert state["can"] == {"ask": True, "stills": True, "recordings": True, "log_out": False}
        while True:
            try:
                jpeg = urlopen(f"{url}/picture.jpg").read()  # noqa: S310
                break
            except OSError:  # there is none yet
                assert time.monotonic() < end_s
                time.sleep(0.5)
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (240, 320, 3)
        wish = json.dumps({"what": "still", "sender": "N0CALL-0", "still_bytes": 300, "region": None}).encode()
        headers = {"Content-Type": "application/json", "Origin": url}
        assert urlopen(Request(f"{url}/api/ask", wish, headers)).status == 202  # noqa: S310
        while not any((tmp_path / "stills").glob("*.ptl")):
            assert time.monotonic() < end_s
            time.sleep(0.5)
    finally:
        demo.terminate()
        _, complaints = demo.communicate(timeout=30)
    assert demo.returncode == 0
    assert "Traceback" not in complaints
    assert list((tmp_path / "recordings").glob("N0CALL-0-*.mp4"))


def test_a_demo_either_shows_or_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--live", "--real-time"]) == 2
    assert "leave one of them out" in capsys.readouterr().err


def test_an_address_that_is_taken_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["demo", "--live", address, "--out", str(tmp_path), "--seconds", "1"]) == 2
    said = capfd.readouterr()
    assert said.err == (
        f"pantel: error: the page cannot be at {address}: Address already in use; name another address with --live\n"
    )
    assert said.out == ""


@pytest.mark.parametrize("address", ["8080", "127.0.0.1:99999", "nowhere.invalid:80", "127.0.0.1:"])
def test_addresses_that_cannot_be(tmp_path: Path, address: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--live", address, "--out", str(tmp_path)]) == 2
    assert f"the page cannot be at {address}: " in capfd.readouterr().err


def test_a_folder_that_cannot_be(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--live", "127.0.0.1:0", "--out", "/proc/nowhere"]) == 2
    assert "name another with --out" in capfd.readouterr().err
