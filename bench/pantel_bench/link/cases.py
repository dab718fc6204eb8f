"""Which rows there are, and what others reach on the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_bench.link.line import Line
from pantel_bench.link.measure import Case
from pantel_link import Bursts, LengthClass, Preset

__all__ = ["CASES", "PUBLISHED", "WORDS", "PublishedGoodput", "chosen_cases"]

_BURSTS = Line(bursts=Bursts(mean_gap_octets=1000, mean_length_octets=10))
_STREAMS = (
    *(Line(bit_error_rate, erasure) for erasure in (0.0, 0.1) for bit_error_rate in (0.0, 1e-3, 1e-2)),
    Line(1e-2, 0.3),
    _BURSTS,
)
_PACKETS = tuple(Line(erasure=erasure) for erasure in (0.0, 0.1, 0.3))
_LENGTHS = (LengthClass.STILL, LengthClass.LIVE)

CASES = (
    *(Case(preset, length, line) for length in _LENGTHS for preset in Preset for line in _STREAMS),
    *(Case(None, length, line) for length in _LENGTHS for line in _PACKETS),
)
WORDS = ("stream", "packet", *map(str, Preset), *map(str, _LENGTHS), "bursts")


@dataclass(frozen=True, slots=True)
class PublishedGoodput:
    """What others reach, not measured here.

    Attributes:
        name: Whose it is.
        line: On which line.
        goodput_bps: Payload at 1000 bit/s gross.
        source: Where the figure stands.
    """

    name: str
    line: Line
    goodput_bps: float
    source: str

    @property
    def capacity_bps(self) -> float:
        """What no code could surpass at 1000 bit/s."""
        return 1000 * self.line.capacity_share

    @property
    def ratio(self) -> float:
        """Goodput over capacity."""
        return self.goodput_bps / self.capacity_bps


_PEERS = "anchors/PEERS.md, Link: payload at 1000 bit/s gross"
PUBLISHED = tuple(
    PublishedGoodput("SSDV with FEC", Line(bit_error_rate), goodput_bps, _PEERS)
    for bit_error_rate, goodput_bps in ((0.0, 801), (1e-3, 801), (1e-2, 181))
)


def chosen_cases(words: Sequence[str]) -> list[Case]:
    """Return the cases that have all these words."""
    return [case for case in CASES if case.words.issuperset(words)]
