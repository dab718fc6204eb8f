"""`pantel receive` with its page: from octets on a line to a picture in a browser."""

from __future__ import annotations

import http.client
import logging
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pantel_codec import Element, Knot, SceneSyntax, SpriteElement, Thumbnail, size_code
from pantel_device.command import UsageError
from pantel_device.commands.receive import receive
from pantel_device.config import ReceiverConfig
from pantel_device.sending.stream import stream_context
from pantel_device.service import service_session
from pantel_device.web.page import Page, open_page
from pantel_link import LinkSender, MonotonicClock, PacketKind
from pantel_models import SceneCodec

_PATIENCE_S = 20.0


@pytest.fixture
def heard(codec: SceneCodec, dress: Callable[..., Thumbnail]) -> bytes:
    """Return what a sender writes of an object."""
    codes = size_code(16), size_code(24)
    core = dress((250, 10, 10), codes)
    element: Element = SpriteElement(5, True, 1, codes[0], (0, 0, 0, 0), Knot(0, 20, 32, codes[1]), core)
    payload = SceneSyntax(codec.entropy, codec.thumbnails.model, 96, 64).write([element])
    sender = LinkSender(stream_context(codec.artefact, callsign="DK1AB", epoch=7, size_px=(96, 64)), now_ns=0)
    octets = b""
    for time_ns in range(0, 2_000_000_000, 20_000_000):
        if payload and sender.ready(time_ns):
            sender.submit(PacketKind.SCENE, payload, time_ns)
            payload = b""
        while chunk := sender.due(time_ns):
            octets += chunk
    return octets


class _Url(logging.Handler):
    """Waits for the line of the log that says where the page is."""

    def __init__(self) -> None:
        super().__init__()
        self.said = threading.Event()
        self.netloc = ""

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"page url=http://([^/]+)/", record.getMessage()):
            self.netloc = found[1]
            self.said.set()


def _receive(config: ReceiverConfig, seconds: float) -> None:
    with service_session(patient=False) as session:
        receive(config, session, seconds=seconds)


def test_from_the_line_to_the_page(heard: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    page = _Url()
    logging.getLogger("pantel_device.web.page").addHandler(page)
    seen: dict[str, bytes] = {}

    def look() -> None:
        assert page.said.wait(_PATIENCE_S)
        connection = http.client.HTTPConnection(page.netloc, timeout=_PATIENCE_S)
        deadline_s = time.monotonic() + _PATIENCE_S
        for name, path in (("picture", "/picture.jpg"), ("state", "/api/state")):
            while name not in seen and time.monotonic() < deadline_s:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    seen[name] = body
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(2) as pool:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                time.sleep(0.3)  # what has come before a port is open is stale
                connection.sendall(heard)
                connection.recv(1)  # until the receiver hangs up

        sending, looking = pool.submit(send), pool.submit(look)
        config = ReceiverConfig.model_validate(
            {
                "port": f"socket://127.0.0.1:{server.getsockname()[1]}",
                "picture": "",
                "events": "",
                "web": "127.0.0.1:0",
                "playout_delay_s": 0,
                "state_dir": tmp_path,
            }
        )
        _receive(config, 5)
        looking.result(timeout=_PATIENCE_S)
        sending.result(timeout=_PATIENCE_S)
    logging.getLogger("pantel_device.web.page").removeHandler(page)
    assert seen["picture"].startswith(b"\xff\xd8\xff")
    assert b'"name":"DK1AB-0"' in seen["state"]
    assert b'"port_up":true' in seen["state"]


def test_where_the_default_port_is_taken_receiving_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    taken = None
    with suppress(OSError):  # then somebody else has taken it
        taken = socket.create_server(("127.0.0.1", 8080))
    try:
        config = ReceiverConfig.model_validate({"port": "pty:", "picture": "", "events": "", "state_dir": tmp_path})
        _receive(config, 0.1)
    finally:
        if taken is not None:
            taken.close()
    assert "no page reason=the page cannot be at web = 127.0.0.1:8080: another program uses it; " in caplog.text


def _open(web: str, folder: Path, stack: ExitStack, *, patient: bool) -> Page | None:
    token = folder / "token"
    token.write_text("0123456789abcdefghijklmnopqrstuv\n")
    token.chmod(0o600)
    config = ReceiverConfig.model_validate({"web": web, "web_token_file": str(token), "state_dir": folder})
    return open_page(config, clock=MonotonicClock(), stack=stack, patient=patient)


@pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::7]"])
def test_a_service_serves_its_page_at_an_address_that_comes_later(host: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        page = _open(f"{host}:0", tmp_path, stack, patient=True)
        assert page is not None
        assert page.url == f"http://{host}:{page.port}/"
        with pytest.raises(UsageError, match="it is no address of this machine"):
            _open(f"{host}:0", tmp_path, stack, patient=False)


def test_a_service_goes_on_without_a_page_whose_address_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        web = f"127.0.0.1:{taken.getsockname()[1]}"
        assert _open(web, tmp_path, stack, patient=True) is None
        assert f"no page reason=the page cannot be at web = {web}: another program uses it; " in caplog.text
        with pytest.raises(UsageError, match="another program uses it"):
            _open(web, tmp_path, stack, patient=False)


def test_a_service_without_a_token_is_used_wrongly(tmp_path: Path) -> None:
    config = ReceiverConfig.model_validate({"web": "192.0.2.7:0", "state_dir": tmp_path})
    with ExitStack() as stack, pytest.raises(UsageError, match="needs a token"):
        open_page(config, clock=MonotonicClock(), stack=stack, patient=True)
