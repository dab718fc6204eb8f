"""The benchmark of still pictures: every picture by every codec at every rate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import ContractError
from pantel_bench.metrics import METRICS, Lpips, Metric, Scores, score
from pantel_bench.peers import PeerFormat, PeerPicture, candidates
from pantel_bench.pictures import SourcePicture
from pantel_models import BudgetError, DecodedStill

__all__ = [
    "PeerChoice",
    "StillCodec",
    "StillRow",
    "Unreached",
    "budget_bytes",
    "measure_codec",
    "measure_peer",
]


class StillCodec(Protocol):
    """What is asked of a codec under test; `pantel_models.StillCodec` is one."""

    def encode(self, pixels: NDArray[np.uint8], budget_bytes: int) -> bytes:
        """Return a complete file of at most `budget_bytes`; raise `BudgetError` if nothing fits."""

    def decode(self, data: bytes) -> DecodedStill:
        """Return the picture of a file."""

    def information_bits(self, data: bytes) -> float:
        """Return the size of a file by the probabilities of its context model alone [bit]."""


@dataclass(frozen=True, slots=True)
class PeerChoice:
    """The candidate with which a peer competes in one metric.

    Attributes:
        downscale: By which the picture was made smaller before encoding.
        quality: Rung of the format's ladder.
        bytes_needed: Size by the rule of the peers.
        file_bytes: Size of the whole file.
    """

    downscale: int
    quality: int
    bytes_needed: int
    file_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class StillRow:
    """One picture by one codec at one rate.

    Attributes:
        codec: Name of the codec.
        image: Name of the picture.
        target_bpp: Rate asked for [bit/pixel].
        bytes_needed: Counted size; for ours the whole file, for a peer that of its choice for PSNR.
        file_bytes: Size of the whole file.
        bpp: Rate of the counted size [bit/pixel].
        entropy_bytes: Size by the probabilities of the context model alone, its cross-entropy [byte]; None for peers.
        scores: The measures; for a peer the best of each.
        encode_ms: Time to encode [ms]; None for peers, which are searched.
        decode_ms: Time to decode [ms]; None for peers.
        chosen: For a peer the choice by metric; empty for ours.
        pixels: (H, W, 3) uint8 RGB, what was decoded; for a peer the choice for LPIPS, or for PSNR where there is
            none. None for published figures.
    """

    codec: str
    image: str
    target_bpp: float
    bytes_needed: int
    file_bytes: int
    bpp: float
    entropy_bytes: float | None
    scores: Scores
    encode_ms: float | None
    decode_ms: float | None
    chosen: Mapping[str, PeerChoice]
    pixels: NDArray[np.uint8] | None = None

    def bpp_of(self, metric: Metric) -> float:
        """Return the rate at which the score of a metric was reached [bit/pixel]."""
        choice = self.chosen.get(metric.key)
        return self.bpp * choice.bytes_needed / self.bytes_needed if choice else self.bpp


@dataclass(frozen=True, slots=True)
class Unreached:
    """A rate at which a codec cannot encode a picture at all.

    Attributes:
        codec: Name of the codec.
        image: Name of the picture.
        target_bpp: Rate asked for [bit/pixel].
    """

    codec: str
    image: str
    target_bpp: float


def budget_bytes(pixels: NDArray[np.uint8], target_bpp: float) -> int:
    """Return how many whole bytes (H, W, 3) pixels may take at a rate."""
    return int(target_bpp * pixels.shape[0] * pixels.shape[1] / 8)


def measure_codec(
    name: str,
    codec: StillCodec,
    picture: SourcePicture,
    rates_bpp: Sequence[float],
    lpips: Lpips | None,
) -> Iterator[StillRow | Unreached]:
    """Encode and decode one picture at every rate and measure what came back.

    Raises:
        ContractError: A file exceeds its budget or does not decode to the whole picture.
    """
    for target_bpp in rates_bpp:
        budget = budget_bytes(picture.pixels, target_bpp)
        started_ns = time.perf_counter_ns()
        try:
            data = codec.encode(picture.pixels, budget)
        except BudgetError:
            yield Unreached(name, picture.name, target_bpp)
            continue
        encoded_ns = time.perf_counter_ns()
        decoded = codec.decode(data)
        decoded_ns = time.perf_counter_ns()
        _check_contract(name, picture, budget, data, decoded)
        yield StillRow(
            codec=name,
            image=picture.name,
            target_bpp=target_bpp,
            bytes_needed=len(data),
            file_bytes=len(data),
            bpp=_bpp(len(data), picture),
            entropy_bytes=codec.information_bits(data) / 8,
            scores=score(picture.pixels, decoded.pixels, lpips),
            encode_ms=(encoded_ns - started_ns) / 1e6,
            decode_ms=(decoded_ns - encoded_ns) / 1e6,
            chosen={},
            pixels=decoded.pixels,
        )


def measure_peer(
    peer: PeerFormat, picture: SourcePicture, rates_bpp: Sequence[float], lpips: Lpips | None
) -> Iterator[StillRow | Unreached]:
    """Let a peer compete at every rate, in every metric with the candidate that is best there.

    Raises:
        PeerError: The peer cannot be written here.
    """
    budgets = {target_bpp: budget_bytes(picture.pixels, target_bpp) for target_bpp in rates_bpp}
    found = candidates(peer, picture.pixels, sorted(set(budgets.values())))
    for target_bpp, budget in budgets.items():
        if not found[budget]:
            yield Unreached(peer.name, picture.name, target_bpp)
            continue
        yield _best_row(peer.name, picture, target_bpp, found[budget], lpips)


def _best_row(
    name: str,
    picture: SourcePicture,
    target_bpp: float,
    entrants: Sequence[PeerPicture],
    lpips: Lpips | None,
) -> StillRow:
    """Return the row of a peer: the best value of each metric, and which entrant had it."""
    scored = [(score(picture.pixels, entrant.pixels, lpips), entrant) for entrant in entrants]
    best: dict[str, float | None] = {}
    chosen: dict[str, PeerChoice] = {}
    shown: dict[str, NDArray[np.uint8]] = {}
    for metric in METRICS:
        values = [(value, entrant) for scores, entrant in scored if (value := scores.value(metric)) is not None]
        if not values:
            best[metric.key] = None
            continue
        best[metric.key], entrant = max(values, key=lambda pair: metric.sign * pair[0])
        chosen[metric.key] = PeerChoice(entrant.downscale, entrant.quality, entrant.need_bytes, entrant.file_bytes)
        shown[metric.key] = entrant.pixels
    by_psnr = chosen["psnr_db"]
    return StillRow(
        codec=name,
        image=picture.name,
        target_bpp=target_bpp,
        bytes_needed=by_psnr.bytes_needed,
        file_bytes=by_psnr.file_bytes,
        bpp=_bpp(by_psnr.bytes_needed, picture),
        entropy_bytes=None,
        scores=Scores(**best),
        encode_ms=None,
        decode_ms=None,
        chosen=chosen,
        pixels=shown.get("lpips", shown["psnr_db"]),
    )


def _bpp(size_bytes: int, picture: SourcePicture) -> float:
    height, width, _ = picture.pixels.shape
    return 8 * size_bytes / float(height * width)


def _check_contract(name: str, picture: SourcePicture, budget: int, data: bytes, decoded: DecodedStill) -> None:
    if len(data) > budget:
        raise ContractError(f"{name} made {len(data)} bytes of {picture.name} where {budget} were allowed")
    if not decoded.complete or decoded.pixels.shape != picture.pixels.shape:
        raise ContractError(f"{name} did not decode the whole of {picture.name}: {decoded.warning}")
