"""`/stream.mjpeg` as a plain address for other programs, read by ffmpeg and OpenCV."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from tests.device.web.serving import MAST, TOKEN, Site, make_picture
from tests.real_parts import needs_program

from pantel_device.receiving.sink import SenderName

_OTHER = SenderName("K1ABC", 1)
_SECONDS = 3.0
_SIZE = 16 * 32


@pytest.fixture
def playing(locked: Site) -> Iterator[Site]:
    """A page with a token whose receiver draws two masts ten times a second, a dark one heard last and a light one."""
    stopped = threading.Event()

    def draw() -> None:
        number = 0
        while not stopped.wait(0.1):
            number += 1
            now_ns = locked.clock.now_ns()
            for mast, grey in ((MAST, 20), (_OTHER, 200)):
                locked.feed(make_picture(now_ns, sender=mast, grey=grey + number % 40))

    thread = threading.Thread(target=draw)
    thread.start()
    yield locked
    stopped.set()
    thread.join()


def _read(*arguments: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Let ffmpeg read for some seconds; return each picture as a row."""
    done = subprocess.run(
        [
            "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-use_wallclock_as_timestamps", "1", *arguments,
            "-t", str(_SECONDS), "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-",
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, _SIZE)


@pytest.mark.real
@pytest.mark.slow
@needs_program("ffmpeg")
@pytest.mark.parametrize(
    ("options", "user", "query", "dark"),
    [
        (["-headers", f"Authorization: Bearer {TOKEN}\r\n"], "", "", True),
        (["-auth_type", "basic"], f"any:{TOKEN}@", "?sender=auto&view=perceptual", True),
        (["-auth_type", "basic"], f":{TOKEN}@", "?sender=K1ABC-1", False),
    ],
)
def test_ffmpeg_reads_the_stream(playing: Site, options: list[str], user: str, query: str, dark: bool) -> None:
    began_s = time.monotonic()
    pictures = _read(*options, "-i", f"http://{user}{playing.netloc}/stream.mjpeg{query}")
    assert time.monotonic() - began_s < 3 * _SECONDS  # it comes as it is drawn
    assert 0.7 * 10 * _SECONDS <= len(pictures) <= 1.2 * 10 * _SECONDS
    means = pictures.mean(axis=1)
    assert len(np.unique(means.round())) > 15  # each is another one
    assert (means < 100).all() == dark
    assert (means > 150).all() != dark


@pytest.mark.real
@needs_program("ffmpeg")
def test_ffmpeg_with_a_wrong_password_gets_nothing(playing: Site) -> None:
    with pytest.raises(AssertionError, match="401 Unauthorized"):
        _read("-auth_type", "basic", "-i", f"http://any:nonsense@{playing.netloc}/stream.mjpeg")


@pytest.mark.parametrize(
    ("options", "user"), [(f"headers;Authorization: Bearer {TOKEN}", ""), ("auth_type;basic", f"any:{TOKEN}@")]
)
def test_opencv_reads_the_stream(playing: Site, monkeypatch: pytest.MonkeyPatch, options: str, user: str) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", options)
    capture = cv2.VideoCapture(f"http://{user}{playing.netloc}/stream.mjpeg", cv2.CAP_FFMPEG)
    try:
        for _ in range(5):
            read, picture = capture.read()
            assert read
            assert picture.shape == (16, 32, 3)
            assert 15 < picture.mean() < 65
    finally:
        capture.release()


def test_nobody_is_asked_for_a_password(locked: Site) -> None:
    """Browsers would keep it, and send it for other sites, too."""
    for headers in ({}, {"Authorization": "Basic nonsense"}, {"Authorization": "Basic YW55Om5vbnNlbnNl"}):
        answer = locked.get("/stream.mjpeg", **headers)
        assert answer.status == 401
        assert "www-authenticate" not in answer.headers


def test_wrong_passwords_cost_time_as_wrong_tokens_do(locked: Site) -> None:
    answers = [locked.get("/picture.jpg", Authorization="Basic YW55Om5vbnNlbnNl").status for _ in range(7)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert locked.get("/picture.jpg", Authorization=f"Bearer {TOKEN}").status == 429
