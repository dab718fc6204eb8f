"""The files of the page itself: all that lie in `static` when the server starts, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

__all__ = ["PageFiles"]

_TYPES = {  # browsers are told to believe them, and the system's own table differs from machine to machine
    "css": "text/css",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "js": "text/javascript",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    etag: str


class PageFiles:
    """Serves the page's files out of memory; a name that is not on its list does not exist."""

    def __init__(self) -> None:
        self._files = {name: _read(file) for name, file in _found(files("pantel_device.web") / "static", "")}

    def routes(self) -> list[BaseRoute]:
        """Return the addresses that are served here."""
        return [Route("/static/{name:path}", self._get)]

    def response(self, name: str, request: Request) -> Response:
        """Return a file, or that the browser has it already."""
        file = self._files.get(name)
        if file is None:
            return PlainTextResponse("there is no such page\n", 404)
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        if file.etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(None, 304, headers)
        return Response(file.content, 200, headers, file.media_type)

    async def _get(self, request: Request) -> Response:
        return self.response(request.path_params["name"], request)


def _found(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    """Return names and files of a folder and those in it."""
    found = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _found(each, f"{prefix}{each.name}/")
        elif not each.name.startswith("."):
            found.append((prefix + each.name, each))
    return found


def _read(file: Traversable) -> _File:
    content = file.read_bytes()
    media_type = _TYPES.get(file.name.rpartition(".")[2], "application/octet-stream")
    return _File(content, media_type, f'"{hashlib.blake2s(content, digest_size=16).hexdigest()}"')
