"""Reads the bodies of requests, which are small and come at once."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

__all__ = ["CUT_OFF", "MOST_BODY_BYTES", "read_body"]

MOST_BODY_BYTES = 4096
CUT_OFF = 499
"""Status, which nobody sees, where the connection has ended in the middle of a request."""


async def read_body(request: Request, media_type: str, seconds: float) -> bytes:
    """Return the body of a request.

    Args:
        request: Of which nothing has been read.
        media_type: That it must have.
        seconds: Time for it to come [s].

    Raises:
        HTTPException: It is of another type, too large or too slow, or its sender has gone.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise HTTPException(415, f"send it as {media_type}")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY_BYTES:
                    raise HTTPException(413, f"send at most {MOST_BODY_BYTES} bytes", {"Connection": "close"})
    except TimeoutError as error:
        raise HTTPException(408, "the request takes too long", {"Connection": "close"}) from error
    except ClientDisconnect as error:
        raise HTTPException(CUT_OFF, "the request is cut off") from error
    return bytes(body)
