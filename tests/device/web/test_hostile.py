"""Hostile requests: none does harm, none is shown what it should not, and each is logged once, in one line.

After each the page answers a friendly one at once.
"""

from __future__ import annotations

import base64
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.device.web.serving import TOKEN, Site, serving

from pantel_device.web.access.doorkeeper import Limits

_SECRET = b"nobody may read this"
_LIMITS = Limits(
    connections=24, connections_per_address=16, requests_burst=10_000, request_s=1.0, body_s=0.5, stalled_s=1.0
)
_PATIENCE_S = 10.0
_LOG = "pantel_device.web.access.complaints"
_CHUNKED = "Transfer-Encoding: chunked"
_CROSS_SITE = "Sec-Fetch-Site: cross-site"
_JSON = "Content-Type: application/json"
_STILL = "20260131T120000Z-K1ABC-0-7.png"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page without a token, with a still, and with a secret beside; one for all attacks."""
    folder = tmp_path_factory.mktemp("target")
    with _exposed(folder) as site:
        yield site


@contextmanager
def _exposed(folder: Path) -> Iterator[Site]:
    stills = folder / "stills"
    stills.mkdir()
    (stills / _STILL).write_bytes(bytes(1000))
    (stills / "secret").write_bytes(_SECRET)
    (folder / "secret").write_bytes(_SECRET)
    with serving(folder, stills=str(stills), back_channel=True, limits=_LIMITS) as site:
        yield site


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """A page with a token."""
    with serving(tmp_path, token=TOKEN, limits=_LIMITS) as site:
        yield site


def _complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == _LOG]


def _check(site: Site, caplog: pytest.LogCaptureFixture, *, lines: int = 1, secret: bytes = b"") -> None:
    """Check that nothing has happened but lines in the log."""
    before_s = time.monotonic()
    assert site.get("/health").status == 200
    assert time.monotonic() - before_s < 2.0
    deadline_s = time.monotonic() + _PATIENCE_S
    while len(_complaints(caplog)) < lines and time.monotonic() < deadline_s:
        time.sleep(0.01)
    found = _complaints(caplog)
    assert len(found) == lines, found
    assert all(line.isascii() and line.isprintable() and len(line) < 400 for line in found), found
    others = [record for record in caplog.records if record.name != _LOG and record.levelno >= logging.WARNING]
    assert not others
    assert _SECRET not in secret


def _request(line: str, *headers: str, host: str | None = "localhost", body: bytes = b"") -> bytes:
    lines = [line, *([] if host is None else [f"Host: {host}"]), *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _status(answer: bytes) -> int:
    """Return the status of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret",
        "/static/..%2fsecret",
        "/static/%2e%2e/%2e%2e/%2e%2e/secret",
        "/static/..%5c..%5csecret",
        "/static/..\\..\\secret",
        "/static/%252e%252e%252fsecret",
        "/static/....//....//secret",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/index.html%00.png",
        "/static/%00",
        "/static/%c0%ae%c0%ae/%c0%ae%c0%ae/secret",
        "/static/%u002e%u002e/secret",
        "/stills/..%2fsecret",
        "/stills/%2e%2e%2fsecret",
        f"/stills/{_STILL}%2f..%2fsecret",
        f"/stills/{_STILL}%00",
        f"/stills/../stills/{_STILL}",
        f"/stills/.%2f{_STILL}",
        f"/stills/{_STILL}%0a",
        "/recordings/..%2fsecret",
        "/recordings/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/proc/self/environ",
        "/api/../secret",
        "../../etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1/..%2fsecret",
        "/%0d%0aSet-Cookie:%20a=b",
        "/%0alevel=ERROR%20source=pantel",
        "/" + "%41" * 1500,
    ],
)
def test_paths_that_lead_elsewhere(target: Site, caplog: pytest.LogCaptureFixture, path: str) -> None:
    answer = target.raw(_request(f"GET {path} HTTP/1.1"))
    assert _status(answer) == 404
    assert b"\r\nset-cookie" not in answer.lower()
    _check(target, caplog, secret=answer)


@pytest.mark.parametrize(
    "octets",
    [
        _request("GET /" + "a" * 20_000 + " HTTP/1.1"),
        _request("GET / HTTP/1.1", "X-Long: " + "a" * 20_000),
        _request("GET / HTTP/1.1", *(f"X-{number}: many" for number in range(2000))),
        _request("GET / HTTP/1.1", host=None),
        _request("GET / HTTP/1.1", "Host: elsewhere"),
        _request("GET / HTTP/1.1", "X-Null: a\0b"),
        _request("GET /\0 HTTP/1.1"),
        _request("GET /ü HTTP/1.1"),
        _request("GET / HTTP/1.1", "X-Blank : smuggled"),
        _request("GET / HTTP/1.1", ": nameless"),
        _request("GET / HTTP/9.9"),
        _request("G\x01T / HTTP/1.1"),
        _request("GET  / HTTP/1.1"),
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + bytes(190),
        bytes(range(256)) * 40,
        b"\r\n\r\n\r\n\0",
        _request("POST /login HTTP/1.1", "Content-Length: -1"),
        _request("POST /login HTTP/1.1", "Content-Length: 1e3"),
        _request("POST /login HTTP/1.1", "Content-Length: 5", "Content-Length: 6", body=b"token="),
        _request("POST /login HTTP/1.1", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
        _request("POST /login HTTP/1.1", "Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    ],
)
def test_what_is_no_request(target: Site, caplog: pytest.LogCaptureFixture, octets: bytes) -> None:
    answer = target.raw(octets)
    assert _status(answer) in {0, 400}
    if answer:
        assert b"content-security-policy: default-src 'none'" in answer
    _check(target, caplog, secret=answer)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (_request("POST /login HTTP/1.1", "Content-Length: 10000000"), 413),
        (_request("GET / HTTP/1.1", "Content-Length: 99999999999"), 413),
        (_request("POST /api/ask HTTP/1.1", "Content-Length: 5", _CHUNKED, body=b"0\r\n\r\nGET /a"), 400),
        (_request("GET /stream.mjpeg HTTP/1.1", _CHUNKED, body=b"5\r\nabcde\r\n" * 100), 400),
        (_request("BREW / HTTP/1.1"), 405),
        (_request("TRACE / HTTP/1.1"), 405),
        (_request("DELETE /api/state HTTP/1.1"), 405),
        (_request("PUT /static/index.html HTTP/1.1"), 405),
        (_request("OPTIONS * HTTP/1.1"), 404),
        (_request("CONNECT elsewhere.example:443 HTTP/1.1"), 404),
        (_request("GET / HTTP/1.1", host="elsewhere.example"), 403),
        (_request("GET / HTTP/1.1", host="localhost@elsewhere.example"), 403),
        (_request("GET / HTTP/1.1", host="127.0.0.1.elsewhere.example"), 403),
        (_request("GET / HTTP/1.1", host="10.1.2.3"), 403),
        (_request("GET / HTTP/1.1", host=""), 403),
        (_request("GET / HTTP/1.0", host=None), 403),
        (_request("GET /picture.jpg HTTP/1.1", _CROSS_SITE, "Sec-Fetch-Mode: no-cors"), 403),
        (_request("GET / HTTP/1.1", _CROSS_SITE, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), 403),
        (_request("POST /logout HTTP/1.1", "Origin: http://elsewhere.example"), 403),
        (_request("POST /api/ask HTTP/1.1", "Origin: null", _JSON, "Content-Length: 2", body=b"{}"), 403),
        (_request("POST /api/ask HTTP/1.1", "Origin: http://localhost:1", "Content-Length: 2", body=b"{}"), 403),
        (_request("POST /api/ask HTTP/1.1", "Content-Type: text/plain", "Content-Length: 2", body=b"{}"), 415),
        (_request("POST /api/ask HTTP/1.1", _JSON, "Content-Length: 4000", body=b"[" * 4000), 400),
        (_request("POST /api/ask HTTP/1.1", _JSON, "Content-Length: 3", body=b"NaN"), 400),
        (_request(f"GET /stills/{_STILL} HTTP/1.1", "Range: bytes=abc"), 400),
        (_request(f"GET /stills/{_STILL} HTTP/1.1", "Range: bytes=9999999999-"), 416),
        (_request(f"GET /stills/{_STILL} HTTP/1.1", "Range: bytes=5-1"), 400),
        (_request(f"GET /stills/{_STILL} HTTP/1.1", "Range: lines=1-2"), 400),
        (_request("GET /picture.jpg?sender=../../secret HTTP/1.1"), 400),
        (_request("GET /api/events?limit=" + "9" * 5000 + " HTTP/1.1"), 400),
    ],
)  # fmt: skip
def test_requests_that_are_refused(target: Site, caplog: pytest.LogCaptureFixture, octets: bytes, status: int) -> None:
    answer = target.raw(octets)
    assert _status(answer) == status
    assert answer.count(b"HTTP/1.1 ") == 1  # nothing that was smuggled is answered
    assert b"content-security-policy: default-src 'none'" in answer
    _check(target, caplog, secret=answer)


@pytest.mark.parametrize("ranges", [",".join(["0-"] * 90), ",".join(f"{n}-{n}" for n in range(0, 180, 2)), "0-," * 500])
def test_many_ranges_are_no_more_than_the_file(target: Site, caplog: pytest.LogCaptureFixture, ranges: str) -> None:
    answer = target.raw(_request(f"GET /stills/{_STILL} HTTP/1.1", f"Range: bytes={ranges}"))
    assert _status(answer) in {200, 206}
    assert len(answer) < 20_000
    _check(target, caplog, lines=0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"40000\r\n" + bytes(10_000), 413),
        (b"zz\r\n", 400),
        (b"f" * 22 + b"\r\n", 400),
        (b"5\r\nabcde\r\n" * 2000, 413),
    ],
)
def test_bodies_in_chunks_that_are_none(
    guarded: Site, caplog: pytest.LogCaptureFixture, body: bytes, status: int
) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    answer = guarded.raw(_request("POST /login HTTP/1.1", form, "Transfer-Encoding: chunked", body=body))
    assert _status(answer) in {0, status}
    _check(guarded, caplog)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"token=wrong", [], 303),
        (b"token=" + b"%00" * 20, [], 303),
        (b"token=%ff%fe", [], 303),
        (b"token=" + b"a" * 4000, [], 303),
        (b"&" * 4000, [], 400),
        (b"a=1&" * 1000, [], 400),
        (b"\xff\xfe", [], 400),
        (b"token=wrong", ["Origin: http://elsewhere.example"], 403),
        (b"token=wrong", ["Sec-Fetch-Site: same-site"], 403),
    ],
)
def test_forms_without_the_token(
    guarded: Site, caplog: pytest.LogCaptureFixture, body: bytes, headers: list[str], status: int
) -> None:
    form = ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", *headers]
    answer = guarded.raw(_request("POST /login HTTP/1.1", *form, body=body))
    assert _status(answer) == status
    assert b"set-cookie" not in answer.lower()
    _check(guarded, caplog)


@pytest.mark.parametrize("seal", ["", "A" * 43, "=", "ü"])
def test_cookies_that_nobody_has_given(guarded: Site, caplog: pytest.LogCaptureFixture, seal: str) -> None:
    name, _, value = guarded.cookie().partition("=")
    forged = f"{name}={value.rpartition('.')[0]}.{seal}"
    assert _status(guarded.raw(_request("GET /api/state HTTP/1.1", f"Cookie: {forged}"))) == 401
    _check(guarded, caplog)


def test_guessing_tokens_by_the_dozen(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    statuses = [guarded.log_in(f"guess-{n}", X_Forwarded_For=f"10.0.0.{n}").status for n in range(20)]
    statuses += [guarded.get("/", Authorization=f"Bearer {n}").status for n in range(20)]
    assert statuses == [303] * 5 + [429] * 35
    _check(guarded, caplog, lines=40)
    assert all("address=127.0.0.1 " in line for line in _complaints(caplog))


def test_a_flood_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    request = b"GET /%2e%2e HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with _exposed(tmp_path) as site, socket.create_connection((site.host, site.port), _PATIENCE_S) as connection:
        for _ in range(10):
            connection.sendall(request * 50)
            answers = b""
            while answers.count(b"HTTP/1.1 404") < 50:
                answers += connection.recv(65536)
        assert 200 <= len(_complaints(caplog)) <= 210


def test_a_flood_waits_for_the_receiver(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(tmp_path, limits=Limits(requests_per_s=50, requests_burst=10)) as site:
        before_s = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: site.raw(_request("GET /health HTTP/1.1"))[9:12], range(40)))
        assert statuses == [b"200"] * 40
        assert time.monotonic() - before_s > (2 * 40 - 10) / 50 - 0.1  # a connection counts as much as a request
        _check(site, caplog, lines=0)


def test_who_says_nothing_more_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    before_s = time.monotonic()
    assert target.raw(b"GET / HTTP/1.1\r\nHost: localh") == b""
    assert time.monotonic() - before_s < 3.0
    _check(target, caplog)
    assert 'reason="request takes too long" request="GET / HTTP/1.1"' in _complaints(caplog)[0]


def test_who_says_nothing_at_all_is_no_enemy(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert target.raw(b"") == b""
    _check(target, caplog, lines=0)


def test_a_request_octet_by_octet_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert _drip(target, b"GET / HTTP/1.1\r\n" + b"X-Slow: loris\r\n" * 100) < 3.0
    _check(target, caplog)


def test_a_second_request_octet_by_octet_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    first = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert _drip(target, b"GET / HTTP/1.1\r\n" + b"X-Slow: loris\r\n" * 100, at_once=first) < 3.0
    _check(target, caplog)


def test_a_body_octet_by_octet_is_refused(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = _request(
        "POST /login HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 1000"
    ).replace(b"Connection: close\r\n", b"")
    assert _drip(guarded, b"token=" + b"a" * 994, at_once=head) < 4.0
    _check(guarded, caplog)


def test_a_body_that_nobody_asked_for_octet_by_octet(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    assert _drip(target, b"a" * 1000, at_once=head) < 3.0
    _check(target, caplog)


def _drip(site: Site, octets: bytes, *, at_once: bytes = b"") -> float:
    """Send octets one by one until the connection is cut; return how long it lasts [s]."""
    began_s = time.monotonic()
    with socket.create_connection((site.host, site.port), _PATIENCE_S) as connection:
        connection.sendall(at_once)
        try:
            for octet in octets:
                connection.sendall(bytes([octet]))
                time.sleep(0.02)
                if time.monotonic() - began_s > _PATIENCE_S:
                    break
        except OSError:
            """It has been cut."""
    return time.monotonic() - began_s


def test_who_reads_nothing_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    (stills / _STILL).write_bytes(bytes(30_000_000))
    with serving(tmp_path, stills=str(stills), limits=_LIMITS) as site:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((site.host, site.port))
            connection.sendall(_request(f"GET /stills/{_STILL} HTTP/1.1"))
            _check(site, caplog)
        assert 'reason="reads too slowly"' in _complaints(caplog)[0]


def test_who_reads_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    (stills / _STILL).write_bytes(bytes(30_000_000))
    with serving(tmp_path, stills=str(stills)) as site, _connect(site, "127.0.0.1") as connection:
        connection.sendall(_request(f"GET /stills/{_STILL} HTTP/1.1"))
        assert site.get("/health").status == 200
        before_s = time.monotonic()
        site.stop()
        assert time.monotonic() - before_s < 2.5


def test_connections_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with _exposed(tmp_path) as site, ExitStack() as stack:
        addresses = ["127.0.0.2"] * 18 + ["127.0.0.3"] * 9
        connections = [stack.enter_context(_connect(site, address)) for address in addresses]
        refused = [connection for connection in connections if _is_refused(connection)]
        assert len(refused) == 3  # two of one address, and one of all
        stack.close()
        _check(site, caplog, lines=3)


def _connect(site: Site, source: str) -> socket.socket:
    return socket.create_connection((site.host, site.port), _PATIENCE_S, (source, 0))


def _is_refused(connection: socket.socket) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(100).startswith(b"HTTP/1.1 503 ")
    except TimeoutError:
        return False


def _handshake(site: Site, path: str = "/api/live", **changed: str) -> bytes:
    headers = {
        "Host": site.netloc,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _frame(first: int, payload: bytes, *, mask: bool = True, length: bytes | None = None) -> bytes:
    """Return a frame as a browser sends it, unless it is told otherwise."""
    if length is None:
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
    if not mask:
        return bytes([first]) + length + payload
    key = b"\x11\x22\x33\x44"
    masked = bytes(octet ^ key[index % 4] for index, octet in enumerate(payload))
    return bytes([first, length[0] | 0x80]) + length[1:] + key + masked


_TEXT, _BINARY, _CLOSE, _PING, _FIN = 1, 2, 8, 9, 0x80


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (_frame(_FIN | _TEXT, b"{}", mask=False), 1002),
        (_frame(_FIN | 0x40 | _TEXT, b"{}"), 1002),
        (_frame(_FIN | 0x20 | _TEXT, b"{}"), 1002),
        (_frame(_FIN | 0x3, b"{}"), 1002),
        (_frame(_FIN | 0xB, b"{}"), 1002),
        (_frame(_FIN | _TEXT, b"a" * 5000), 1009),
        (_frame(_FIN | _TEXT, b"", length=b"\x7f" + struct.pack(">Q", 1 << 40)), 1009),
        (_frame(_FIN | _TEXT, b"", length=b"\x7f" + struct.pack(">Q", 1 << 63)), 1009),
        (_frame(_TEXT, b"a" * 3000) + _frame(_FIN, b"a" * 3000), 1009),
        (_frame(_FIN | _TEXT, b"\xff\xfe"), 1007),
        (_frame(_FIN | _TEXT, b"\xed\xa0\x80"), 1007),
        (_frame(_PING, b""), 1002),
        (_frame(_FIN | _PING, b"a" * 126), 1002),
        (_frame(_FIN, b"a"), 1002),
        (_frame(_TEXT, b"a") + _frame(_FIN | _TEXT, b"a"), 1002),
        (_frame(_FIN | _CLOSE, b"\x03"), 1002),
        (_frame(_FIN | _CLOSE, struct.pack(">H", 1005)), 1002),
        (_frame(_FIN | _CLOSE, struct.pack(">H", 1000) + b"\xff"), 1007),
        (_frame(_FIN | _BINARY, b"{}"), 1008),
        (_frame(_FIN | _TEXT, b""), 1008),
        (_frame(_FIN | _TEXT, b"[" * 4000), 1008),
        (_frame(_FIN | _TEXT, b'{"type": "choose", "sender": "../../secret", "view": "perceptual"}'), 1008),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 1002),
    ],
)
def test_bad_frames(target: Site, caplog: pytest.LogCaptureFixture, frames: bytes, code: int) -> None:
    with socket.create_connection((target.host, target.port), _PATIENCE_S) as connection:
        connection.sendall(_handshake(target))
        assert _head_of(connection).startswith(b"HTTP/1.1 101 ")
        connection.sendall(frames)
        assert _close_code(connection) == code
    _check(target, caplog)


def _head_of(connection: socket.socket) -> bytes:
    """Read the head of an answer, no further."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return head


def _close_code(connection: socket.socket) -> int | None:
    """Read until the other end closes; return the code of its last frame."""
    octets = b""
    try:
        while chunk := connection.recv(65536):
            octets += chunk
            if (at := octets.rfind(b"\x88")) >= 0 and len(octets) >= at + 4:
                return int(struct.unpack_from(">H", octets, at + 2)[0])
    except ConnectionError:
        """It has been cut."""
    return None


@pytest.mark.parametrize(
    "flood",
    [
        _frame(_FIN | _PING, b"a" * 125) * 1000,
        _frame(_FIN | _TEXT, b'{"type": "choose", "sender": "auto", "view": "faithful"}') * 2000,
        _frame(_TEXT, b"") + _frame(0, b"") * 20_000,
    ],
)
def test_viewers_who_send_without_end_are_cut_off(target: Site, caplog: pytest.LogCaptureFixture, flood: bytes) -> None:
    with socket.create_connection((target.host, target.port), _PATIENCE_S) as connection:
        connection.sendall(_handshake(target))
        _head_of(connection)
        try:
            connection.sendall(flood)
        except ConnectionError:
            """It has been cut."""
        assert _close_code(connection) is None
    _check(target, caplog)
    assert 'reason="sends too much"' in _complaints(caplog)[0]


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        ("/api/live", {"Sec_WebSocket_Key": "short"}, 400),
        ("/api/live", {"Sec_WebSocket_Key": "=" * 24}, 400),
        ("/api/live", {"Sec_WebSocket_Version": "8"}, 400),
        ("/api/live", {"Origin": "http://elsewhere.example"}, 403),
        ("/api/live", {"Origin": "http://127.0.0.1:1"}, 403),
        ("/api/live", {"Host": "elsewhere.example"}, 403),
        ("/api/state", {}, 403),
        ("/../secret", {}, 403),
        ("/api/live", {f"X-{number}": "many" for number in range(100)}, 400),
    ],
)
def test_bad_handshakes(
    target: Site, caplog: pytest.LogCaptureFixture, path: str, changed: dict[str, str], status: int
) -> None:
    answer = target.raw(_handshake(target, path, **changed))
    assert _status(answer) == status
    _check(target, caplog)


def test_a_viewer_without_a_session_is_logged(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection((guarded.host, guarded.port), _PATIENCE_S) as connection:
        connection.sendall(_handshake(guarded))
        assert _head_of(connection).startswith(b"HTTP/1.1 101 ")
        assert _close_code(connection) == 4401
        connection.sendall(_frame(_FIN | _CLOSE, struct.pack(">H", 4401)))
    _check(guarded, caplog)


def test_who_goes_in_the_middle_is_no_fault_of_ours(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    for octets in (
        _handshake(target),
        _request("GET /stream.mjpeg HTTP/1.1"),
        _request(f"GET /stills/{_STILL} HTTP/1.1"),
        _request("POST /login HTTP/1.1", "Content-Length: 10"),
        b"GET / HTTP/1.1\r\n",
    ):
        with socket.create_connection((target.host, target.port), _PATIENCE_S) as connection:
            connection.sendall(octets)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset it
    time.sleep(0.2)
    _check(target, caplog, lines=0)
