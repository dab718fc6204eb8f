"""Floods, and connections that are slow, silent or too many: they are cut off, and the page answers on."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.device.web.attack import (
    LIMITS,
    PATIENCE_S,
    STILL,
    check,
    complaints,
    exposed,
    request_octets,
)
from tests.device.web.serving import Site, serving

from pantel_device.web.access.doorkeeper import Limits


def test_a_flood_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    request = b"GET /%2e%2e HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with exposed(tmp_path) as site, socket.create_connection((site.host, site.port), PATIENCE_S) as connection:
        for _ in range(10):
            connection.sendall(request * 50)
            answers = b""
            while answers.count(b"HTTP/1.1 404") < 50:
                answers += connection.recv(65536)
        assert 200 <= len(complaints(caplog)) <= 210


def test_a_flood_waits_for_the_receiver(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(tmp_path, limits=Limits(requests_per_s=50, requests_burst=10)) as site:
        before_s = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: site.raw(request_octets("GET /health HTTP/1.1"))[9:12], range(40)))
        assert statuses == [b"200"] * 40
        assert time.monotonic() - before_s > (2 * 40 - 10) / 50 - 0.1  # a connection counts as much as a request
        check(site, caplog, lines=0)


def test_who_says_nothing_more_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    before_s = time.monotonic()
    assert target.raw(b"GET / HTTP/1.1\r\nHost: localh") == b""
    assert time.monotonic() - before_s < 3.0
    check(target, caplog)
    assert 'reason="request takes too long" request="GET / HTTP/1.1"' in complaints(caplog)[0]


def test_who_says_nothing_at_all_is_no_enemy(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert target.raw(b"") == b""
    check(target, caplog, lines=0)


def test_a_request_octet_by_octet_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert _drip(target, b"GET / HTTP/1.1\r\n" + b"X-Slow: loris\r\n" * 100) < 3.0
    check(target, caplog)


def test_a_second_request_octet_by_octet_is_cut_off(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    first = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert _drip(target, b"GET / HTTP/1.1\r\n" + b"X-Slow: loris\r\n" * 100, at_once=first) < 3.0
    check(target, caplog)


def test_a_body_octet_by_octet_is_refused(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = request_octets(
        "POST /login HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 1000"
    ).replace(b"Connection: close\r\n", b"")
    assert _drip(guarded, b"token=" + b"a" * 994, at_once=head) < 4.0
    check(guarded, caplog)


def test_a_body_that_nobody_asked_for_octet_by_octet(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    assert _drip(target, b"a" * 1000, at_once=head) < 3.0
    check(target, caplog)


def _drip(site: Site, octets: bytes, *, at_once: bytes = b"") -> float:
    """Send octets one by one until the connection is cut; return how long it lasts [s]."""
    began_s = time.monotonic()
    with socket.create_connection((site.host, site.port), PATIENCE_S) as connection:
        connection.sendall(at_once)
        try:
            for octet in octets:
                connection.sendall(bytes([octet]))
                time.sleep(0.02)
                if time.monotonic() - began_s > PATIENCE_S:
                    break
        except OSError:
            """It has been cut."""
    return time.monotonic() - began_s


def test_who_reads_nothing_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    (stills / STILL).write_bytes(bytes(30_000_000))
    with serving(tmp_path, stills=str(stills), limits=LIMITS) as site:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((site.host, site.port))
            connection.sendall(request_octets(f"GET /stills/{STILL} HTTP/1.1"))
            check(site, caplog)
        assert 'reason="reads too slowly"' in complaints(caplog)[0]


def test_who_reads_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    (stills / STILL).write_bytes(bytes(30_000_000))
    with serving(tmp_path, stills=str(stills)) as site, _connect(site, "127.0.0.1") as connection:
        connection.sendall(request_octets(f"GET /stills/{STILL} HTTP/1.1"))
        assert site.get("/health").status == 200
        before_s = time.monotonic()
        site.stop()
        assert time.monotonic() - before_s < 2.5


def test_connections_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with exposed(tmp_path) as site, ExitStack() as stack:
        addresses = ["127.0.0.2"] * 18 + ["127.0.0.3"] * 9
        connections = [stack.enter_context(_connect(site, address)) for address in addresses]
        refused = [connection for connection in connections if _is_refused(connection)]
        assert len(refused) == 3  # two of one address, and one of all
        stack.close()
        check(site, caplog, lines=3)


def _connect(site: Site, source: str) -> socket.socket:
    return socket.create_connection((site.host, site.port), PATIENCE_S, (source, 0))


def _is_refused(connection: socket.socket) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(100).startswith(b"HTTP/1.1 503 ")
    except TimeoutError:
        return False
