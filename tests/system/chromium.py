"""Chromium without a window, driven over its own protocol: the Debian packages chromium and chromium-driver."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from tests.real_parts import present

__all__ = ["emulate", "needs_chromium", "open_browser", "requested_urls", "severe_messages", "wait_for"]

needs_chromium = pytest.mark.skipif(
    not (present("chromium") and present("chromedriver")),
    reason="needs the Debian packages chromium and chromium-driver",
)


@contextmanager
def open_browser(profile: Path) -> Iterator[Chrome]:
    """Yield a browser with a fresh profile.

    Args:
        profile: An empty folder.
    """
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",  # the tests may be root
        "--disable-dev-shm-usage",
        "--lang=en-GB",
        "--window-size=1280,800",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en-GB"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver") or "chromedriver"))
    try:
        browser.set_script_timeout(60)
        yield browser
    finally:
        browser.quit()


def emulate(browser: Chrome, *, width_px: int, height_px: int, theme: str = "dark") -> None:
    """Give the page another size, and the system another theme: light or dark."""
    metrics = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": width_px < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first value of a condition that is true.

    Args:
        condition: Asked again and again; what a page that is being changed says of itself counts as false.
        seconds: For how long.
        what: That was waited for in vain.
    """
    deadline_s = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except WebDriverException:
            value = None
        if value:
            return value
        assert time.monotonic() < deadline_s, f"in {seconds} s there was no {what}"
        time.sleep(0.1)


def severe_messages(browser: Chrome) -> list[str]:
    """Return what the page has complained of on its console since somebody last looked."""
    entries: list[dict[str, Any]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]


def requested_urls(browser: Chrome) -> list[str]:
    """Return what the page has asked for since somebody last looked."""
    urls: list[str] = []
    entries: list[dict[str, Any]] = browser.get_log("performance")  # type: ignore[no-untyped-call]
    for entry in entries:
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
        if message["method"] == "Network.webSocketCreated":
            urls.append(message["params"]["url"])
    return urls
