"""The page over real sockets: what is served to whom."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.device.web.serving import MAST, TOKEN, Site, make_event, make_reading, serving

from pantel_device.command import UsageError
from pantel_device.outbox import COMMANDS, Outbox
from pantel_device.receiving.ground import Request
from pantel_device.web.access.headers import CONTENT_SECURITY_POLICY
from pantel_link.back_channel import AskStill, Region, Watch

_JSON = {"Content-Type": "application/json"}


def _png(path: Path, width: int = 64, height: int = 48) -> bytes:
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path.read_bytes()


def _heard(site: Site) -> None:
    """Let the receiver hear the mast, and wait until the page knows."""
    site.hub.on_event(make_event("sender_heard", epoch=5, width_px=320, height_px=240, model="a1b2c3"))
    while not site.get("/api/state").json()["senders"]:
        """It is on its way from one thread to the other."""


def test_the_page_and_its_files(site: Site) -> None:
    page = site.get("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<!doctype html>" in page.body.lower()
    assert site.get("/static/index.html").body == page.body
    assert site.get("/static/index.html", If_None_Match=page.headers["etag"]).status == 304
    assert site.get("/static/nothing.css").status == 404
    assert site.ask("HEAD", "/").body == b""


@pytest.mark.parametrize(
    "path", ["/", "/static/index.html", "/api/state", "/health", "/nowhere", "/picture.jpg?view=x"]
)
def test_every_response_keeps_others_out(site: Site, path: str) -> None:
    headers = site.get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] in {"no-store", "no-cache"}
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_the_state_before_anything_was_heard(site: Site) -> None:
    state = site.get("/api/state").json()
    assert (state["type"], state["senders"], state["heard_last"]) == ("state", [], None)
    assert state["views"] == ["perceptual", "faithful"]
    assert state["can"] == {"ask": False, "stills": False, "recordings": False, "log_out": False}
    assert state["link"]["rate_bps"] is None
    assert site.get("/health").json() == {"status": "ok", "newest_packet_age_s": None}


def test_health_tells_monitors_how_old_the_newest_packet_is(site: Site) -> None:
    site.hub.on_reading(make_reading(site.clock.now_ns() - 3_000_000_000))
    while (age_s := site.get("/health").json()["newest_packet_age_s"]) is None:
        """It is on its way from one thread to the other."""
    assert 3.0 <= age_s < 10.0


def test_events_by_kind_and_by_pages(site: Site) -> None:
    for number in range(5):
        site.hub.on_event(make_event("text", text=str(number)))
    site.hub.on_event(make_event("alarm", number=3, zone="gate"))
    while len(events := site.get("/api/events").json()["events"]) < 6:
        """They are on their way from one thread to the other."""
    assert [event["kind"] for event in events] == ["alarm", *["text"] * 5]
    assert [event["text"] for event in site.get("/api/events?kind=text&before=5&limit=2").json()["events"]] == [
        "3",
        "2",
    ]
    assert site.get("/api/events?limit=all").status == 400


def test_stills_are_listed_and_handed_out(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    png = _png(stills / "20260131T120000Z-K1ABC-0-7.png")
    (stills / "20260131T120000Z-K1ABC-0-7.ptl").write_bytes(b"octets")
    _png(stills / "20260101T120000Z-K1ABC_P-5.png")  # as older versions named them
    _png(stills / "growing.png", 32, 16)
    (stills / "private.txt").write_text("secret")
    (stills / "20260131T120000Z-K1ABC-0-9.png").symlink_to("private.txt")
    with serving(tmp_path, stills=str(stills)) as site:
        listed = {still["name"]: still for still in site.get("/api/stills").json()["stills"]}
        assert listed.keys() == {"20260131T120000Z-K1ABC-0-7.png", "20260101T120000Z-K1ABC_P-5.png", "growing.png"}
        assert listed["20260131T120000Z-K1ABC-0-7.png"] == {
            "name": "20260131T120000Z-K1ABC-0-7.png", "sender": "K1ABC-0", "utc": "2026-01-31T12:00:00.000Z",
            "width_px": 64, "height_px": 48, "bytes": len(png), "growing": False,
        }  # fmt: skip
        assert listed["20260101T120000Z-K1ABC_P-5.png"]["sender"] == "K1ABC/P"
        assert listed["growing.png"]["growing"]
        assert len(site.get("/api/stills?limit=1").json()["stills"]) == 1
        still = site.get("/stills/20260131T120000Z-K1ABC-0-7.png")
        assert (still.status, still.body, still.headers["content-type"]) == (200, png, "image/png")
        assert "content-disposition" not in still.headers
        assert site.get("/stills/20260131T120000Z-K1ABC-0-7.png", If_None_Match=still.headers["etag"]).status == 304
        file = site.get("/stills/20260131T120000Z-K1ABC-0-7.ptl?download=1")
        assert (file.body, file.headers["content-disposition"]) == (
            b"octets", 'attachment; filename="20260131T120000Z-K1ABC-0-7.ptl"',
        )  # fmt: skip
        for name in ("private.txt", "20260131T120000Z-K1ABC-0-9.png", "20260131T120000Z-K1ABC-0-8.png", "..%2ftoken"):
            assert site.get(f"/stills/{name}").status == 404


def test_recordings_are_listed_and_handed_out_in_parts(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    old, new = folder / "K1ABC-0-20260131T120000Z.mp4", folder / "K1ABC_P-3-20260131T120000Z_001.mp4"
    old.write_bytes(bytes(range(256)) * 1000)
    os.utime(old, (1_769_861_100.0, 1_769_861_100.0))  # 2026-01-31, 12:05:00 UTC
    new.write_bytes(b"video")
    (folder / ".K1ABC-0-20260131T120000Z.mp4.1.part").write_bytes(b"half")
    with serving(tmp_path, recordings=str(folder)) as site:
        assert site.get("/api/state").json()["can"]["recordings"]
        assert site.get("/api/recordings").json() == {
            "recordings": [
                {"name": new.name, "sender": "K1ABC/P-3", "began_utc": None, "seconds": None, "bytes": 5, "open": True},
                {"name": old.name, "sender": "K1ABC-0", "began_utc": "2026-01-31T12:00:00.000Z", "seconds": 300.0,
                 "bytes": 256_000, "open": False},
            ]
        }  # fmt: skip
        part = site.get(f"/recordings/{old.name}", Range="bytes=256-511")
        assert (part.status, part.body) == (206, bytes(range(256)))
        assert part.headers["content-range"] == "bytes 256-511/256000"
        assert part.headers["content-type"] == "video/mp4"
        assert len(site.get(f"/recordings/{old.name}").body) == 256_000
        assert site.get("/recordings/.K1ABC-0-20260131T120000Z.mp4.1.part").status == 404


def test_a_recording_may_grow_while_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "K1ABC-0-20260131T120000Z.mp4"
    path.write_bytes(b"first")
    status = path.lstat()
    path.write_bytes(b"first and second")
    monkeypatch.setattr("pantel_device.web.shelf._regular", lambda _: status)
    with serving(tmp_path, recordings=str(tmp_path)) as site:
        assert site.get(f"/recordings/{path.name}").body == b"first"
        assert site.get("/health").status == 200


def test_where_the_page_fails_receiving_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("uvicorn.Server.serve", fail)
    with serving(tmp_path) as site:
        site.hub.on_event(make_event("text", text="gate open"))
        site.hub.on_reading(make_reading(0))
    assert "page ended reason=RuntimeError('out of order'); receiving goes on" in caplog.text


def test_a_mistake_in_the_page_ends_one_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pantel_device.web.facts.Facts.state", lambda _: 1 // 0)
    answer = site.get("/api/state")
    assert answer.status == 500
    assert "content-security-policy" in answer.headers
    while not caplog.messages:
        assert site.get("/health").status == 200
    (line,) = caplog.messages
    assert 'reason="page failed: ZeroDivisionError(' in line
    assert 'request="GET /api/state"' in line


def test_without_a_folder_there_are_no_stills_and_recordings(site: Site) -> None:
    assert site.get("/api/stills").json() == {"stills": []}
    assert site.get("/api/recordings").json() == {"recordings": []}
    assert site.get("/stills/growing.png").status == 404


def test_a_mast_is_asked(tmp_path: Path) -> None:
    with serving(tmp_path, back_channel=True) as site:
        _heard(site)
        still: dict[str, Any] = {"what": "still", "sender": str(MAST), "still_bytes": 1200, "region": [0, 0, 0.5, 0.5]}
        watch = {"what": "watch", "sender": str(MAST), "region": [0.25, 0, 1, 1], "seconds": 30}
        for asked in (still, still | {"region": None}, watch):
            assert site.ask("POST", "/api/ask", json.dumps(asked).encode(), **_JSON).status == 202
        unknown = site.ask("POST", "/api/ask", json.dumps(still | {"sender": "DK1AB-3"}).encode(), **_JSON)
        assert (unknown.status, unknown.json()) == (404, {"error": "DK1AB-3 has not been heard"})
    waiting = [Request.from_text(text) for _, text in Outbox(tmp_path / "state" / COMMANDS).waiting()]
    assert waiting == [
        Request(AskStill(1200, Region(0, 0, 0.5, 0.5)), 0, "K1ABC"),
        Request(AskStill(1200, None), 0, "K1ABC"),
        Request(Watch(Region(0.25, 0, 1, 1), 30), 0, "K1ABC"),
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "line", "sender": "K1ABC-0", "bitrate_bps": 10}, "what"),
        ({"what": "still", "sender": "K1ABC-0", "still_bytes": 13001}, "still_bytes"),
        ({"what": "still", "sender": "K1ABC-0", "region": [0, 0, 0.5]}, "region"),
        ({"what": "still", "sender": "K1ABC-0", "region": [0.5, 0, 0.5, 1]}, "a region lies within 0..1"),
        ({"what": "watch", "sender": "K1ABC-0", "seconds": 5}, "region"),
        ({"what": "watch", "sender": "K1ABC-0", "region": [0, 0, 1, 1], "seconds": -1}, "seconds"),
        ({"what": "still", "sender": "auto"}, "CALLSIGN-NUMBER"),
        ({"what": "still", "sender": "K1ABC-0", "extra": 1}, "extra"),
        ([], ""),
        ("still", ""),
    ],
)
def test_what_cannot_be_asked_for(tmp_path: Path, asked: object, said: str) -> None:
    with serving(tmp_path, back_channel=True) as site:
        answer = site.ask("POST", "/api/ask", json.dumps(asked).encode(), **_JSON)
    assert answer.status == 400
    assert said in answer.json()["error"]
    assert not (tmp_path / "state").exists()


def test_without_a_back_channel_nobody_is_asked(site: Site) -> None:
    answer = site.ask("POST", "/api/ask", b"{}", **_JSON)
    assert (answer.status, list(answer.json())) == (409, ["error"])
    assert site.ask("POST", "/api/ask", b"{}").status == 415


def test_requests_do_not_fill_the_disk(tmp_path: Path) -> None:
    with serving(tmp_path, back_channel=True) as site:
        _heard(site)
        asked = json.dumps({"what": "still", "sender": str(MAST)}).encode()
        statuses = [site.ask("POST", "/api/ask", asked, **_JSON).status for _ in range(6)]
    assert statuses == [202] * 4 + [503] * 2


def test_requests_to_a_mast_that_is_gone_leave_room_for_others(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "state" / COMMANDS)
    for _ in range(4):
        outbox.put(Request(AskStill(0, None), MAST.number, "K9GONE").to_text())
    outbox.put("nobody's")
    with serving(tmp_path, back_channel=True) as site:
        _heard(site)
        asked = json.dumps({"what": "still", "sender": str(MAST)}).encode()
        assert site.ask("POST", "/api/ask", asked, **_JSON).status == 202
    assert json.loads(outbox.waiting()[-1][1])["callsign"] == MAST.callsign


def test_a_token_opens_the_page(locked: Site) -> None:
    first = locked.get("/")
    assert (first.status, first.headers["location"]) == (303, "/login")
    assert locked.get("/login").status == 200
    assert locked.get("/api/state").status == 401
    wrong = locked.log_in("a-wrong-token-00000")
    assert (wrong.status, wrong.headers["location"]) == (303, "/login?wrong=1")
    assert "set-cookie" not in wrong.headers
    assert locked.get("/login?wrong=1").status == 401
    right = locked.log_in()
    assert (right.status, right.headers["location"]) == (303, "/")
    cookie, _, attributes = right.headers["set-cookie"].partition("; ")
    assert attributes == "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"
    assert TOKEN not in cookie
    assert locked.get("/", Cookie=cookie).status == 200
    assert locked.get("/api/state", Cookie=cookie).json()["can"]["log_out"]
    assert locked.get("/login", Cookie=cookie).headers["location"] == "/"
    assert locked.get("/health").status == 200


def test_programs_send_the_token_itself(locked: Site) -> None:
    assert locked.get("/api/state", Authorization=f"Bearer {TOKEN}").status == 200
    assert locked.get("/api/state", Authorization="Bearer wrong").status == 401
    assert locked.get("/api/state", Authorization=f"Basic {TOKEN}").status == 401


def test_a_session_outlives_the_daemon_until_it_is_ended(tmp_path: Path) -> None:
    with serving(tmp_path, token=TOKEN) as site:
        port = site.port
        cookie, other = site.cookie(), site.cookie()
        assert site.ask("POST", "/logout", Cookie=cookie).headers["location"] == "/login"
        assert site.get("/api/state", Cookie=cookie).status == 401
    with serving(tmp_path, token=TOKEN, web=f"127.0.0.1:{port}") as site:
        assert site.get("/api/state", Cookie=other).status == 200
        assert site.get("/api/state", Cookie=cookie).status == 401
    with serving(tmp_path, token=TOKEN + "x", web=f"127.0.0.1:{port}") as site:
        assert site.get("/api/state", Cookie=other).status == 401


def test_over_tls_the_cookie_keeps_to_it(tmp_path: Path) -> None:
    with serving(tmp_path, token=TOKEN, web_names=["cam.example.org"]) as site:
        answer = site.log_in(Host="cam.example.org", Origin="https://cam.example.org")
    assert answer.headers["set-cookie"].endswith("; Secure")


def test_who_guesses_has_to_wait(locked: Site) -> None:
    statuses = [locked.log_in(f"guess-{number}").status for number in range(8)]
    assert statuses == [303] * 5 + [429] * 3
    refused = locked.log_in()  # even the right one: who guesses learns nothing
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert locked.get("/api/state", Authorization=f"Bearer {TOKEN}").status == 429


def test_an_address_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(UsageError, match=rf"^the page cannot be at web = {address}: another program uses it; "),
            serving(tmp_path, web=address),
        ):
            """It does not open."""


@pytest.mark.parametrize("address", ["203.0.113.1:8080", "nowhere.invalid:8080"])
def test_an_address_of_another_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match=r"^the page cannot be at web = "), serving(tmp_path, web=address):
        """It does not open."""


def test_beyond_this_machine_there_must_be_a_token(tmp_path: Path) -> None:
    everywhere = "0.0.0.0:0"
    advice = "needs a token: make one with pantel key token FILE"
    with pytest.raises(UsageError, match=advice), serving(tmp_path, web=everywhere):
        """It does not open."""
    with serving(tmp_path, token=TOKEN, web=everywhere) as site:
        assert site.get("/health").status == 200
        assert site.get("/api/state").status == 401


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("short", 0o600, "holds no token of 16 or more characters; make one with: pantel key token "),
        ("0123456789abcdef with blanks", 0o600, "holds no token"),
        (TOKEN, 0o644, "everybody on this machine can read"),
        (None, 0o600, "cannot read web_token_file"),
    ],
)
def test_tokens_that_cannot_be_used(tmp_path: Path, text: str | None, mode: int, said: str) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(UsageError, match=said), serving(tmp_path, web_token_file=str(path)):
        """It does not open."""


def test_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, web="[::1]:0") as site:
        assert site.get("/health", Host=f"[::1]:{site.port}").status == 200
