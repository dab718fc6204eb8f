"""Live pictures over real sockets: newest first, only for who watches, and slow viewers keep nobody."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.device.web.serving import MAST, TOKEN, Site, make_event, make_picture, make_reading, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from pantel_device.frame import Box
from pantel_device.receiving.alarms_in import ReceivedAlarm
from pantel_device.receiving.sink import Picture, SenderName
from pantel_device.rendering.renderer import ShownObject
from pantel_device.web.gallery import Viewer
from pantel_device.web.hub import Choice
from pantel_models import View

_S = 1_000_000_000
_PATIENCE_S = 10.0


@contextmanager
def _viewer(site: Site, query: str = "", **headers: str) -> Iterator[ClientConnection]:
    with connect(
        f"ws://{site.netloc}/api/live{query}", additional_headers=headers, open_timeout=_PATIENCE_S, compression=None,
        close_timeout=1,
    ) as connection:  # fmt: skip
        yield connection


def _until_watched(
    site: Site, sender: SenderName = MAST, view: View = View.PERCEPTUAL, *, watched: bool = True
) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while (view in site.hub.views(sender, heard_last=sender == MAST, silence_s=0.0)) is not watched:
        assert time.monotonic() < deadline_s, "nobody began, or ceased, to watch"
        time.sleep(0.005)


def _next_picture(connection: ClientConnection) -> tuple[dict[str, Any], bytes]:
    deadline_s = time.monotonic() + _PATIENCE_S
    while isinstance(message := connection.recv(_PATIENCE_S), str):
        assert time.monotonic() < deadline_s
    (length,) = struct.unpack_from(">I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def _next_text(connection: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message = connection.recv(_PATIENCE_S)
        if isinstance(message, str) and (told := json.loads(message))["type"] == kind:
            return dict(told)


def _close_code(connection: ClientConnection) -> int | None:
    """Return the code with which the other end closes."""
    deadline_s = time.monotonic() + _PATIENCE_S
    try:
        while time.monotonic() < deadline_s:
            connection.recv(_PATIENCE_S)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code
    return None


def _grey(jpeg: bytes) -> int:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (16, 32, 3)
    return round(float(picture.mean()))


def test_a_viewer_sees_pictures_with_what_is_known_of_them(site: Site) -> None:
    picture = make_picture(
        10 * _S,
        grey=77,
        objects=(
            ShownObject(5, 1, Box(1, 2, 11, 12), 8 * _S, 9 * _S),
            ShownObject(6, 3, Box(1, 2, 11, 12), 8 * _S, 7 * _S),
            ShownObject(7, 1, Box(40, 2, 50, 12), 8 * _S, 9 * _S),  # out of sight
        ),
        alarms=(ReceivedAlarm("K1ABC", 1, True, "gate", Box(0, 0, 8, 8, "person"), 7 * _S),),
    )
    with _viewer(site) as viewer:
        _until_watched(site)
        site.feed(picture)
        header, jpeg = _next_picture(viewer)
    assert _grey(jpeg) == 77
    assert header == {
        "sender": "K1ABC-0", "view": "perceptual", "width_px": 32, "height_px": 16, "time_s": 10.0, "shown_s": 8.5,
        "content_age_s": 2.0,
        "objects": [
            {"id": 5, "class": "person", "box_px": [1, 2, 11, 12], "age_s": 0.5, "expected": False},
            {"id": 6, "class": "car", "box_px": [1, 2, 11, 12], "age_s": 1.5, "expected": True},
        ],
        "alarms": [{"zone": "gate", "class": "person", "box_px": [0, 0, 8, 8], "age_s": 3.0}],
        "cells": {"px": 16, "rows": 1, "columns": 2, "age_s": [0.0, None]},
    }  # fmt: skip


def test_ages_of_cells_are_told_when_they_have_changed(site: Site) -> None:
    def aged(age_s: float) -> Picture:
        picture = make_picture()
        return Picture(picture.time_ns, picture.shown_ns, picture.capture_time_ns, picture.pixels.copy(), MAST,
                       np.array([[age_s, np.inf]], np.float32), view=View.PERCEPTUAL)  # fmt: skip

    told = []
    with _viewer(site) as viewer:
        _until_watched(site)
        for age_s in (0.0, 0.4, 0.6, 0.7):
            site.feed(aged(age_s))
            told.append(_next_picture(viewer)[0]["cells"])
    assert [None if cells is None else cells["age_s"][0] for cells in told] == [0.0, None, 0.6, None]


def test_nothing_is_drawn_when_the_last_viewer_has_gone(site: Site) -> None:
    with _viewer(site):
        _until_watched(site)
    _until_watched(site, watched=False)


def test_a_viewer_chooses_sender_and_view(site: Site) -> None:
    other = SenderName("DK1AB", 3)
    with _viewer(site, "?sender=DK1AB-3&view=faithful") as viewer:
        _until_watched(site, other, View.FAITHFUL)
        site.feed(make_picture(sender=other, view=View.FAITHFUL, grey=10))
        assert _next_picture(viewer)[0]["sender"] == "DK1AB-3"
        viewer.send(json.dumps({"type": "choose", "sender": "auto", "view": "perceptual"}))
        _until_watched(site)
        _until_watched(site, other, View.FAITHFUL, watched=False)
        site.feed(make_picture(sender=other, view=View.FAITHFUL), make_picture(grey=20))
        header, jpeg = _next_picture(viewer)
        assert (header["sender"], _grey(jpeg)) == ("K1ABC-0", 20)


def test_events_and_the_state_come_without_asking(site: Site) -> None:
    with _viewer(site) as viewer:
        assert json.loads(viewer.recv(_PATIENCE_S))["type"] == "state"  # before anything else
        _until_watched(site)
        site.hub.on_event(make_event("text", text="gate <b>open</b>"))
        event = _next_text(viewer, "event")["event"]
        assert (event["kind"], event["text"], event["event_number"]) == ("text", "gate <b>open</b>", 1)
        site.hub.on_reading(make_reading(site.clock.now_ns()))
        while not (state := _next_text(viewer, "state"))["senders"]:
            """The next second's has it."""
        assert state["senders"][0]["name"] == state["heard_last"] == "K1ABC-0"
        assert state["senders"][0]["alive"]


def test_a_state_that_cannot_be_told_is_logged_once_and_not_the_last(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pantel_device.web.server._STATE_INTERVAL_S", 0.01)
    with _viewer(site) as viewer:
        _next_text(viewer, "state")
        failed = 0

        def fail(_: object) -> None:
            nonlocal failed
            failed += 1
            raise RuntimeError("out of order")

        with monkeypatch.context() as broken:
            broken.setattr("pantel_device.web.facts.Facts.state", fail)
            deadline_s = time.monotonic() + _PATIENCE_S
            while failed < 5 and time.monotonic() < deadline_s:
                time.sleep(0.01)
        site.hub.on_reading(make_reading(site.clock.now_ns()))
        while not _next_text(viewer, "state")["senders"]:
            """The state is told again."""
    (line,) = caplog.messages
    assert "page cannot tell the state: RuntimeError('out of order')" in line


def test_a_slow_viewer_gets_the_newest_picture_and_keeps_nobody(site: Site) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (240, 320, 3), np.uint8)  # a JPEG of 80 kB

    def large(time_ns: int) -> Picture:
        picture = make_picture(time_ns)
        return Picture(time_ns, picture.shown_ns, picture.capture_time_ns, noise.copy(), MAST,
                       picture.cell_age_s.copy(), view=View.PERCEPTUAL)  # fmt: skip

    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    narrow.connect((site.host, site.port))
    address = f"ws://{site.netloc}/api/live"
    with connect(address, sock=narrow, max_queue=1, compression=None, close_timeout=1) as slow, _viewer(site) as quick:
        _until_watched(site)
        waited_s = []
        for number in range(1, 101):
            before_s = time.monotonic()
            site.feed(large(number * _S))
            waited_s.append(time.monotonic() - before_s)
            assert _next_picture(quick)[0]["time_s"] == number
        shown = [_next_picture(slow)[0]["time_s"]]
        while shown[-1] < 100:
            shown.append(_next_picture(slow)[0]["time_s"])
    assert shown == sorted(shown)
    assert len(shown) <= 5  # what was on its way, and the newest
    assert np.median(waited_s) < 0.01


def test_between_two_pictures_a_slow_viewer_gets_one_state() -> None:
    viewer = Viewer(Choice(None, View.PERCEPTUAL))
    viewer.tell_state("old")
    viewer.tell_state("state 0")
    viewer.tell("event")
    taken = []
    for number, text in enumerate(viewer.take_texts()):
        taken.append(text)
        viewer.tell_state(f"state {number + 1}")  # each takes a second to send
        assert number < 9, "no picture would ever be sent"
    assert taken == ["state 0", "event"]
    assert list(viewer.take_texts()) == ["state 2"]


def test_at_most_eight_watch(site: Site) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(_viewer(site))
        with _viewer(site) as ninth:
            assert _close_code(ninth) == 1013
        assert site.get("/stream.mjpeg").status == 503
    with _viewer(site):
        _until_watched(site)


@pytest.mark.parametrize(
    "message", ["{}", "[", '{"type": "choose", "sender": "../etc"}', '{"type": "choose", "view": 7}']
)
def test_messages_that_make_no_sense_end_the_connection(site: Site, message: str) -> None:
    with _viewer(site) as viewer:
        viewer.send(message)
        assert _close_code(viewer) == 1008


def test_motion_jpeg_for_everything_else(site: Site) -> None:
    with socket.create_connection((site.host, site.port), _PATIENCE_S) as connection:
        connection.sendall(f"GET /stream.mjpeg HTTP/1.1\r\nHost: {site.netloc}\r\n\r\n".encode())
        _until_watched(site)
        site.feed(make_picture(grey=60))
        octets = b""
        while octets.count(b"--pantel-picture") < 2:
            octets += connection.recv(65536)
    head, _, rest = octets.partition(b"\r\n\r\n")
    assert b"content-type: multipart/x-mixed-replace; boundary=pantel-picture" in head
    assert b"content-security-policy" in head
    assert b"Content-Type: image/jpeg\r\nContent-Length: " in rest
    _until_watched(site, watched=False)


def test_a_single_picture_is_drawn_on_demand(site: Site) -> None:
    assert site.get("/picture.jpg").status == 404
    _until_watched(site)  # somebody may ask again soon
    threading.Timer(0.2, site.feed, [make_picture(grey=33)]).start()
    answer = site.get("/picture.jpg")
    assert (answer.status, answer.headers["content-type"], _grey(answer.body)) == (200, "image/jpeg", 33)
    assert answer.headers["cache-control"] == "no-store"
    assert site.get("/picture.jpg?sender=DK1AB-3").status == 404
    assert not site.hub.views(SenderName("DK1AB", 3), heard_last=False, silence_s=0.0)
    assert site.get("/picture.jpg?sender=nobody").status == 400
    assert site.get("/picture.jpg?view=pretty").status == 400


def test_who_asks_for_single_pictures_has_at_most_eight_drawn(site: Site) -> None:
    masts = [SenderName("DK1AB", number) for number in range(9)]
    for mast in masts:
        site.hub.on_event(make_event("sender_heard", callsign=mast.callsign, sender=mast.number))
    while len(site.get("/api/state").json()["senders"]) < len(masts):
        """They are on their way from one thread to the other."""

    def drawn() -> list[SenderName]:
        return [mast for mast in masts if site.hub.views(mast, heard_last=False, silence_s=0.0)]

    with ThreadPoolExecutor(len(masts)) as pool:
        answers = list(pool.map(lambda mast: site.get(f"/picture.jpg?sender={mast}"), masts))
    assert sorted(answer.status for answer in answers) == [404] * 8 + [503]
    (left,) = (mast for mast, answer in zip(masts, answers, strict=True) if answer.status == 503)
    assert answers[masts.index(left)].headers["retry-after"] == "10"
    assert set(drawn()) == {*masts} - {left}
    with _viewer(site, f"?sender={left}"):  # who watches goes before who has looked
        _until_watched(site, left)
        assert len(drawn()) == 8


def test_a_jpeg_is_made_once_for_all_and_not_for_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def encode(_: object) -> bytes:
        made.append(threading.current_thread().name)
        return b"jpeg"

    monkeypatch.setattr("pantel_device.web.gallery.encode_jpeg", encode)
    with _viewer(site) as first, _viewer(site) as second:
        _until_watched(site)
        site.hub.on_picture(make_picture(sender=SenderName("DK1AB", 3)))
        site.feed(make_picture())
        assert _next_picture(first)[1] == _next_picture(second)[1] == b"jpeg"
    assert made == ["pantel-jpeg_0"]


def test_without_a_session_nobody_watches(locked: Site) -> None:
    with _viewer(locked) as viewer:
        assert _close_code(viewer) == 4401
    with _viewer(locked, Authorization=f"Bearer {TOKEN}"):
        _until_watched(locked)


def test_who_logs_out_watches_no_more(locked: Site) -> None:
    cookie = locked.cookie()
    with _viewer(locked, Cookie=cookie) as viewer:
        _until_watched(locked)
        locked.ask("POST", "/logout", Cookie=cookie)
        assert _close_code(viewer) == 4401


def test_who_watches_when_his_session_ends_watches_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pantel_device.web.server._SESSION_INTERVAL_S", 0.01)
    with serving(tmp_path, token=TOKEN) as locked, _viewer(locked, Cookie=locked.cookie()) as viewer:
        _until_watched(locked)
        locked.feed(make_picture())
        _next_picture(viewer)
        monkeypatch.setattr("pantel_device.web.access.sessions._LONGEST_S", -1)  # as after 30 days
        assert _close_code(viewer) == 4401


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_other_sites_do_not_watch(site: Site, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused, _viewer(site, **headers):
        """It does not open."""
    assert refused.value.response.status_code == 403
    assert "content-security-policy" in refused.value.response.headers


def test_it_ends_at_once_with_viewers_connected(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as site,
        _viewer(site) as viewer,
        socket.create_connection((site.host, site.port), _PATIENCE_S) as streaming,
        socket.create_connection((site.host, site.port), _PATIENCE_S) as silent,
    ):
        streaming.sendall(f"GET /stream.mjpeg HTTP/1.1\r\nHost: {site.netloc}\r\n\r\n".encode())
        silent.sendall(b"GET / HTTP/1.1\r\n")
        _until_watched(site)
        before_s = time.monotonic()
        site.stop()
        assert time.monotonic() - before_s < 2.0
        assert _close_code(viewer) == 1012
