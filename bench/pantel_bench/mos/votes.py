"""Votes on a disk, a line of JSON each, and what they come to."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, ValidationError

from pantel_bench.errors import VotesError
from pantel_bench.mos.pairs import Pair

__all__ = ["Choice", "Standing", "Vote", "VoteFile", "standings"]

Choice = Literal["left", "right", "equal"]

_DEVIATIONS = 1.96  # of a normal distribution: 95 % lie within


class Vote(BaseModel):
    """What a person said of a pair.

    Attributes:
        time_utc: When, ISO 8601.
        study: Model and size of the pictures; votes of one study are not those of another.
        person: Who, as they named themselves.
        image: Name of the picture.
        target_bpp: Rate of both versions [bit/pixel].
        left: Codec whose version stood on the left.
        right: The other one.
        choice: Whose version shows better what is in the photograph.
        seconds: How long it took.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time_utc: str
    study: str
    person: str
    image: str
    target_bpp: float
    left: str
    right: str
    choice: Choice
    seconds: NonNegativeFloat

    @property
    def pair(self) -> Pair:
        """What was compared."""
        one, other = sorted((self.left, self.right))
        return Pair(self.image, self.target_bpp, (one, other))

    @property
    def winner(self) -> str | None:
        """Whose version was preferred; None for neither."""
        return {"left": self.left, "right": self.right}.get(self.choice)


class VoteFile:
    """Votes in a file, each of them on the disk before the next is asked for."""

    def __init__(self, path: Path) -> None:
        """Read the votes that there are.

        Raises:
            VotesError: The file cannot be read, or a line of it is no vote.
        """
        self._path = path
        self.votes: list[Vote] = []
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise VotesError(f"cannot read the votes in {path}: {error}") from error
        # Not `splitlines`: names of pictures may hold what that takes for the end of a line.
        for number, line in enumerate(text.split("\n"), 1):
            if not line:
                continue
            try:
                self.votes.append(Vote.model_validate_json(line))
            except ValidationError as error:
                raise VotesError(f"line {number} of {path} is no vote; remove it or name another file") from error

    def add(self, vote: Vote) -> None:
        """Append a vote.

        Raises:
            VotesError: It cannot be written; the file is as it was.
        """
        line = (vote.model_dump_json() + "\n").encode()
        try:
            with self._path.open("ab", buffering=0) as file:
                end = file.tell()
                if end and not self._ends_line():
                    line = b"\n" + line  # somebody has edited the file
                written = 0
                try:
                    while written < len(line):
                        written += file.write(line[written:])
                    os.fsync(file.fileno())
                except OSError:
                    if written:
                        os.ftruncate(file.fileno(), end)  # half a line would spoil the file
                    raise
        except OSError as error:
            raise VotesError(f"cannot write a vote to {self._path}: {error.strerror}") from error
        self.votes.append(vote)

    def _ends_line(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one codec fared against another at a rate; "neither" counts as half a vote for each.

    Attributes:
        study: See `Vote`.
        codec: The one.
        against: The other.
        target_bpp: Rate of both [bit/pixel].
        votes: How many votes there are.
        people: By how many people.
        preferred: Share of the votes for the one, 0 to 1.
        low: Lower end of the 95 % interval of that share (Wilson, 1927).
        high: Upper end.
    """

    study: str
    codec: str
    against: str
    target_bpp: float
    votes: int
    people: int
    preferred: float
    low: float
    high: float


def standings(votes: Iterable[Vote]) -> list[Standing]:
    """Return what the votes come to, for each pair of codecs at each rate of each study."""
    groups: dict[tuple[str, float, tuple[str, str]], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.study, -vote.target_bpp, vote.pair.codecs), []).append(vote)
    return [_standing(group) for _, group in sorted(groups.items())]


def _standing(group: Sequence[Vote]) -> Standing:
    study, target_bpp = group[0].study, group[0].target_bpp
    one, other = group[0].pair.codecs
    count = len(group)
    share = sum({one: 1.0, None: 0.5}.get(vote.winner, 0.0) for vote in group) / count
    z2 = _DEVIATIONS**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = _DEVIATIONS * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    people = len({vote.person for vote in group})
    return Standing(study, one, other, target_bpp, count, people, share, centre - reach, centre + reach)
