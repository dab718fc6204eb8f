"""Pairs of decoded pictures to be compared, and the order in which a person sees them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.still import StillRow

__all__ = ["Ballot", "Pair"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pair:
    """One comparison.

    Attributes:
        image: Name of the picture.
        target_bpp: Rate of both versions [bit/pixel].
        codecs: Whose versions they are, by the alphabet.
    """

    image: str
    target_bpp: float
    codecs: tuple[str, str]

    @property
    def key(self) -> str:
        """Text that names the pair."""
        return f"{self.image} {self.target_bpp:g} {' '.join(self.codecs)}"


class Ballot:
    """All pairs of a study. Who sees which when, and on which side, follows from the seed and the person's name."""

    def __init__(self, rows: Sequence[StillRow], sources: Mapping[str, Pixels], *, study: str, seed: int) -> None:
        """Pair the codecs' versions of each picture at each rate.

        Args:
            rows: With pictures; every codec against every other.
            sources: (H, W, 3) uint8 RGB of each picture by its name.
            study: Model and size of the pictures.
            seed: Of the order.
        """
        self.sources = dict(sources)
        self.pictures = {(row.image, row.target_bpp, row.codec): row.pixels for row in rows if row.pixels is not None}
        self.study = study
        self._seed = seed
        versions: dict[tuple[str, float], list[str]] = {}
        for image, target_bpp, codec in self.pictures:
            versions.setdefault((image, target_bpp), []).append(codec)
        self.pairs = [
            Pair(image, target_bpp, (one, other))
            for (image, target_bpp), codecs in versions.items()
            for one, other in itertools.combinations(sorted(codecs), 2)
        ]

    def order(self, person: str) -> list[int]:
        """Return the indices of all pairs in the order in which a person sees them."""
        return sorted(range(len(self.pairs)), key=lambda index: self._draw(person, self.pairs[index].key))

    def sides(self, person: str, pair: Pair) -> tuple[str, str]:
        """Return whose version is on the left and whose on the right."""
        one, other = pair.codecs
        return (other, one) if self._draw(person, f"sides of {pair.key}") & 1 else (one, other)

    def _draw(self, person: str, what: str) -> int:
        digest = hashlib.sha256(f"{self._seed}\n{person}\n{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big")
