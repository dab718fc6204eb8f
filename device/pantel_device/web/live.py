"""Live pictures: over a WebSocket, as motion JPEG, and one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pantel_device.web.choices import ChoiceError, choice_from_message, choice_of
from pantel_device.web.facts import Facts
from pantel_device.web.gallery import Gallery, TooManyViewersError, Viewer
from pantel_device.web.hub import Choice
from pantel_device.web.messages import to_json
from pantel_models import View

__all__ = ["Live"]

_PATIENCE_S = 1.0
_BOUNDARY = "pantel-picture"
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


class Live:
    """Sends viewers what the gallery has for them.

    Args:
        gallery: Of the pictures.
        default_view: For who does not choose.
        facts: Know the state, which a viewer is told first.
    """

    def __init__(self, gallery: Gallery, default_view: View, facts: Facts) -> None:
        self._gallery = gallery
        self._default_view = default_view
        self._facts = facts

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [
            WebSocketRoute("/api/live", self._live),
            Route("/stream.mjpeg", self._stream),
            Route("/picture.jpg", self._picture),
        ]

    async def _live(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            choice = choice_of(websocket.query_params, self._default_view)
            with self._gallery.viewing(choice) as viewer:
                viewer.session = websocket.scope.get("pantel.session")
                viewer.tell_state(to_json(self._facts.state()))
                await self._serve(websocket, viewer)
        except ChoiceError as error:
            await websocket.close(_POLICY_VIOLATION, str(error))
        except TooManyViewersError:
            await websocket.close(_TRY_AGAIN_LATER, "too many viewers")

    async def _serve(self, websocket: WebSocket, viewer: Viewer) -> None:
        """Send and listen until one of both ends."""
        sending = asyncio.create_task(self._send(websocket, viewer))
        try:
            await self._listen(websocket, viewer)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, websocket: WebSocket, viewer: Viewer) -> None:
        try:
            while viewer.closing is None:
                await viewer.wait()
                for text in viewer.take_texts():
                    await websocket.send_text(text)
                if (shot := viewer.take_shot()) is not None:
                    await websocket.send_bytes(await viewer.message_of(shot))
                    self._gallery.pictures_sent += 1
            await websocket.close(viewer.closing)
        except (WebSocketDisconnect, RuntimeError):  # the latter if the connection was closed by the server itself
            """The listener hears of it, too."""

    async def _listen(self, websocket: WebSocket, viewer: Viewer) -> None:
        """Take what the page chooses, until it goes.

        Raises:
            ChoiceError: It has sent something else.
        """
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            if (text := message.get("text")) is None:
                raise ChoiceError("messages are texts")
            self._gallery.choose(viewer, choice_from_message(text, self._default_view))

    async def _stream(self, request: Request) -> Response:
        try:
            choice = choice_of(request.query_params, self._default_view)
        except ChoiceError as error:
            return JSONResponse({"error": str(error)}, 400)
        media_type = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        if request.method == "HEAD":
            return Response(media_type=media_type)
        if self._gallery.full:
            return JSONResponse({"error": "too many viewers"}, 503, {"Retry-After": "10"})
        return StreamingResponse(self._parts(choice, request), media_type=media_type)

    async def _parts(self, choice: Choice, request: Request) -> AsyncIterator[bytes]:
        """Yield pictures with the boundary behind each: browsers show one when the next begins."""
        with suppress(TooManyViewersError), self._gallery.viewing(choice) as viewer:
            viewer.session = request.scope.get("pantel.session")
            yield f"--{_BOUNDARY}\r\n".encode()
            while viewer.closing is None:
                await viewer.wait()
                viewer.take_texts()  # nobody reads them here
                if (shot := viewer.take_shot()) is not None:
                    jpeg = await shot.jpeg()
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                    yield head + jpeg + f"\r\n--{_BOUNDARY}\r\n".encode()
                    self._gallery.pictures_sent += 1

    async def _picture(self, request: Request) -> Response:
        try:
            choice = choice_of(request.query_params, self._default_view)
        except ChoiceError as error:
            return JSONResponse({"error": str(error)}, 400)
        known = choice.sender is None or self._facts.knows(choice.sender)
        try:
            shot = await self._gallery.glance(choice, _PATIENCE_S) if known else None
        except TooManyViewersError:
            return PlainTextResponse("too many different pictures are wanted\n", 503, {"Retry-After": "10"})
        if shot is None:
            return PlainTextResponse("there is no picture yet\n", 404)
        self._gallery.pictures_sent += 1
        return Response(await shot.jpeg(), media_type="image/jpeg")
