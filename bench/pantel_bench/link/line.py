"""A bad line in whole arrays: the errors of millions of octets in one go, seeded.

`pantel_link.channel` is the same line octet by octet and with slips. It runs beside a clock; this one does not have to.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from pantel_link import Bursts

__all__ = ["Line"]


@dataclass(frozen=True, slots=True)
class Line:
    """How bad a line is: a binary symmetric channel that swallows whole packets.

    Attributes:
        bit_error_rate: Probability that a bit is inverted, outside bursts.
        erasure: Probability that a packet does not arrive at all.
        bursts: Bursts of bit errors, as in `pantel_link.Channel`; None for none.

    Raises:
        ValueError: A probability is none.
    """

    bit_error_rate: float = 0.0
    erasure: float = 0.0
    bursts: Bursts | None = None

    def __post_init__(self) -> None:
        for probability in (self.bit_error_rate, self.erasure):
            if not 0.0 <= probability <= 1.0:
                raise ValueError(f"{probability} is no probability")

    @property
    def burst(self) -> str:
        """The bursts in words."""
        if self.bursts is None:
            return "none"
        return (
            f"mean length {self.bursts.mean_length_octets:g} octets, mean gap {self.bursts.mean_gap_octets:g} octets, "
            f"bit error rate {self.bursts.bit_error_rate:g}"
        )

    @property
    def capacity_share(self) -> float:
        """Shannon's capacity over the bit rate; with bursts that of a receiver who knows where they are."""
        share = 1.0 - _entropy(self.bit_error_rate)
        if self.bursts is not None:
            gap, length = self.bursts.mean_gap_octets, self.bursts.mean_length_octets
            share = (gap * share + length * (1.0 - _entropy(self.bursts.bit_error_rate))) / (gap + length)
        return (1.0 - self.erasure) * share

    def errors(self, octets: int, random: np.random.Generator) -> NDArray[np.uint8]:
        """Return the bits that are inverted: (octets,) uint8, to be XORed with what is sent."""
        errors = _independent_errors(octets, self.bit_error_rate, random)
        if self.bursts is not None:
            within = _within_bursts(octets, self.bursts, random)
            errors[within] = _dense_errors(int(within.sum()), self.bursts.bit_error_rate, random)
        return errors

    def erased(self, packets: int, random: np.random.Generator) -> NDArray[np.bool_]:
        """Return which packets do not arrive: (packets,) bool."""
        return random.random(packets) < self.erasure


def _entropy(probability: float) -> float:
    """Return the entropy of a bit that is 1 with this probability [bit]."""
    return -sum(share * log2(share) for share in (probability, 1.0 - probability) if share > 0.0)


def _independent_errors(octets: int, rate: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw how many bits are wrong, then which."""
    errors = np.zeros(octets, np.uint8)
    wrong = random.choice(8 * octets, random.binomial(8 * octets, rate), replace=False, shuffle=False)
    np.bitwise_or.at(errors, wrong >> 3, (1 << (wrong & 7)).astype(np.uint8))
    return errors


def _dense_errors(octets: int, rate: float, random: np.random.Generator) -> NDArray[np.uint8]:
    return np.packbits(random.random((octets, 8)) < rate, axis=1)[:, 0]


def _within_bursts(octets: int, bursts: Bursts, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which octets are in a burst: stays in the two states have geometric lengths, the first one is good."""
    mean_cycle = bursts.mean_gap_octets + bursts.mean_length_octets
    within = np.zeros(0, np.bool_)
    while within.size < octets:
        cycles = ceil((octets - within.size) / mean_cycle) + 1
        gaps = random.geometric(1.0 / bursts.mean_gap_octets, cycles)
        lengths = random.geometric(1.0 / bursts.mean_length_octets, cycles)
        stays = np.stack([gaps, lengths], axis=1).ravel()
        within = np.concatenate([within, np.repeat(np.arange(stays.size) % 2 == 1, stays)])
    return within[:octets]
