"""Pacing: how many octets may go to the port now.

Every octet written counts, and it counts as 8 bits at the link's bit rate; that a UART adds a start and a
stop bit is why 960 bit/s fit a 1200-baud port (8N1: 10 bits on the line for 8). Blocking writes cannot pace:
a pty swallows 20 to 32 kB at once, and so do USB adapters.
"""

from __future__ import annotations

__all__ = ["CHUNK_OCTETS", "DEFAULT_BITRATE_BPS", "TokenBucket", "check_bitrate"]

DEFAULT_BITRATE_BPS = 960  # 1200 baud, 8N1
CHUNK_OCTETS = 8

_LIMIT_BPS = 1000
_LIMIT_WINDOW_S = 10
_OCTET = 8 * 1_000_000_000  # an octet in bit/s times ns, so that every rate fills the bucket in integers


class TokenBucket:
    """A token bucket in wire octets, exact in integers, on a monotonic clock that the caller passes in.

    It starts empty, so a restarted sender cannot send a second burst. In any window of w seconds it grants at
    most ``w * bitrate_bps + 8 * burst_octets`` bits.

    Args:
        bitrate_bps: Long-term rate.
        now_ns: Monotonic time of the start.
        burst_octets: Octets that may be saved up while the caller is late; a quarter of a second by default.
    """

    def __init__(self, bitrate_bps: int, now_ns: int, burst_octets: int | None = None) -> None:
        if bitrate_bps <= 0:
            raise ValueError(f"bitrate_bps is {bitrate_bps} and must be positive")
        self._bitrate_bps = bitrate_bps
        self.burst_octets = _default_burst_octets(bitrate_bps) if burst_octets is None else burst_octets
        self._updated_ns = now_ns
        self._level = 0

    def take(self, now_ns: int, wanted_octets: int) -> int:
        """Return how many of the wanted octets may go out now, and charge them."""
        self._refill(now_ns)
        granted = min(wanted_octets, self._level // _OCTET)
        self._level -= granted * _OCTET
        return granted

    def available_at_ns(self, now_ns: int, octets: int) -> int:
        """Return the first time, not before now, at which so many octets will be granted at once."""
        return self.granted_at_ns(now_ns, min(octets, self.burst_octets))

    def granted_at_ns(self, now_ns: int, octets: int) -> int:
        """Return when, not before now, the last of so many octets will be granted, if none is left waiting."""
        self._refill(now_ns)
        missing = octets * _OCTET - self._level
        return now_ns + max(0, -(-missing // self._bitrate_bps))

    def _refill(self, now_ns: int) -> None:
        elapsed_ns = max(0, now_ns - self._updated_ns)
        self._updated_ns += elapsed_ns
        self._level = min(self._level + elapsed_ns * self._bitrate_bps, self.burst_octets * _OCTET)


def check_bitrate(bitrate_bps: int) -> None:
    """Refuse a bit rate that could break the promise of at most 1000 bit/s over any 10 s.

    Raises:
        ValueError: It is not positive, or its worst window holds more.
    """
    if bitrate_bps <= 0:
        raise ValueError(f"bitrate_bps is {bitrate_bps} and must be positive")
    worst_bits = bitrate_bps * _LIMIT_WINDOW_S + 8 * _default_burst_octets(bitrate_bps)
    if worst_bits > _LIMIT_BPS * _LIMIT_WINDOW_S:
        raise ValueError(
            f"bitrate_bps is {bitrate_bps}: some {_LIMIT_WINDOW_S} s would exceed {_LIMIT_BPS} bit/s; "
            f"use {DEFAULT_BITRATE_BPS}"
        )


def _default_burst_octets(bitrate_bps: int) -> int:
    return max(CHUNK_OCTETS, bitrate_bps // 32)
