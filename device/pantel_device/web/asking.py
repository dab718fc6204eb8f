"""Asking masts for something: what `pantel ask` does, from the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pantel_device.command import CommandError
from pantel_device.outbox import COMMANDS, Outbox
from pantel_device.receiving.ground import Request
from pantel_device.receiving.sink import SenderName
from pantel_device.web.access.bodies import read_body
from pantel_device.web.choices import ChoiceError, sender_name
from pantel_link.back_channel import AskStill, Region, Watch

__all__ = ["Asking"]

_MOST_WAITING = 64
_MOST_OF_ONE = 4  # or requests to a mast that is not heard would stand in the way of all others

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Region = tuple[_Share, _Share, _Share, _Share]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)

    sender: str


class _AskStill(_Ask):
    what: Literal["still"]
    still_bytes: int = Field(0, ge=0, le=13000)
    region: _Region | None = None


class _AskWatch(_Ask):
    what: Literal["watch"]
    region: _Region
    seconds: int = Field(60, ge=0, le=65535)


_ANY: TypeAdapter[_AskStill | _AskWatch] = TypeAdapter(Annotated[_AskStill | _AskWatch, Field(discriminator="what")])


class Asking:
    """Leaves requests for the receiver.

    Args:
        state_dir: Of the receiver; None where it has no back-channel.
        knows: Whether a sender has been heard.
        body_s: Time for a request to come [s].
    """

    def __init__(self, state_dir: Path | None, knows: Callable[[SenderName], bool], body_s: float) -> None:
        self._outbox = None if state_dir is None else Outbox(state_dir / COMMANDS)
        self._knows = knows
        self._body_s = body_s
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [Route("/api/ask", self._ask, methods=["POST"])]

    async def _ask(self, request: HttpRequest) -> Response:
        body = await read_body(request, "application/json", self._body_s)
        if self._outbox is None:
            return JSONResponse({"error": "there is no back-channel: set back_channel"}, 409)
        asked = self._read(body)
        async with self._one_at_a_time:
            await asyncio.to_thread(self._put, self._outbox, asked)
        return JSONResponse({"left": True}, 202)

    def _read(self, body: bytes) -> Request:
        """Return what is asked for.

        Raises:
            HTTPException: It is nothing that can be asked for.
        """
        try:
            asked = _ANY.validate_python(json.loads(body))
            name = sender_name(asked.sender)
            region = None if asked.region is None else Region(*asked.region)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise HTTPException(400, f"{place}: {first['msg']}") from error
        except (ChoiceError, ValueError, RecursionError) as error:
            raise HTTPException(400, str(error)) from error
        if not self._knows(name):
            raise HTTPException(404, f"{name} has not been heard")
        if isinstance(asked, _AskStill):
            return Request(AskStill(asked.still_bytes, region), name.number, name.callsign)
        assert region is not None  # noqa: S101 - the model demands one
        return Request(Watch(region, asked.seconds), name.number, name.callsign)

    def _put(self, outbox: Outbox, asked: Request) -> None:
        waiting = [text for _, text in outbox.waiting()]
        if sum(_is_to_the_same(text, asked) for text in waiting) >= _MOST_OF_ONE or len(waiting) >= _MOST_WAITING:
            raise HTTPException(503, "as many requests wait as can be; try again later", {"Retry-After": "10"})
        try:
            outbox.put(asked.to_text())
        except CommandError as error:
            raise HTTPException(503, str(error)) from error


def _is_to_the_same(text: str, asked: Request) -> bool:
    """Whether a line of the outbox is a request to the mast that another one is for."""
    try:
        other = Request.from_text(text)
    except ValueError:
        return False
    return (other.sender, other.callsign) == (asked.sender, asked.callsign)
