"""uvicorn's connections, with deadlines: who says nothing, reads nothing or speaks another language is cut off."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Any, ClassVar

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.doorkeeper import Doorkeeper
from pantel_device.web.access.headers import MOST_HEADERS, SECURITY_HEADERS

__all__ = ["guarded"]

_LONGEST_LINE = 200
_SLICE_BYTES = 2048


def guarded(doorkeeper: Doorkeeper, complaints: Complaints) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """Return the classes of connections, for HTTP and for WebSocket, that heed a doorkeeper.

    Args:
        doorkeeper: Knows what they may take.
        complaints: Hears of those that are cut off.
    """
    shared: dict[str, Any] = {"doorkeeper": doorkeeper, "complaints": complaints}
    return (
        type("Http", (_GuardedHttp,), shared),
        type("WebSocket", (_GuardedWebSocket,), shared),
    )


class _Timer:
    """A deadline that is set and lifted again."""

    def __init__(self, seconds: float, over: Callable[[], None]) -> None:
        self._seconds = seconds
        self._over = over
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Set the deadline, if none is set."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(self._seconds, self._over)

    def stop(self) -> None:
        """Lift the deadline."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class _GuardedHttp(H11Protocol):
    """A connection that speaks HTTP, until a viewer makes a WebSocket of it."""

    doorkeeper: ClassVar[Doorkeeper]
    complaints: ClassVar[Complaints]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        limits = self.doorkeeper.limits
        self._deadline = _Timer(limits.request_s, self._too_late)
        self._stalled = _Timer(limits.stalled_s, self._too_slow)
        self._begun = False  # a request, of which something is still missing
        self._line = b""  # what it begins with

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _paced(self.app, self.flow, lambda: self.doorkeeper.delay_s(self._address))
        refusal = self.doorkeeper.enter(transport, self._address)
        if refusal is not None:
            self._complain(refusal)
            transport.write(_raw_response(b"503 Service Unavailable", refusal))
            transport.close()
            return
        self._deadline.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.stop()
        self._stalled.stop()
        self.doorkeeper.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._begun and not self._busy:
            self._line = data.partition(b"\r\n")[0].partition(b"?")[0][:_LONGEST_LINE]
        # The library limits a head that is not complete yet, so it is given no more than that at a time.
        for start in range(0, len(data), _SLICE_BYTES):
            super().data_received(data[start : start + _SLICE_BYTES])
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
        if self._busy:
            self._deadline.stop()
        self._begun = not self._busy

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._busy and not self.transport.is_closing():
            self._begun = False
            self._deadline.start()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled.start()

    def resume_writing(self) -> None:
        self._stalled.stop()
        super().resume_writing()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        if (flaw := _handshake_flaw(event)) is not None:
            self.send_400_response(flaw)
            return
        self._deadline.stop()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, and end the connection."""
        self._complain(msg)
        self._deadline.stop()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.write(_raw_response(b"400 Bad Request", msg))
        self.transport.close()

    def shutdown(self) -> None:
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # in the middle of what cannot be ended in order
            self.transport.abort()

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else "unknown"

    def _too_late(self) -> None:
        if self._begun:
            self._complain("request takes too long")
            self.transport.abort()
        else:
            self.transport.close()

    def _too_slow(self) -> None:
        self._complain("reads too slowly")
        self.transport.abort()

    def _complain(self, reason: str) -> None:
        self.complaints.note(reason, address=self._address, request=self._line.decode("latin-1"))


class _GuardedWebSocket(WebSocketsSansIOProtocol):
    """The connection of a viewer."""

    doorkeeper: ClassVar[Doorkeeper]
    complaints: ClassVar[Complaints]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        limits = self.doorkeeper.limits
        self._stalled = _Timer(limits.stalled_s, self._too_slow)
        self._allowance = limits.message_burst_bytes
        self._since_s = self.loop.time()
        self._complained = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._stalled.stop()
        self.doorkeeper.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        limits = self.doorkeeper.limits
        now_s = self.loop.time()
        earned = limits.message_bytes_per_s * (now_s - self._since_s)
        self._allowance = min(self._allowance + earned, limits.message_burst_bytes) - len(data)
        self._since_s = now_s
        if self._allowance < 0:
            self._cut("sends too much")
            return
        super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Close the connection of who does not speak the protocol."""
        sent = self.conn.close_sent
        self._complain(f"bad WebSocket frame, {'' if sent is None else sent.code}")
        if sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled.start()

    def resume_writing(self) -> None:
        self._stalled.stop()
        super().resume_writing()

    async def send(self, message: Any) -> None:
        """Send a message and wait until it has left, so that the next picture is the newest then."""
        await super().send(message)
        await self.writable.wait()

    def _too_slow(self) -> None:
        self._cut("reads too slowly")

    def _cut(self, reason: str) -> None:
        self._complain(reason)
        self.transport.abort()

    def _complain(self, reason: str) -> None:
        if not self._complained:
            self.complaints.note(reason, address=self.client[0] if self.client else "unknown")
        self._complained = True


def _paced(app: ASGIApp, flow: FlowControl, delay_s: Callable[[], float]) -> ASGIApp:
    """Return an application that begins after a delay, and whose `send` ends when the message has left."""

    async def paced(scope: Scope, receive: Receive, send: Send) -> None:
        if (wait_s := delay_s()) > 0:
            await asyncio.sleep(wait_s)

        async def send_and_drain(message: Message) -> None:
            await send(message)
            if flow.write_paused:
                await flow.drain()

        await app(scope, receive, send_and_drain)

    return paced


def _handshake_flaw(request: h11.Request) -> str | None:
    """Return what is wrong with a request for a WebSocket; None for nothing.

    What passes here is taken by the library behind, whose own refusals would come without our headers.
    """
    headers = [(bytes(name).lower(), bytes(value)) for name, value in request.headers]
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    if request.method != b"GET" or request.http_version != b"1.1":
        return "a WebSocket begins with GET of HTTP/1.1"
    if len(headers) > MOST_HEADERS:
        return "too many headers"
    if versions != [b"13"] or len(keys) != 1:
        return "no WebSocket handshake of version 13"
    try:
        key = base64.b64decode(keys[0], validate=True)
    except binascii.Error:
        key = b""
    return None if len(key) == 16 else "the key of the WebSocket handshake is none"


def _raw_response(status: bytes, text: str) -> bytes:
    """Return a response for who has none of the application."""
    body = f"{text}\n".encode()
    lines = [
        b"HTTP/1.1 " + status,
        *(name + b": " + value for name, value in SECURITY_HEADERS),
        b"cache-control: no-store",
        b"content-type: text/plain; charset=utf-8",
        b"content-length: %d" % len(body),
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
