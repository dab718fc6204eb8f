"""The application behind the server: all addresses, and the gate before them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.gate import Gate
from pantel_device.web.access.host_names import HostNames
from pantel_device.web.access.log_in import Cookie, LogIn
from pantel_device.web.access.log_in_limiter import LogInLimiter
from pantel_device.web.access.sessions import Sessions
from pantel_device.web.asking import Asking
from pantel_device.web.facts import Facts
from pantel_device.web.gallery import Gallery
from pantel_device.web.live import Live
from pantel_device.web.metrics.figures import Figures
from pantel_device.web.metrics.scrape import Scrape
from pantel_device.web.page_files import PageFiles
from pantel_device.web.shelves import recordings_shelf, stills_shelf
from pantel_models import View

__all__ = ["Parts", "make_app"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of.

    Attributes:
        facts: Know the state.
        figures: What Prometheus is told.
        default_view: For who does not choose.
        stills: Folder; None where stills are not kept.
        recordings: Folder; None where there are none.
        state_dir: Where requests for masts are left; None without back-channel.
        sessions: Of those who have shown the token; None where none is needed.
        limiter: Who may try a token.
        host_names: Under which names the page is served.
        complaints: Hears of what is refused.
        cookie_port: Port of the page.
        body_s: Time for a request's body to come [s].
    """

    facts: Facts
    figures: Figures
    default_view: View
    stills: Path | None
    recordings: Path | None
    state_dir: Path | None
    sessions: Sessions | None
    limiter: LogInLimiter
    host_names: HostNames
    complaints: Complaints
    cookie_port: int
    body_s: float


def make_app(parts: Parts, gallery: Gallery) -> ASGIApp:
    """Return an application, for one event loop.

    Args:
        parts: What it is made of.
        gallery: Has the pictures.
    """
    page_files = PageFiles()
    cookie = Cookie(parts.cookie_port)
    log_in = LogIn(
        sessions=parts.sessions,
        limiter=parts.limiter,
        cookie=cookie,
        page_files=page_files,
        ended=gallery.end_session,
        body_s=parts.body_s,
    )

    async def index(request: Request) -> Response:
        return page_files.response("index.html", request)

    app = Starlette(
        routes=[
            Route("/", index),
            *page_files.routes(),
            *log_in.routes(),
            *parts.facts.routes(),
            *Live(gallery, parts.default_view, parts.facts).routes(),
            *Scrape(parts.figures, gallery).routes(),
            *stills_shelf(parts.stills).routes(),
            *recordings_shelf(parts.recordings).routes(),
            *Asking(parts.state_dir, parts.facts.knows, parts.body_s).routes(),
        ],
        exception_handlers={HTTPException: _tell},
    )
    return Gate(
        app,
        host_names=parts.host_names,
        sessions=parts.sessions,
        limiter=parts.limiter,
        cookie=cookie,
        complaints=parts.complaints,
    )


async def _tell(request: Request, error: Exception) -> Response:
    """Answer with what is wrong: as JSON to scripts, as text to people."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these alone
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
