"""Makes a captured line worse, to see what would have been left."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pantel_link.captures.reader import CapturedCodeword, CaptureEvent

__all__ = ["impair"]


def impair(
    events: Iterable[CaptureEvent], *, loss: float = 0.0, bit_error_rate: float = 0.0, seed: int = 0
) -> Iterator[CaptureEvent]:
    """Yield events of captures without some of the codewords, and with more bit errors in the others.

    What was captured stays as bad as it was. A packet that arrived whole had a checksum around it, so a single wrong
    bit loses it. What was sent, rather than received, stays as it is. The same seed loses the same codewords, whatever
    the bit error rate.

    Args:
        events: What `read_capture` yields.
        loss: Probability that a codeword is lost.
        bit_error_rate: Probability that a bit of the others is inverted.
        seed: Seed of both.

    Raises:
        ValueError: A probability is none, or 1.
    """
    for name, probability in (("loss", loss), ("bit_error_rate", bit_error_rate)):
        if not 0.0 <= probability < 1.0:
            raise ValueError(f"{name} is {probability} and must lie in 0..1, 1 excluded")
    losses = random.Random(f"loss {seed}")  # noqa: S311 - a simulation, not a secret
    errors = random.Random(f"errors {seed}")  # noqa: S311
    for event in events:
        if not isinstance(event, CapturedCodeword) or event.outbound:
            yield event
            continue
        lost = losses.random() < loss
        pattern = _error_pattern(errors, 8 * len(event.octets), bit_error_rate)
        if lost or (pattern and event.whole):
            continue
        if pattern:
            wrong = int.from_bytes(event.octets, "big") ^ pattern
            event = replace(event, octets=wrong.to_bytes(len(event.octets), "big"), verdict="")  # noqa: PLW2901
        yield event


def _error_pattern(generator: random.Random, bits: int, rate: float) -> int:
    """Return the bits that are inverted, as one number."""
    return sum(1 << bit for bit in range(bits) if generator.random() < rate) if rate else 0
