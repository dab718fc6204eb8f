"""What every request passes before anything answers it: name, origin, size, session; and what every response gets."""

from __future__ import annotations

import base64
import traceback
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from pantel_device.web.access.bodies import CUT_OFF, MOST_BODY_BYTES
from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.headers import MOST_HEADERS, SECURITY_HEADERS
from pantel_device.web.access.host_names import HostNames
from pantel_device.web.access.log_in import Cookie, try_later
from pantel_device.web.access.log_in_limiter import LogInLimiter
from pantel_device.web.access.sessions import Sessions

__all__ = ["Gate"]

_VERSIONS = frozenset({"1.0", "1.1"})
_READING = frozenset({"GET", "HEAD"})
_LOGGED_OUT = 4401
_HARMLESS = frozenset({409, CUT_OFF})
_HOSTILE_CLOSES = frozenset({1008, _LOGGED_OUT})


class Gate:
    """Lets through to an application who may come.

    Args:
        app: What is behind.
        host_names: Under which names it is served.
        sessions: Of those who have shown the token; None where everybody may come.
        limiter: Who may try a token.
        cookie: How sessions travel.
        complaints: Hears of what is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host_names: HostNames,
        sessions: Sessions | None,
        limiter: LogInLimiter,
        cookie: Cookie,
        complaints: Complaints,
    ) -> None:
        self._app = app
        self._host_names = host_names
        self._sessions = sessions
        self._limiter = limiter
        self._cookie = cookie
        self._complaints = complaints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        answer = _Answer(scope, send)
        try:
            refusal = _shape_refusal(scope) or self._refusal(scope) or self._entry(scope, answer)
            if refusal is None:
                await self._app(scope, receive, answer.send)
            elif scope["type"] == "websocket" and refusal.status_code == 401:
                await receive()
                await answer.send({"type": "websocket.accept"})
                await answer.send({"type": "websocket.close", "code": _LOGGED_OUT, "reason": "log in"})
            else:
                await refusal(scope, receive, answer.send)
        except (ClientDisconnected, ClientDisconnect, WebSocketDisconnect):
            """There is nobody to answer any more."""
        except Exception as error:  # noqa: BLE001 - the page goes on with the next request
            where = traceback.extract_tb(error.__traceback__)[-1]
            scope["pantel.complaint"] = f"page failed: {error!r} at {where.filename}:{where.lineno}"
            if not answer.begun:
                await PlainTextResponse("internal error\n", 500)(scope, receive, answer.send)
        finally:
            if (reason := answer.complaint()) is not None:
                self._complaints.note(reason, address=_address(scope), request=_request_line(scope))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that no page of ours has made."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._host_names.serves(host, (scope["server"] or ("", 0))[0]):
            return _refused(403, "the page is not served under this name; set web_names, or use its address")
        origin = headers.get("origin")
        asking = scope["type"] == "websocket" or scope["method"] not in _READING
        if asking and origin is not None and not self._host_names.same_origin(origin, host):
            return _refused(403, "the request comes from another site")
        if scope["type"] == "http" and _from_another_site(scope["method"], headers):
            return _refused(403, "the request comes from another site")
        return None

    def _entry(self, scope: Scope, answer: _Answer) -> Response | None:
        """Find the session of a request; return the answer to one that has none and needs one."""
        if self._sessions is None:
            return None
        headers = Headers(scope=scope)
        if (token := _token_in(headers.get("authorization", ""))) is not None:
            return self._by_token(self._sessions, scope, token)
        given = cookie_parser(headers.get("cookie", "")).get(self._cookie.name)
        session = None if given is None else self._sessions.check(given)
        scope["pantel.session"] = session
        if session is not None:
            if (renewed := self._sessions.renewed(session)) is not None:
                answer.cookie = self._cookie.header(self._sessions.cookie(renewed), secure=renewed.secure)
            return None
        path = scope["path"]
        if path in {"/login", "/health"} or path.startswith("/static/"):
            return None
        if given is not None:
            scope["pantel.complaint"] = "no such session"
        return RedirectResponse("/login", 303) if path == "/" and scope["type"] == "http" else _log_in_first()

    def _by_token(self, sessions: Sessions, scope: Scope, token: bytes) -> Response | None:
        """Let in who sends the token itself; return the answer to one who does not have it."""
        address = _address(scope)
        if (wait_s := self._limiter.wait_s(address)) > 0:
            return try_later(wait_s)
        if sessions.opens(token):
            self._limiter.succeeded(address)
            return None
        self._limiter.failed(address)
        scope["pantel.complaint"] = "wrong token"
        return _log_in_first()


class _Answer:
    """Sends an answer, with the headers that all have, and remembers what it was.

    Attributes:
        begun: Whether something has been sent.
        cookie: To be set; None for none.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self.begun = False
        self.cookie: str | None = None
        self._scope = scope
        self._send = send
        self._status: int | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the application's."""
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self._status = message["status"]
                message = {**message, "headers": self._headers(message)}
            case "websocket.accept":
                message = {**message, "headers": self._headers(message)}
            case "websocket.close":
                self._status = message.get("code") if self.begun else 403
        self.begun = True
        await self._send(message)

    def complaint(self) -> str | None:
        """Return why the request was refused; None if it was not, or if that can happen to anybody."""
        if (reason := self._scope.get("pantel.complaint")) is not None:
            return str(reason)
        status = self._status
        harmless = status is None or not (400 <= status < 500 or status in _HOSTILE_CLOSES)
        if harmless or status in _HARMLESS or (status in {401, 404} and not _odd(self._scope)):
            return None
        return f"status {status}"

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        headers = list(message.get("headers", ()))
        names = {name.lower() for name, _ in headers}
        headers += [header for header in SECURITY_HEADERS if header[0] not in names]
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"no-store"))
        if self.cookie is not None and b"set-cookie" not in names:
            headers.append((b"set-cookie", self.cookie.encode("latin-1")))
        return headers


def _shape_refusal(scope: Scope) -> Response | None:
    """Return the answer to a request that is of another kind, or larger, than any that the page takes."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if scope["http_version"] not in _VERSIONS or len(scope["headers"]) > MOST_HEADERS:
        return _refused(400, f"send HTTP/1.1 with at most {MOST_HEADERS} headers")
    if "transfer-encoding" in headers and ("content-length" in headers or scope.get("method") in _READING):
        return _refused(400, "the request has two lengths, or one that it cannot have")
    if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
        return _refused(413, f"send at most {MOST_BODY_BYTES} bytes")
    return None


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status, {"Connection": "close"})


def _token_in(authorization: str) -> bytes | None:
    """Return the token that a program sends by itself, perhaps as the password of any user; None if it sends none.

    Nobody is ever asked for a password (WWW-Authenticate): a browser would keep it, and send it for other sites, too.
    """
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip().encode("utf-8", "replace")
        case "basic":
            with suppress(ValueError):
                return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
            return b""
    return None


def _log_in_first() -> Response:
    return JSONResponse({"error": "log in, or send the token as Authorization: Bearer"}, 401)


def _from_another_site(method: str, headers: Headers) -> bool:
    """Whether a browser says that somebody else's page has made a request, other than by a link to follow."""
    if headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}:
        return False
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return method not in _READING or not followed


def _odd(scope: Scope) -> bool:
    """Whether nobody who uses the page would ask for this."""
    raw: bytes = scope.get("raw_path", b"")
    return not raw.startswith(b"/") or b"%" in raw or b".." in raw or b"\\" in raw or b"//" in raw or len(raw) > 200


def _address(scope: Scope) -> str:
    client: Any = scope.get("client")
    return str(client[0]) if client else "unknown"


def _request_line(scope: Scope) -> str:
    return f"{scope.get('method', 'WEBSOCKET')} {scope.get('raw_path', b'').decode('latin-1')}"
