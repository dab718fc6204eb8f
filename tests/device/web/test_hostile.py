"""Hostile requests: none does harm, none is shown what it should not, and each is logged once, in one line.

After each the page answers a friendly one at once.
"""

from __future__ import annotations

import pytest
from tests.device.web.attack import (
    STILL,
    check,
    complaints,
    request_octets,
    status_of,
)
from tests.device.web.serving import Site

_CHUNKED = "Transfer-Encoding: chunked"
_CROSS_SITE = "Sec-Fetch-Site: cross-site"
_JSON = "Content-Type: application/json"


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
        f"/stills/{STILL}%2f..%2fsecret",
        f"/stills/{STILL}%00",
        f"/stills/../stills/{STILL}",
        f"/stills/.%2f{STILL}",
        f"/stills/{STILL}%0a",
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
    answer = target.raw(request_octets(f"GET {path} HTTP/1.1"))
    assert status_of(answer) == 404
    assert b"\r\nset-cookie" not in answer.lower()
    check(target, caplog, secret=answer)


@pytest.mark.parametrize(
    "octets",
    [
        request_octets("GET /" + "a" * 20_000 + " HTTP/1.1"),
        request_octets("GET / HTTP/1.1", "X-Long: " + "a" * 20_000),
        request_octets("GET / HTTP/1.1", *(f"X-{number}: many" for number in range(2000))),
        request_octets("GET / HTTP/1.1", host=None),
        request_octets("GET / HTTP/1.1", "Host: elsewhere"),
        request_octets("GET / HTTP/1.1", "X-Null: a\0b"),
        request_octets("GET /\0 HTTP/1.1"),
        request_octets("GET /ü HTTP/1.1"),
        request_octets("GET / HTTP/1.1", "X-Blank : smuggled"),
        request_octets("GET / HTTP/1.1", ": nameless"),
        request_octets("GET / HTTP/9.9"),
        request_octets("G\x01T / HTTP/1.1"),
        request_octets("GET  / HTTP/1.1"),
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes.fromhex("16030100c8010000c40303") + bytes(190),
        bytes(range(256)) * 40,
        b"\r\n\r\n\r\n\0",
        request_octets("POST /login HTTP/1.1", "Content-Length: -1"),
        request_octets("POST /login HTTP/1.1", "Content-Length: 1e3"),
        request_octets("POST /login HTTP/1.1", "Content-Length: 5", "Content-Length: 6", body=b"token="),
        request_octets("POST /login HTTP/1.1", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
        request_octets("POST /login HTTP/1.1", "Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    ],
)
def test_what_is_no_request(target: Site, caplog: pytest.LogCaptureFixture, octets: bytes) -> None:
    answer = target.raw(octets)
    assert status_of(answer) in {0, 400}
    if answer:
        assert b"content-security-policy: default-src 'none'" in answer
    check(target, caplog, secret=answer)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (request_octets("POST /login HTTP/1.1", "Content-Length: 10000000"), 413),
        (request_octets("GET / HTTP/1.1", "Content-Length: 99999999999"), 413),
        (request_octets("POST /api/ask HTTP/1.1", "Content-Length: 5", _CHUNKED, body=b"0\r\n\r\nGET /a"), 400),
        (request_octets("GET /stream.mjpeg HTTP/1.1", _CHUNKED, body=b"5\r\nabcde\r\n" * 100), 400),
        (request_octets("BREW / HTTP/1.1"), 405),
        (request_octets("TRACE / HTTP/1.1"), 405),
        (request_octets("DELETE /api/state HTTP/1.1"), 405),
        (request_octets("PUT /static/index.html HTTP/1.1"), 405),
        (request_octets("OPTIONS * HTTP/1.1"), 404),
        (request_octets("CONNECT elsewhere.example:443 HTTP/1.1"), 404),
        (request_octets("GET / HTTP/1.1", host="elsewhere.example"), 403),
        (request_octets("GET / HTTP/1.1", host="localhost@elsewhere.example"), 403),
        (request_octets("GET / HTTP/1.1", host="127.0.0.1.elsewhere.example"), 403),
        (request_octets("GET / HTTP/1.1", host="10.1.2.3"), 403),
        (request_octets("GET / HTTP/1.1", host=""), 403),
        (request_octets("GET / HTTP/1.0", host=None), 403),
        (request_octets("GET /picture.jpg HTTP/1.1", _CROSS_SITE, "Sec-Fetch-Mode: no-cors"), 403),
        (request_octets("GET / HTTP/1.1", _CROSS_SITE, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), 403),
        (request_octets("POST /logout HTTP/1.1", "Origin: http://elsewhere.example"), 403),
        (request_octets("POST /api/ask HTTP/1.1", "Origin: null", _JSON, "Content-Length: 2", body=b"{}"), 403),
        (request_octets("POST /api/ask HTTP/1.1", "Origin: http://localhost:1", "Content-Length: 2", body=b"{}"), 403),
        (request_octets("POST /api/ask HTTP/1.1", "Content-Type: text/plain", "Content-Length: 2", body=b"{}"), 415),
        (request_octets("POST /api/ask HTTP/1.1", _JSON, "Content-Length: 4000", body=b"[" * 4000), 400),
        (request_octets("POST /api/ask HTTP/1.1", _JSON, "Content-Length: 3", body=b"NaN"), 400),
        (request_octets(f"GET /stills/{STILL} HTTP/1.1", "Range: bytes=abc"), 400),
        (request_octets(f"GET /stills/{STILL} HTTP/1.1", "Range: bytes=9999999999-"), 416),
        (request_octets(f"GET /stills/{STILL} HTTP/1.1", "Range: bytes=5-1"), 400),
        (request_octets(f"GET /stills/{STILL} HTTP/1.1", "Range: lines=1-2"), 400),
        (request_octets("GET /picture.jpg?sender=../../secret HTTP/1.1"), 400),
        (request_octets("GET /api/events?limit=" + "9" * 5000 + " HTTP/1.1"), 400),
    ],
)  # fmt: skip
def test_requests_that_are_refused(target: Site, caplog: pytest.LogCaptureFixture, octets: bytes, status: int) -> None:
    answer = target.raw(octets)
    assert status_of(answer) == status
    assert answer.count(b"HTTP/1.1 ") == 1  # nothing that was smuggled is answered
    assert b"content-security-policy: default-src 'none'" in answer
    check(target, caplog, secret=answer)


@pytest.mark.parametrize("ranges", [",".join(["0-"] * 90), ",".join(f"{n}-{n}" for n in range(0, 180, 2)), "0-," * 500])
def test_many_ranges_are_no_more_than_the_file(target: Site, caplog: pytest.LogCaptureFixture, ranges: str) -> None:
    answer = target.raw(request_octets(f"GET /stills/{STILL} HTTP/1.1", f"Range: bytes={ranges}"))
    assert status_of(answer) in {200, 206}
    assert len(answer) < 20_000
    check(target, caplog, lines=0)


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
    answer = guarded.raw(request_octets("POST /login HTTP/1.1", form, "Transfer-Encoding: chunked", body=body))
    assert status_of(answer) in {0, status}
    check(guarded, caplog)


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
    answer = guarded.raw(request_octets("POST /login HTTP/1.1", *form, body=body))
    assert status_of(answer) == status
    assert b"set-cookie" not in answer.lower()
    check(guarded, caplog)


@pytest.mark.parametrize("seal", ["", "A" * 43, "=", "ü"])
def test_cookies_that_nobody_has_given(guarded: Site, caplog: pytest.LogCaptureFixture, seal: str) -> None:
    name, _, value = guarded.cookie().partition("=")
    forged = f"{name}={value.rpartition('.')[0]}.{seal}"
    assert status_of(guarded.raw(request_octets("GET /api/state HTTP/1.1", f"Cookie: {forged}"))) == 401
    check(guarded, caplog)


def test_guessing_tokens_by_the_dozen(guarded: Site, caplog: pytest.LogCaptureFixture) -> None:
    statuses = [guarded.log_in(f"guess-{n}", X_Forwarded_For=f"10.0.0.{n}").status for n in range(20)]
    statuses += [guarded.get("/", Authorization=f"Bearer {n}").status for n in range(20)]
    assert statuses == [303] * 5 + [429] * 35
    check(guarded, caplog, lines=40)
    assert all("address=127.0.0.1 " in line for line in complaints(caplog))
