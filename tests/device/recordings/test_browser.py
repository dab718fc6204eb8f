"""Recordings in a real browser: it plays them to the end, and jumps in them, whether they were completed or cut off."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from tests.device.recordings.films import TENTH_NS, grey

from pantel_device.recordings.tape import Tape

_CHROMIUM, _DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_PATIENCE_S = 60
# Plays the video, which the browser shows by itself, fast from two seconds before its end on.
_PLAY = """
const done = arguments[0], video = document.querySelector("video");
const tell = (how) => done({how, width: video.videoWidth, height: video.videoHeight, duration: video.duration,
                            at: video.currentTime, error: video.error && video.error.message});
video.onerror = () => tell("error");
const begin = () => {
  video.onseeked = () => { video.onended = () => tell("ended"); video.playbackRate = 4; video.play(); };
  video.currentTime = video.duration - 2;
};
video.muted = true;
video.pause();
if (video.readyState >= 1) begin(); else video.onloadedmetadata = begin;
"""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (_CHROMIUM and _DRIVER), reason="needs the Debian packages chromium and chromium-driver"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = _CHROMIUM or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with Chrome(options=options, service=ChromeService(_DRIVER)) as browser:
        browser.set_script_timeout(_PATIENCE_S)
        yield browser


def _played(browser: Chrome, path: Path) -> dict[str, Any]:
    browser.get(path.as_uri())
    played: dict[str, Any] = browser.execute_async_script(_PLAY)
    return played


@pytest.fixture
def film(make_tape: Callable[..., Tape]) -> Tape:
    """Return a tape with 23.5 s of pictures, the last 3.5 of which, and those in the encoder, are not on disk yet."""
    tape = make_tape()
    for tenth in range(235):
        tape.record(tenth * TENTH_NS, grey(tenth % 200, (320, 240)))
    return tape


def test_a_recording_that_is_being_written_plays_and_so_does_the_whole(
    film: Tape, files: Callable[[], list[Path]], browser: Chrome
) -> None:
    expected = {"how": "ended", "width": 320, "height": 240, "error": None}
    growing = _played(browser, files()[0])
    assert {key: growing[key] for key in expected} == expected
    assert growing["duration"] == growing["at"] == pytest.approx(20, abs=0.01)
    film.finish()
    whole = _played(browser, files()[0])
    assert {key: whole[key] for key in expected} == expected
    assert whole["duration"] == whole["at"] == pytest.approx(23.5, abs=0.01)
