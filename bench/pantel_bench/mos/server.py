"""The server of the voting page: shows pairs, takes votes."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, ValidationError

from pantel_bench.errors import VotesError
from pantel_bench.mos.page import PAGE
from pantel_bench.mos.pairs import Ballot, Pair
from pantel_bench.mos.votes import Choice, Vote, VoteFile

__all__ = ["VotingServer"]

_MAX_BODY_BYTES = 2000
_LENGTH = re.compile("[0-9]{1,9}")
_MAX_NAME = 40
_MAX_SECONDS = 3600.0


class _RefusalError(Exception):
    """A request that cannot be answered; its text goes to the page."""


class _Cast(BaseModel):
    """What the page sends."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    person: str
    pair: int
    choice: Choice
    seconds: NonNegativeFloat


class VotingServer(ThreadingHTTPServer):
    """Serves a ballot until it is shut down.

    Who votes is known by the name they gave, so a study can be interrupted on either side and goes on where it was.
    """

    daemon_threads = True
    request_queue_size = 64  # a page asks for three pictures at once

    def __init__(self, address: tuple[str, int], ballot: Ballot, votes: VoteFile) -> None:
        """Bind to an address; raises OSError if that is taken."""
        self.ballot = ballot
        self.everywhere = address[0] in {"", "0.0.0.0", "::"}  # noqa: S104 - then every name may be right
        self._votes = votes
        self._lock = Lock()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that hang up; anything else is reported as ever."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def next_pair(self, person: str) -> dict[str, Any]:
        """Return the first pair that a person has not voted on, as its index, and how far they are."""
        with self._lock:
            voted = self._voted(person)
        order = self.ballot.order(person)
        left = [index for index in order if self.ballot.pairs[index] not in voted]
        progress = {"voted": len(order) - len(left), "total": len(order)}
        return {"done": True, **progress} if not left else {"done": False, "pair": left[0], **progress}

    def picture(self, person: str, index: int, side: str) -> bytes:
        """Return one of the three pictures of a pair as PNG."""
        pair = self._pair(index)
        if side == "source":
            return _png(self.ballot.sources[pair.image])
        codec = self.ballot.sides(person, pair)[side == "right"]
        return _png(self.ballot.pictures[pair.image, pair.target_bpp, codec])

    def vote(self, person: str, index: int, choice: Choice, seconds: float) -> None:
        """Store a vote; one on a pair that this person has voted on already changes nothing."""
        pair = self._pair(index)
        left, right = self.ballot.sides(person, pair)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        vote = Vote(
            time_utc=now,
            study=self.ballot.study,
            person=person,
            image=pair.image,
            target_bpp=pair.target_bpp,
            left=left,
            right=right,
            choice=choice,
            seconds=round(seconds, 2),
        )
        with self._lock:
            if pair not in self._voted(person):
                self._votes.add(vote)

    def _voted(self, person: str) -> set[Pair]:
        """Return the pairs of this study on which a person has voted."""
        return {vote.pair for vote in self._votes.votes if (vote.person, vote.study) == (person, self.ballot.study)}

    def _pair(self, index: int) -> Pair:
        if not 0 <= index < len(self.ballot.pairs):
            raise _RefusalError("there is no such pair; load the page again")
        return self.ballot.pairs[index]


class _Handler(BaseHTTPRequestHandler):
    server: VotingServer

    def do_GET(self) -> None:
        """Answer with the page, the next pair or a picture."""
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        try:
            self._check_origin()
            match address.path:
                case "/":
                    self._answer(PAGE.encode(), "text/html; charset=utf-8")
                case "/next":
                    self._answer_json(self.server.next_pair(_person(query.get("person"))))
                case "/picture/left" | "/picture/source" | "/picture/right":
                    side = address.path.rpartition("/")[2]
                    data = self.server.picture(_person(query.get("person")), _index(query.get("pair")), side)
                    self._answer(data, "image/png")
                case _:
                    self._answer_json({"error": "there is nothing here"}, HTTPStatus.NOT_FOUND)
        except _RefusalError as refusal:
            self._answer_json({"error": str(refusal)}, HTTPStatus.BAD_REQUEST)

    def do_POST(self) -> None:
        """Take a vote."""
        length = self.headers.get("Content-Length", "")
        try:
            self._check_origin()
            size = int(length) if self.path == "/vote" and _LENGTH.fullmatch(length) else 0
            cast = _Cast.model_validate_json(self.rfile.read(min(size, _MAX_BODY_BYTES)))
            self.server.vote(_person(cast.person), cast.pair, cast.choice, min(cast.seconds, _MAX_SECONDS))
            self._answer_json({})
        except ValidationError:
            self._answer_json({"error": "that is no vote; load the page again"}, HTTPStatus.BAD_REQUEST)
        except _RefusalError as refusal:
            self._answer_json({"error": str(refusal)}, HTTPStatus.BAD_REQUEST)
        except VotesError as error:
            self._answer_json({"error": str(error)}, HTTPStatus.INSUFFICIENT_STORAGE)

    def _check_origin(self) -> None:
        """Refuse what other pages make a browser send: votes would be theirs."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        own = {"localhost", str(self.server.server_address[0])}
        name = host.rpartition(":")[0].strip("[]")
        if not self.server.everywhere and name not in own:
            raise _RefusalError("this server has another name; open the address that it printed")
        if origin is not None and urlsplit(origin).netloc != host:
            raise _RefusalError("that came from another page")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing of requests."""

    def _answer_json(self, content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(content).encode(), "application/json", status)

    def _answer(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)


def _person(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise _RefusalError(f"a name has 1 to {_MAX_NAME} characters")
    return name.strip()


def _index(value: object) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise _RefusalError("there is no such pair; load the page again") from error


def _png(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
