"""Logging in and out."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pantel_device.web.access.bodies import read_body
from pantel_device.web.access.log_in_limiter import LogInLimiter
from pantel_device.web.access.sessions import Session, Sessions
from pantel_device.web.page_files import PageFiles

__all__ = ["Cookie", "LogIn", "try_later"]

log = logging.getLogger(__name__)

_MAX_AGE_S = 30 * 86_400
_MOST_FIELDS = 8


class Cookie:
    """How a session travels: in a cookie that scripts cannot read and other sites cannot use.

    Args:
        port: Of the page: browsers send cookies to all ports of a host, and each may have a page of its own.
    """

    def __init__(self, port: int) -> None:
        self.name = f"pantel_session_{port}"

    def header(self, value: str, *, secure: bool, max_age_s: int = _MAX_AGE_S) -> str:
        """Return the header that sets it.

        Args:
            value: Of the session; empty to take it away.
            secure: Whether the browser has come over TLS.
            max_age_s: For how long the browser keeps it [s].
        """
        parts = [f"{self.name}={value}", "Path=/", f"Max-Age={max_age_s}", "HttpOnly", "SameSite=Strict"]
        return "; ".join([*parts, "Secure"] if secure else parts)


class LogIn:
    """Takes tokens and gives sessions.

    Args:
        sessions: Of those who have shown the token; None where none is needed.
        limiter: Who may try.
        cookie: How sessions travel.
        page_files: Has the page for it.
        ended: Told when a session is ended.
        body_s: Time for the form to come [s].
    """

    def __init__(
        self,
        *,
        sessions: Sessions | None,
        limiter: LogInLimiter,
        cookie: Cookie,
        page_files: PageFiles,
        ended: Callable[[Session], None],
        body_s: float,
    ) -> None:
        self._sessions = sessions
        self._limiter = limiter
        self._cookie = cookie
        self._page_files = page_files
        self._ended = ended
        self._body_s = body_s

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [
            Route("/login", self._form),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        if self._sessions is None or request.scope.get("pantel.session") is not None:
            return RedirectResponse("/", 303)
        response = self._page_files.response("login.html", request)
        if "wrong" in request.query_params:
            response.status_code = 401
        return response

    async def _log_in(self, request: Request) -> Response:
        if self._sessions is None:
            return RedirectResponse("/", 303)
        address = request.client.host if request.client else ""
        if (wait_s := self._limiter.wait_s(address)) > 0:
            return try_later(wait_s)
        body = await read_body(request, "application/x-www-form-urlencoded", self._body_s)
        if not self._sessions.opens(_token_in(body)):
            self._limiter.failed(address)
            request.scope["pantel.complaint"] = "wrong token"
            return RedirectResponse("/login?wrong=1", 303)
        self._limiter.succeeded(address)
        log.info("logged in address=%s", address)
        secure = request.headers.get("origin", "").startswith("https:")
        header = self._cookie.header(self._sessions.cookie(self._sessions.begin(secure=secure)), secure=secure)
        return RedirectResponse("/", 303, {"Set-Cookie": header})

    async def _log_out(self, request: Request) -> Response:
        session = request.scope.get("pantel.session")
        if self._sessions is not None and isinstance(session, Session):
            self._sessions.end(session)
            self._ended(session)
        return RedirectResponse("/login", 303, {"Set-Cookie": self._cookie.header("", secure=False, max_age_s=0)})


def _token_in(form: bytes) -> bytes:
    """Return the token of a form.

    Raises:
        HTTPException: It is no form, or one of many fields.
    """
    try:
        fields = parse_qs(form.decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "it is no form") from error
    return fields.get("token", [""])[0].strip().encode("utf-8", "replace")


def try_later(wait_s: float) -> Response:
    """Return the answer to who has to wait."""
    seconds = math.ceil(wait_s)
    return PlainTextResponse(f"too many wrong tokens; try again in {seconds} s\n", 429, {"Retry-After": str(seconds)})
