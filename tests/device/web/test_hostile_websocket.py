"""Bad handshakes and frames on the live address: they end that connection, and nothing else."""

from __future__ import annotations

import base64
import os
import socket
import struct
import time

import pytest
from tests.device.web.attack import (
    PATIENCE_S,
    STILL,
    check,
    complaints,
    request_octets,
    status_of,
)
from tests.device.web.serving import Site


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
    with socket.create_connection((target.host, target.port), PATIENCE_S) as connection:
        connection.sendall(_handshake(target))
        assert _head_of(connection).startswith(b"HTTP/1.1 101 ")
        connection.sendall(frames)
        assert _close_code(connection) == code
    check(target, caplog)


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
    with socket.create_connection((target.host, target.port), PATIENCE_S) as connection:
        connection.sendall(_handshake(target))
        _head_of(connection)
        try:
            connection.sendall(flood)
        except ConnectionError:
            """It has been cut."""
        assert _close_code(connection) is None
    check(target, caplog)
    assert 'reason="sends too much"' in complaints(caplog)[0]


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
    assert status_of(answer) == status
    check(target, caplog)


def test_a_viewer_without_a_session_is_logged(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection((guarded.host, guarded.port), PATIENCE_S) as connection:
        connection.sendall(_handshake(guarded))
        assert _head_of(connection).startswith(b"HTTP/1.1 101 ")
        assert _close_code(connection) == 4401
        connection.sendall(_frame(_FIN | _CLOSE, struct.pack(">H", 4401)))
    check(guarded, caplog)


def test_who_goes_in_the_middle_is_no_fault_of_ours(target: Site, caplog: pytest.LogCaptureFixture) -> None:
    for octets in (
        _handshake(target),
        request_octets("GET /stream.mjpeg HTTP/1.1"),
        request_octets(f"GET /stills/{STILL} HTTP/1.1"),
        request_octets("POST /login HTTP/1.1", "Content-Length: 10"),
        b"GET / HTTP/1.1\r\n",
    ):
        with socket.create_connection((target.host, target.port), PATIENCE_S) as connection:
            connection.sendall(octets)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset it
    time.sleep(0.2)
    check(target, caplog, lines=0)
