"""Pacing: how many octets may go to the port now.

Every octet written counts, and it counts as 8 bits at the link's bit rate; that a UART adds a start and a
stop bit is why 960 bit/s fit a 1200-baud port (8N1: 10 bits on the line for 8). Blocking writes cannot pace:
a pty swallows 20 to 32 kB at once, and so do USB adapters.
"""

from __future__ import annotations

from collections import deque

__all__ = [
    "CHUNK_OCTETS",
    "DEFAULT_BITRATE_BPS",
    "MAX_BITRATE_BPS",
    "Pacer",
    "TokenBucket",
    "WindowLimit",
    "check_bitrate",
    "limit_bps",
]

DEFAULT_BITRATE_BPS = 960  # 1200 baud, 8N1
MAX_BITRATE_BPS = 10_000
CHUNK_OCTETS = 8

_LIMIT_BPS = 1000  # what Pantel promises of any line that was not set faster
_LIMIT_WINDOW_S = 10
_DUTY_WINDOW_S = 3600  # of duty cycles, as ETSI EN 300 220 has it
_NS_PER_S = 1_000_000_000
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

    def give_back(self, octets: int) -> None:
        """Take back octets that need not have been charged."""
        self._level = min(self._level + octets * _OCTET, self.burst_octets * _OCTET)

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


class WindowLimit:
    """At most so much in any window of a length, whatever was saved up before: octets, or time on the air.

    What is sent within a 256th of the window counts as sent at the end of it, which errs on the safe side and bounds
    what must be remembered.

    Args:
        octets: That may be sent in a window.
        window_ns: Length of the window.
    """

    def __init__(self, octets: int, window_ns: int) -> None:
        self._octets = octets
        self._window_ns = window_ns
        self._grain_ns = max(1, window_ns >> 8)
        self._sent: deque[tuple[int, int]] = deque()  # (end of the grain, octets)
        self._total = 0

    def charge(self, now_ns: int, octets: int) -> None:
        """Note octets that are sent now."""
        self._forget(now_ns)
        end_ns = now_ns + self._grain_ns - now_ns % self._grain_ns
        if self._sent and self._sent[-1][0] >= end_ns:
            end_ns, before = self._sent.pop()
            self._sent.append((end_ns, before + octets))
        else:
            self._sent.append((end_ns, octets))
        self._total += octets

    def room_at_ns(self, now_ns: int, octets: int) -> int:
        """Return the first time, not before now, at which so many octets may be sent.

        More than a window may hold are never sent together; they wait for an empty window.
        """
        self._forget(now_ns)
        excess = self._total + min(octets, self._octets) - self._octets
        at_ns = now_ns
        for end_ns, sent in self._sent:
            if excess <= 0:
                break
            excess -= sent
            at_ns = end_ns + self._window_ns
        return at_ns

    def _forget(self, now_ns: int) -> None:
        while self._sent and self._sent[0][0] + self._window_ns <= now_ns:
            self._total -= self._sent.popleft()[1]


class Pacer:
    """How many octets may go out now: by the bit rate, by the promise, and by a duty cycle where there is one.

    Args:
        bitrate_bps: Long-term rate.
        now_ns: Monotonic time of the start.
        burst_octets: What leaves at once if packets leave whole; None where octets leave in chunks.
        duty_cycle: Share of any hour that may be spent on the air. Packets are spread over the hour: each leaves at the
            bit rate, and then there is a pause.
    """

    def __init__(
        self,
        bitrate_bps: int,
        now_ns: int,
        *,
        burst_octets: int | None = None,
        duty_cycle: float = 1.0,
    ) -> None:
        self._duty_cycle = duty_cycle
        self._limit_bps = 0
        self._air_us = WindowLimit(int(duty_cycle * _DUTY_WINDOW_S * 1_000_000), _DUTY_WINDOW_S * _NS_PER_S)
        self._pause_until_ns = now_ns
        self.change(bitrate_bps, now_ns, burst_octets=burst_octets)

    def change(self, bitrate_bps: int, now_ns: int, *, burst_octets: int | None = None) -> None:
        """Go on otherwise. Arguments are those of the class.

        What has been sent so far still counts, except against another limit: a line that was set slower would else
        be silent for as long as it had been faster.
        """
        self._bitrate_bps = bitrate_bps
        if limit_bps(bitrate_bps) != self._limit_bps:
            self._limit_bps = limit_bps(bitrate_bps)
            self._promise = WindowLimit(self._limit_bps * _LIMIT_WINDOW_S // 8, _LIMIT_WINDOW_S * _NS_PER_S)
        self._bucket = TokenBucket(bitrate_bps, now_ns, burst_octets)

    def may_begin(self, now_ns: int) -> bool:
        """Whether a packet may begin, by the duty cycle."""
        return now_ns >= self._pause_until_ns

    def begin(self, now_ns: int, octets: int) -> None:
        """Charge a packet that begins to the duty cycle: the next may begin when this one has been made up for."""
        if self._duty_cycle < 1.0:
            pause_ns = round(8 * octets * _NS_PER_S / (self._duty_cycle * self._bitrate_bps))
            self._pause_until_ns = max(now_ns, self._pause_until_ns) + pause_ns

    def take(self, now_ns: int, wanted_octets: int) -> int:
        """Return how many of the wanted octets may go out now, and charge them."""
        wanted = 0 if self._limited_until_ns(now_ns, wanted_octets) > now_ns else wanted_octets
        granted = self._bucket.take(now_ns, wanted)
        self._promise.charge(now_ns, granted)
        if self._duty_cycle < 1.0:
            self._air_us.charge(now_ns, self._on_air_us(granted))
        return granted

    def available_at_ns(self, now_ns: int, octets: int) -> int:
        """Return the first time, not before now, at which so many octets will be granted at once."""
        return max(self._bucket.available_at_ns(now_ns, octets), self._limited_until_ns(now_ns, octets))

    def granted_at_ns(self, now_ns: int, octets: int) -> int:
        """Return when, not before now, the last of so many octets will be granted, if none is left waiting."""
        return max(self._bucket.granted_at_ns(now_ns, octets), self._limited_until_ns(now_ns, octets))

    def _limited_until_ns(self, now_ns: int, octets: int) -> int:
        at_ns = self._promise.room_at_ns(now_ns, octets)
        if self._duty_cycle < 1.0:
            at_ns = max(at_ns, self._air_us.room_at_ns(now_ns, self._on_air_us(octets)))
        return at_ns

    def _on_air_us(self, octets: int) -> int:
        return -(-8_000_000 * octets // self._bitrate_bps)


def limit_bps(bitrate_bps: int) -> int:
    """Return what no 10 s exceed on average on a line of this bit rate: 1000 bit/s, or the rate if it is higher."""
    return max(bitrate_bps, _LIMIT_BPS)


def check_bitrate(bitrate_bps: int) -> None:
    """Refuse a bit rate that Pantel is not made for.

    Raises:
        ValueError: It is not positive, or above `MAX_BITRATE_BPS`.
    """
    if bitrate_bps <= 0:
        raise ValueError(f"bitrate_bps is {bitrate_bps} and must be positive")
    if bitrate_bps > MAX_BITRATE_BPS:
        raise ValueError(f"bitrate_bps is {bitrate_bps}; {MAX_BITRATE_BPS} is the most")


def _default_burst_octets(bitrate_bps: int) -> int:
    return max(CHUNK_OCTETS, bitrate_bps // 32)
