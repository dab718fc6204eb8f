"""Alarms to a real HTTP server: delivered, refused, late, redirected, and over outages."""

from __future__ import annotations

import http.server
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import pytest
from tests.device.mqtt.certificates import Authority
from tests.device.mqtt.mosquitto import until
from tests.device.web.serving import make_event

from pantel_device.config import ReceiverConfig
from pantel_device.config.urls import split_webhook
from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.publishing.opening import open_publishing
from pantel_device.receiving.sink import SenderName
from pantel_device.webhook import post as posting
from pantel_device.webhook.caller import WebhookCaller
from pantel_device.webhook.post import Answer, Outcome, Webhook, post
from pantel_link import MonotonicClock

_MAST = SenderName("K1ABC", 0)


class _Server:
    """A server that keeps what is posted, and answers what the test says."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.wait_s = 0.0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, dict(self.headers), body))
                time.sleep(outer.wait_s)
                status = outer.answers.pop(0) if outer.answers else 204
                self.send_response(status)
                if status // 100 == 3:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def speak_tls(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def webhook(self) -> Webhook:
        return Webhook(split_webhook(f"http://127.0.0.1:{self.port}/alarms?to=me"), "t0ken")

    def numbers(self) -> list[int]:
        return [json.loads(body)["number"] for _, _, body in self.posts]

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server()
    yield server
    server.stop()


@pytest.fixture
def queue(tmp_path: Path) -> AlarmQueue:
    return AlarmQueue(tmp_path / "alarms")


def _put(queue: AlarmQueue, *numbers: int) -> None:
    for number in numbers:
        queue.put(f"id{number}", _MAST, {"number": number})


def test_what_goes_out(server: _Server) -> None:
    assert post(server.webhook, b'{"number": 1}', "id1") == Answer(Outcome.DELIVERED, "204 No Content")
    ((path, headers, body),) = server.posts
    assert (path, body) == ("/alarms?to=me", b'{"number": 1}')
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == "id1"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("pantel/")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.DELIVERED), (400, Outcome.REFUSED), (413, Outcome.REFUSED), (422, Outcome.REFUSED)]
    + [(status, Outcome.FAILED) for status in (301, 307, 401, 403, 404, 408, 429, 500, 503)],
)
def test_what_an_answer_means(server: _Server, status: int, outcome: Outcome) -> None:
    server.answers = [status]
    assert post(server.webhook, b"{}", "id").outcome is outcome
    assert len(server.posts) == 1  # no redirect is followed


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 400 \x1b]0;owned\x07" + 60_000 * b"A", b"\x1b]0;owned\x07" + 60_000 * b"A"]
)
def test_an_answer_is_a_few_printable_words(line: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                heard = b""
                while not heard.endswith(b"{}"):  # what is left unread when it is closed resets the connection
                    heard += connection.recv(65_536)
                connection.sendall(line + b"\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        reason = post(Webhook(split_webhook(f"http://127.0.0.1:{listener.getsockname()[1]}/")), b"{}", "id").reason
        thread.join()
    assert r"\x1b]0;owned\x07AAA" in reason
    assert reason.isprintable()
    assert len(reason) < 130


def test_who_does_not_answer(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_TIMEOUT_S", 0.2)
    server.wait_s = 0.6
    assert post(server.webhook, b"{}", "id") == Answer(Outcome.FAILED, "no answer in time")
    assert post(Webhook(split_webhook("http://127.0.0.1:1/")), b"{}", "id").reason == "Connection refused"


class _Talker:
    """A server that answers as it likes, piece by piece, until it has nothing more to say or nobody listens."""

    def __init__(
        self, pieces: Iterable[bytes], pause_s: float, tls: ssl.SSLContext | None = None, *, patient: bool = True
    ) -> None:
        self._patient = patient
        self._pieces = pieces
        self._pause_s = pause_s
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        connection, _ = self._server.accept()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection, suppress(OSError):
            heard = b""
            while self._patient and not heard.endswith(b"{}"):
                heard += connection.recv(65536)
            for piece in self._pieces:
                connection.sendall(piece)
                time.sleep(self._pause_s)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "pieces",
    [repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), chain([b"HTTP/1.1 200 OK\r\nX: "], repeat(b"a"))],
    ids=["continue", "drip"],
)
def test_who_is_never_done(
    pieces: Iterable[bytes], scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_DEADLINE_S", 0.5)
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server", "127.0.0.1"))
    talker = _Talker(pieces, 0.05, context if scheme == "https" else None)
    webhook = Webhook(
        split_webhook(f"{scheme}://127.0.0.1:{talker.port}/"), tls=ssl.create_default_context(cafile=authority.path)
    )
    if scheme == "http":
        webhook = replace(webhook, tls=None)
    began_s = time.monotonic()
    answer = post(webhook, b"{}", "id")
    talker.close()
    assert answer == Answer(Outcome.FAILED, "no answer in time")
    assert 0.4 < time.monotonic() - began_s < 4


def test_who_is_never_done_with_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_DEADLINE_S", 0.5)
    # A record of 16 kB, of which an octet comes now and then.
    talker = _Talker(chain([b"\x16\x03\x03\x40\x00"], repeat(b"\x02")), 0.05, patient=False)
    webhook = Webhook(split_webhook(f"https://127.0.0.1:{talker.port}/"), tls=ssl.create_default_context())
    answer = post(webhook, b"{}", "id")
    talker.close()
    assert answer == Answer(Outcome.FAILED, "no answer in time")


@pytest.mark.parametrize("line", [b"HTTP/1.1 400 ", b"HTTP/1.1 500 ", b"nonsense "])
def test_what_a_server_says_is_short_and_harmless(line: bytes) -> None:
    talker = _Talker([line + b"\x1b]0;owned\x07" + b"A" * 60_000 + b"\r\n\r\n"], 0)
    answer = post(Webhook(split_webhook(f"http://127.0.0.1:{talker.port}/")), b"{}", "id")
    talker.close()
    assert "\\x1b]0;owned\\x07AAA" in answer.reason
    assert answer.reason.isprintable()
    assert len(answer.reason) < 150


def test_no_tls_there_is_no_alarm_in_plain_text(server: _Server) -> None:
    webhook = Webhook(split_webhook(f"https://127.0.0.1:{server.port}/"), tls=ssl.create_default_context())
    assert post(webhook, b"{}", "id").outcome is Outcome.FAILED
    assert server.posts == []


@pytest.mark.parametrize("believed", [True, False])
def test_tls_with_an_authority_of_ones_own(
    server: _Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, believed: bool
) -> None:
    authority = Authority(tmp_path)
    server.speak_tls(*authority.sign("server", "127.0.0.1"))
    options = {"webhook": f"https://127.0.0.1:{server.port}/alarms", "state_dir": tmp_path / "state"}
    if believed:
        options["webhook_ca_file"] = str(authority.path)
    with ExitStack() as stack:
        config = ReceiverConfig.model_validate(options)
        publishing = open_publishing(config, clock=MonotonicClock(), stack=stack)
        for watcher in publishing.watchers:
            watcher.on_event(make_event("alarm", phase="began", zone="gate", number=7))
        until(lambda: server.posts or "its certificate is not believed: " in caplog.text)
    assert server.numbers() == ([7] if believed else [])


def test_all_in_order(server: _Server, queue: AlarmQueue) -> None:
    caller = WebhookCaller(server.webhook, queue)
    _put(queue, *range(10))
    until(lambda: len(queue) == 0)
    caller.close()
    assert server.numbers() == list(range(10))


def test_an_outage_loses_none(server: _Server, queue: AlarmQueue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caller = WebhookCaller(server.webhook, queue)
    _put(queue, 0, 1)
    until(lambda: len(queue) == 0)
    port = server.port
    server.stop()
    _put(queue, 2, 3, 4)
    until(lambda: "gone" in caplog.text)
    again = _Server(port)
    again.answers = [503, 401]
    until(lambda: len(queue) == 0)
    caller.close()
    again.stop()
    assert server.numbers() == [0, 1]
    assert list(dict.fromkeys(again.numbers())) == [2, 3, 4]
    said = [record.getMessage() for record in caplog.records if record.name == "pantel_device.publishing.outage"]
    assert len(said) == 4, said  # refused; 503; 401; back
    assert said[-1] == f"webhook 127.0.0.1:{port} back"


def test_what_waits_is_posted_after_a_restart(server: _Server, tmp_path: Path) -> None:
    dead = Webhook(split_webhook("http://127.0.0.1:1/"))
    queue = AlarmQueue(tmp_path / "alarms")
    caller = WebhookCaller(dead, queue)
    _put(queue, 1, 2)
    caller.close()
    again = AlarmQueue(tmp_path / "alarms")
    caller = WebhookCaller(server.webhook, again)
    until(lambda: len(again) == 0)
    caller.close()
    assert server.numbers() == [1, 2]


def test_a_refused_alarm_keeps_no_other_waiting(
    server: _Server, queue: AlarmQueue, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [422]
    caller = WebhookCaller(server.webhook, queue)
    _put(queue, 1, 2)
    until(lambda: len(queue) == 0)
    caller.close()
    assert caller.refused == 1
    assert server.numbers() == [1, 2]
    (line,) = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert line == "webhook refuses an alarm id=id1 reason=422 Unprocessable Entity; it is dropped"


def test_who_ends_does_not_wait_for_a_server_that_hangs(server: _Server, queue: AlarmQueue) -> None:
    server.wait_s = 4.5
    caller = WebhookCaller(server.webhook, queue)
    _put(queue, 1)
    until(lambda: server.posts)
    began_s = time.monotonic()
    caller.close()
    assert time.monotonic() - began_s < 4
