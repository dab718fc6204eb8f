"""What attacks on the page have in common: the page, octets that no browser sends, and what must not have happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.device.web.serving import Site, serving

from pantel_device.web.access.doorkeeper import Limits

SECRET = b"nobody may read this"
LIMITS = Limits(
    connections=24, connections_per_address=16, requests_burst=10_000, request_s=1.0, body_s=0.5, stalled_s=1.0
)
PATIENCE_S = 10.0
LOG = "pantel_device.web.access.complaints"
STILL = "20260131T120000Z-K1ABC-0-7.png"


@contextmanager
def exposed(folder: Path) -> Iterator[Site]:
    stills = folder / "stills"
    stills.mkdir()
    (stills / STILL).write_bytes(bytes(1000))
    (stills / "secret").write_bytes(SECRET)
    (folder / "secret").write_bytes(SECRET)
    with serving(folder, stills=str(stills), back_channel=True, limits=LIMITS) as site:
        yield site


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == LOG]


def check(site: Site, caplog: pytest.LogCaptureFixture, *, lines: int = 1, secret: bytes = b"") -> None:
    """Check that nothing has happened but lines in the log."""
    before_s = time.monotonic()
    assert site.get("/health").status == 200
    assert time.monotonic() - before_s < 2.0
    deadline_s = time.monotonic() + PATIENCE_S
    while len(complaints(caplog)) < lines and time.monotonic() < deadline_s:
        time.sleep(0.01)
    found = complaints(caplog)
    assert len(found) == lines, found
    assert all(line.isascii() and line.isprintable() and len(line) < 400 for line in found), found
    others = [record for record in caplog.records if record.name != LOG and record.levelno >= logging.WARNING]
    assert not others
    assert SECRET not in secret


def request_octets(line: str, *headers: str, host: str | None = "localhost", body: bytes = b"") -> bytes:
    lines = [line, *([] if host is None else [f"Host: {host}"]), *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
