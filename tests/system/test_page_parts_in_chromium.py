"""Parts of the receiver's page in a real browser, with what a receiver rarely tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from tests.device.web.serving import Site, serving
from tests.system.chromium import needs_chromium, open_browser, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]

CONDITIONS = """
const [situation, age_s, done] = arguments;
import("/static/conditions.js").then(({noticeFor, bannerFor}) =>
  done([noticeFor({...situation, pictured: false}), bannerFor({...situation, pictured: true}, age_s)]));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page with a recording of which no clock told when it began."""
    folder = tmp_path_factory.mktemp("site")
    recordings = folder / "recordings"
    recordings.mkdir()
    (recordings / "K1ABC-0-20260131T120000Z_001.mp4").write_bytes(b"video")
    with serving(folder, recordings=str(recordings)) as site:
        yield site


@pytest.fixture(scope="module")
def page(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.get(f"http://{site.netloc}/")
        yield browser


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        ({"message": "no key", "alive": False, "packet_age_s": None}, ["message", "message"]),
        ({"message": "install it", "alive": True, "packet_age_s": 9}, ["message", "message"]),
        ({"message": "no key", "alive": False, "packet_age_s": 99}, ["silent", "silent"]),
        ({"message": None, "alive": False, "packet_age_s": 99}, ["silent", "silent"]),
        ({"message": None, "alive": True, "packet_age_s": 9}, ["soon", "quiet"]),
    ],
)
def test_silence_goes_before_a_message(page: Chrome, sender: dict[str, Any], said: list[str]) -> None:
    link = {"port_up": True, "lines": []}
    state = {"heard_last": None, "senders": [{"name": "K1ABC-0", **sender}], "link": link}
    situation = {"status": "live", "state": state, "chosen": "K1ABC-0"}
    assert page.execute_async_script(CONDITIONS, situation, sender["packet_age_s"]) == said


@pytest.mark.parametrize(("port", "said"), [("/dev/ttyUSB0", "quiet"), ("/dev/ttyUSB1", "port"), (None, "quiet")])
def test_of_several_ports_the_one_of_the_sender_is_missed(page: Chrome, port: str | None, said: str) -> None:
    lines = [{"port": "/dev/ttyUSB0", "port_up": True}, {"port": "/dev/ttyUSB1", "port_up": False}]
    sender = {"name": "K1ABC-0", "message": None, "alive": True, "packet_age_s": 9, "port": port}
    state = {"heard_last": "K1ABC-0", "senders": [sender], "link": {"port_up": True, "lines": lines}}
    situation = {"status": "live", "state": state, "chosen": "auto"}
    assert page.execute_async_script(CONDITIONS, situation, 9)[1] == said


def test_a_recording_without_a_clock_bears_its_name(page: Chrome) -> None:
    words = wait_for(
        lambda: [
            line.get_attribute("textContent") for line in page.find_elements(By.CSS_SELECTOR, ".recording-words p")
        ],
        20,
        "recording",
    )
    assert words[0] == "K1ABC-0-20260131T120000Z_001.mp4"
    assert words[1].startswith("no clock told when it began · 5")
