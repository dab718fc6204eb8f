"""A page whose server ends by a mistake begins again."""

from __future__ import annotations

import time
from contextlib import suppress
from http.client import HTTPException

import pytest
from tests.device.web.serving import Answer, Site, make_event, make_picture

from pantel_device.web.hub import Hub, News

_PATIENCE_S = 20.0


def _answer(site: Site) -> Answer:
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        with suppress(OSError, HTTPException):
            return site.get("/picture.jpg")
    raise AssertionError("the page does not come back")


@pytest.mark.parametrize("times", [1, 2])
def test_a_page_that_ends_by_a_mistake_begins_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    assert _answer(site).status == 404
    collect = Hub.collect
    ends = [SystemExit(1)] * times

    def end(hub: Hub) -> News:
        if ends:
            raise ends.pop()
        return collect(hub)

    monkeypatch.setattr(Hub, "collect", end)
    for number in range(times):
        site.hub.on_event(make_event("text", text="gate open"))
        deadline_s = time.monotonic() + _PATIENCE_S
        while caplog.text.count("page ended reason=SystemExit(1)") <= number and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert _answer(site).status == 404  # a viewer's choice is known again
    assert "the page begins again wait_s=0.5" in caplog.text
    assert ("wait_s=1.0" in caplog.text) == (times == 2)
    site.feed(make_picture(site.clock.now_ns()))
    assert _answer(site).status == 200
    site.stop()
    with pytest.raises(OSError, match="refused"):
        site.get("/health")
