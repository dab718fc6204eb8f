"""The server of the page: uvicorn in a thread of its own, which begins and ends with the receiver."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.doorkeeper import Doorkeeper
from pantel_device.web.access.sessions import Sessions
from pantel_device.web.facts import Facts
from pantel_device.web.gallery import Gallery
from pantel_device.web.hub import Hub
from pantel_device.web.messages import to_json
from pantel_device.web.metrics.figures import Figures

__all__ = ["PageServer"]

log = logging.getLogger(__name__)

_STATE_INTERVAL_S = 1.0
_SESSION_INTERVAL_S = 60.0
_PATIENCE_S = 0.5
_GRACE_S = 1
_LONGEST_STOP_S = 5.0
_MOST_HEADER_BYTES = 8192
_MOST_MESSAGE_BYTES = 4096
_PING_S = 20.0
_KEEP_ALIVE_S = 60  # the deadlines of our own come before
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 60.0


class PageServer:
    """Serves an application until it is stopped.

    What ends by a mistake begins again, after a time that doubles while that does not help: receiving goes on
    meanwhile, and no scene is lost by a restart of the whole.

    Args:
        listener: Bound and listening; closed with the server.
        make_app: Makes what answers requests, of a gallery of its own.
        protocols: Classes of connections, for HTTP and for WebSocket.
        doorkeeper: Knows the connections.
        complaints: Of requests that were refused.
        hub: Where news comes from.
        facts: Takes what is no picture of it.
        figures: Takes that, too.
        sessions: Of those who have shown the token; None where none is needed.
        encoders: Threads for making JPEGs; shut down with the server.
    """

    def __init__(
        self,
        *,
        listener: socket.socket,
        make_app: Callable[[Gallery], ASGIApp],
        protocols: tuple[type[asyncio.Protocol], type[asyncio.Protocol]],
        doorkeeper: Doorkeeper,
        complaints: Complaints,
        hub: Hub,
        facts: Facts,
        figures: Figures,
        sessions: Sessions | None,
        encoders: ThreadPoolExecutor,
    ) -> None:
        self._listener = listener
        self._make_app = make_app
        self._protocols = protocols
        self._doorkeeper = doorkeeper
        self._complaints = complaints
        self._hub = hub
        self._facts = facts
        self._figures = figures
        self._sessions = sessions
        self._encoders = encoders
        self._gallery: Gallery
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pantel-page", daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until it answers."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Send everybody away and end the thread."""
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended before
                self._loop.call_soon_threadsafe(self._send_away)
        self._thread.join(_LONGEST_STOP_S)
        if self._thread.is_alive():
            log.error("page does not end after_s=%.0f", _LONGEST_STOP_S)

    def _send_away(self) -> None:
        """Let viewers go at once, and cut off soon who does not go: his file is closed in order then."""
        self._gallery.close()
        asyncio.get_running_loop().call_later(_PATIENCE_S, self._doorkeeper.abort_all)

    def _run(self) -> None:
        delay_s = _FIRST_DELAY_S
        try:
            while not self._stopping.is_set():
                began_s = time.monotonic()
                try:
                    asyncio.run(self._serve())
                    reason = "" if self._stopping.is_set() else "its server stopped"
                except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, receiving goes on
                    reason = repr(error)
                if not reason:
                    break
                delay_s = _FIRST_DELAY_S if time.monotonic() - began_s > _LONGEST_DELAY_S else delay_s
                log.error("page ended reason=%s; receiving goes on, the page begins again wait_s=%.1f", reason, delay_s)
                self._started.set()  # nobody waits for what may take long
                self._stopping.wait(delay_s)
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
        finally:
            self._encoders.shutdown()
            self._listener.close()

    async def _serve(self) -> None:
        """Serve until that ends; all that belongs to an event loop is made anew."""
        self._gallery = Gallery(self._encoders, self._hub.want)
        self._server = self._new_server()
        loop = self._loop = asyncio.get_running_loop()
        if self._stopping.is_set():
            return
        self._hub.attach(lambda: loop.call_soon_threadsafe(self._collect))
        tasks = [loop.create_task(self._tell_state()), loop.create_task(self._check_sessions())]
        loop.call_soon(self._started.set)
        try:
            with self._listener.dup() as listener:  # whose end is not that of the address
                await self._server.serve(sockets=[listener])
        finally:
            self._hub.attach(None)
            self._hub.want(())
            for task in tasks:
                task.cancel()
            self._doorkeeper.abort_all()
            await asyncio.sleep(0)  # so that the connections hear of it before their loop ends

    def _new_server(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._make_app(self._gallery),
            http=self._protocols[0],
            ws=self._protocols[1],
            lifespan="off",
            interface="asgi3",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            ws_max_size=_MOST_MESSAGE_BYTES,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PING_S,
            ws_per_message_deflate=False,  # JPEGs do not shrink, and what inflates can be a bomb
        )
        return uvicorn.Server(config)

    def _collect(self) -> None:
        """Take what the receiver has left."""
        news = self._hub.collect()
        self._figures.take(news)
        for event in self._facts.take(news):
            text = to_json({"type": "event", "event": event})
            for viewer in self._gallery.viewers:
                viewer.tell(text)
        self._gallery.take(news.pictures)

    async def _tell_state(self) -> None:
        """Tell the state every second, made once for all viewers; go on after a mistake, which is logged once."""
        logged = ""
        while True:
            try:
                if self._gallery.viewers:
                    text = to_json(self._facts.state())
                    for viewer in self._gallery.viewers:
                        viewer.tell_state(text)
                logged = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the next state may be told
                if (reason := f"page cannot tell the state: {error!r}") != logged:
                    self._complaints.note(reason, address="none")
                    logged = reason
            self._complaints.settle()
            await asyncio.sleep(_STATE_INTERVAL_S)

    async def _check_sessions(self) -> None:
        """Send those away whose session ends while they watch."""
        while self._sessions is not None:
            await asyncio.sleep(_SESSION_INTERVAL_S)
            self._gallery.end_sessions(self._sessions.is_over)
