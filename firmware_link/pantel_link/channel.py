"""The channel simulator: one direction of a bad line, seeded, that obeys the physics of the bit rate."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["Bursts", "Channel", "ChannelSettings", "ChannelStatistics"]

_BUFFER_OCTETS = 4096  # as much as a Linux serial driver holds


@dataclass(frozen=True, slots=True)
class Bursts:
    """Bursts of bit errors: the two-state channel of Gilbert (1960) and Elliott (1963), stepped per octet.

    Attributes:
        mean_gap_octets: Mean length of the good state.
        mean_length_octets: Mean length of a burst.
        bit_error_rate: Bit error rate within a burst.
    """

    mean_gap_octets: float
    mean_length_octets: float
    bit_error_rate: float = 0.3

    def __post_init__(self) -> None:
        if self.mean_gap_octets < 1 or self.mean_length_octets < 1:
            raise ValueError("bursts and the gaps between them last at least 1 octet on average")
        _check_probability("bit_error_rate", self.bit_error_rate)


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """How bad one direction of the line is.

    Attributes:
        bitrate_bps: Octets per second times 8; an octet arrives when its last bit has been sent.
        bit_error_rate: Probability that a bit is inverted, outside bursts.
        bursts: Bursts of bit errors, or None.
        slip_rate: Probability, per octet, of a slip: half of them lose the octet, half insert a random one.
        loss: Probability that a span of ``span_octets`` (a packet) is hit by a drop-out. A drop-out swallows
            ``dropout_octets`` octets in a row and may touch two neighbouring packets, as a fade does.
        span_octets: Length of that span; 48 octets are a live packet.
        dropout_octets: Length of a drop-out; 24 octets are 0.2 s.
        seed: Seed of everything random.
    """

    bitrate_bps: int = DEFAULT_BITRATE_BPS
    bit_error_rate: float = 0.0
    bursts: Bursts | None = None
    slip_rate: float = 0.0
    loss: float = 0.0
    span_octets: int = 48
    dropout_octets: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.bitrate_bps <= 0 or self.span_octets <= 0 or self.dropout_octets <= 0:
            raise ValueError("bitrate_bps, span_octets and dropout_octets must be positive")
        _check_probability("bit_error_rate", self.bit_error_rate)
        _check_probability("slip_rate", self.slip_rate)
        _check_probability("loss", self.loss)


@dataclass(slots=True)
class ChannelStatistics:
    """What the channel has done.

    Attributes:
        octets_sent: Octets that went on the line.
        octets_dropped: Octets that drop-outs swallowed.
        octets_slipped: Octets lost or inserted by slips.
        bits_inverted: Bit errors.
    """

    octets_sent: int = 0
    octets_dropped: int = 0
    octets_slipped: int = 0
    bits_inverted: int = 0


class Channel:
    """One direction of a line: octets go in, fewer and worse ones come out, one octet's air time later.

    It holds at most 4096 octets that are not read yet. Python's Mersenne Twister gives the same errors for
    the same seed and the same number of octets, everywhere and whenever they are sent.

    Args:
        settings: How bad it is.

    Attributes:
        statistics: What it has done.
    """

    def __init__(self, settings: ChannelSettings) -> None:
        self.statistics = ChannelStatistics()
        self._settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311 - a simulation, not a secret
        self._octet_ns = -(-8_000_000_000 // settings.bitrate_bps)
        self._free_at_ns = 0  # the line is busy until then
        self._line: deque[tuple[int, int]] = deque()  # (arrival, octet)
        self._in_burst = False
        self._dropout_left = 0
        # A span is hit by a drop-out that begins within it or up to dropout_octets - 1 before it.
        exposed_octets = settings.span_octets + settings.dropout_octets - 1
        self._dropout_rate = 1.0 - (1.0 - settings.loss) ** (1.0 / exposed_octets)

    def send(self, octets: bytes, now_ns: int) -> int:
        """Queue octets behind those that are still being sent; return how many fit the buffer."""
        accepted = octets[: _BUFFER_OCTETS - len(self._line)]
        for octet in accepted:
            self._free_at_ns = max(self._free_at_ns, now_ns) + self._octet_ns
            self._line.extend((self._free_at_ns, survivor) for survivor in self._transmit(octet))
        return len(accepted)

    def receive(self, now_ns: int, max_octets: int) -> bytes:
        """Return octets whose last bit has arrived."""
        arrived = bytearray()
        while self._line and self._line[0][0] <= now_ns and len(arrived) < max_octets:
            arrived.append(self._line.popleft()[1])
        return bytes(arrived)

    def _transmit(self, octet: int) -> list[int]:
        """Return what becomes of an octet on its way: usually one octet, sometimes none or two."""
        self.statistics.octets_sent += 1
        if self._drops_out():
            self.statistics.octets_dropped += 1
            return []
        received = octet ^ self._error_pattern()
        if self._happens(self._settings.slip_rate):
            self.statistics.octets_slipped += 1
            return [received, self._random.randrange(256)] if self._happens(0.5) else []
        return [received]

    def _drops_out(self) -> bool:
        if self._dropout_left == 0 and self._happens(self._dropout_rate):
            self._dropout_left = self._settings.dropout_octets
        if self._dropout_left == 0:
            return False
        self._dropout_left -= 1
        return True

    def _error_pattern(self) -> int:
        """Return the bits of the next octet that will be inverted."""
        rate = self._settings.bit_error_rate
        if self._settings.bursts is not None:
            bursts = self._settings.bursts
            mean_stay = bursts.mean_length_octets if self._in_burst else bursts.mean_gap_octets
            if self._happens(1.0 / mean_stay):
                self._in_burst = not self._in_burst
            if self._in_burst:
                rate = bursts.bit_error_rate
        pattern = sum(1 << bit for bit in range(8) if self._happens(rate)) if rate else 0
        self.statistics.bits_inverted += pattern.bit_count()
        return pattern

    def _happens(self, probability: float) -> bool:
        return probability > 0.0 and self._random.random() < probability


def _check_probability(name: str, value: float) -> None:
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} is {value} and must lie in 0..1, 1 excluded")
