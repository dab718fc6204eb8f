"""Files that the receiver has written, listed and handed out: those whose names it gives, and no others."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Shelf", "utc_in_name"]

_DEFAULT_LIMIT = 200
_MOST = 1000

Describe = Callable[[Path, os.stat_result], dict[str, Any] | None]


class Shelf:
    """A folder of files.

    Args:
        name: Under which its files are served.
        folder: It may be missing; None where there is none.
        media_types: Of the suffixes that are served.
        describe: Returns what the list says of a file, None for one that is not listed.
        serves: Whether a name is one that the receiver gives.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None,
        *,
        media_types: dict[str, str],
        describe: Describe,
        serves: Callable[[str], bool],
    ) -> None:
        self._name = name
        self._folder = folder
        self._media_types = media_types
        self._describe = describe
        self._serves = serves

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [Route(f"/api/{self._name}", self._get_list), Route(f"/{self._name}/{{name}}", self._get)]

    async def _get_list(self, request: Request) -> Response:
        try:
            limit = min(max(int(request.query_params.get("limit", _DEFAULT_LIMIT)), 0), _MOST)
        except ValueError as error:
            raise HTTPException(400, "limit is a number") from error
        return JSONResponse({self._name: await anyio.to_thread.run_sync(self._list, limit)})

    def _list(self, limit: int) -> list[dict[str, Any]]:
        """Return what is known of the newest files, by their modification."""
        found = [(path, status) for path in self._paths() if (status := _regular(path)) is not None]
        found.sort(key=lambda each: (each[1].st_mtime_ns, each[0]), reverse=True)
        told: list[dict[str, Any]] = []
        for path, status in found:
            if len(told) == limit:
                break
            if (described := self._describe(path, status)) is not None:
                told.append({"name": path.name, **described})
        return told

    def _paths(self) -> list[Path]:
        if self._folder is None:
            return []
        try:
            return [path for path in self._folder.iterdir() if self._serves(path.name)]
        except OSError:
            return []

    async def _get(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        path = None if self._folder is None or not self._serves(name) else self._folder / name
        status = None if path is None else await anyio.to_thread.run_sync(_regular, path)
        if path is None or status is None:
            raise HTTPException(404, "there is no such file")
        download = request.query_params.get("download") == "1"
        response = _BoundedFile(
            path,
            stat_result=status,
            media_type=self._media_types[path.suffix],
            filename=name if download else None,
            headers={"Cache-Control": "no-cache"},
        )
        etag = response.headers["etag"]
        if etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(None, 304, {"ETag": etag, "Cache-Control": "no-cache"})
        return response


class _BoundedFile(FileResponse):
    """A file that may grow or shrink while it is sent: no more of it than was announced."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = 0

        async def bounded(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                lengths = [int(value) for name, value in message["headers"] if name == b"content-length"]
                left = lengths[0] if lengths else 0
                await send(message)
            elif left or not message.get("more_body", False):
                body = message.get("body", b"")[:left]
                left -= len(body)
                await send({**message, "body": body})

        await super().__call__(scope, receive, bounded)


def utc_in_name(text: str) -> datetime | None:
    """Return the UTC of a name's part such as 20260131T120000Z; None if there is no such time."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _regular(path: Path) -> os.stat_result | None:
    """Return what is known of a file; None if it is gone, or a link, a pipe or a folder."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None
