"""Opens the page of a receiver: puts hub, server and what it serves together."""

from __future__ import annotations

import errno
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig
from pantel_device.web.facts import Abilities, Facts
from pantel_device.web.gallery import Gallery
from pantel_device.web.hub import Hub
from pantel_device.web.live import Live
from pantel_device.web.page_files import PageFiles
from pantel_device.web.server import PageServer
from pantel_device.web.state import LinkMeter, Senders
from pantel_link import Clock
from pantel_link.sender import ident_interval_ns
from pantel_models import View

__all__ = ["open_page"]

log = logging.getLogger(__name__)

_BACKLOG = 64
_REASONS = {
    errno.EADDRINUSE: "another program uses it",
    errno.EACCES: "ports below 1024 are for root",
    errno.EADDRNOTAVAIL: "it is no address of this machine",
}


def open_page(config: ReceiverConfig, *, port_name: str, clock: Clock, stack: ExitStack) -> Hub | None:
    """Open the page and return what the receiver must tell; None where there is none.

    Args:
        config: Of the receiver.
        port_name: Of its port.
        clock: Its monotonic clock.
        stack: Closes the page.

    Raises:
        UsageError: The address cannot be used.
    """
    if not config.web:
        return None
    try:
        listener = _listen(config.web)
    except UsageError as error:
        if "web" in config.model_fields_set:
            raise
        log.warning("no page reason=%s", error)
        return None
    hub = Hub()
    encoders = ThreadPoolExecutor(1, "pantel-jpeg")
    gallery = Gallery(encoders, hub.want)
    views = (config.view, *(view for view in View if view is not config.view))
    interval_ns = ident_interval_ns(config.bitrate_bps)
    facts = Facts(
        senders=Senders(alive_ns=5 * interval_ns if config.acknowledge_s else 5 * interval_ns // 2),
        meter=LinkMeter(port_name, config.bitrate_bps),
        views=views,
        playout_delay_s=config.playout_delay_s,
        abilities=Abilities(ask=config.back_channel, stills=bool(config.stills), recordings=False, log_out=False),
        now_ns=clock.now_ns,
    )
    page_files = PageFiles()

    async def index(request: Request) -> Response:
        return page_files.response("index.html", request)

    app = Starlette(
        routes=[
            Route("/", index),
            *page_files.routes(),
            *facts.routes(),
            *Live(gallery, config.view).routes(),
        ]
    )
    server = PageServer(listener=listener, app=app, hub=hub, gallery=gallery, facts=facts, encoders=encoders)
    server.start()
    stack.callback(server.stop)
    log.info("page url=%s", url_of(listener))
    return hub


def url_of(listener: socket.socket) -> str:
    """Return under which address a browser finds the page."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _listen(address: str) -> socket.socket:
    """Listen at an address.

    Raises:
        UsageError: It cannot be used.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, int(port)), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise UsageError(f"the page cannot be at web = {address}: {reason}; name another address or port") from error
