"""Wall time, for the shells around the cores: whatever must not jump runs on the monotonic clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pantel_link import Clock

__all__ = ["is_plausible", "iso_utc", "known_utc_s", "utc_now", "utc_of", "utc_offset_ns", "utc_s"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_PLAUSIBLE_YEAR = 2024


def utc_now() -> datetime:
    """Return the system's UTC."""
    return datetime.now(UTC)


def iso_utc(utc: datetime) -> str:
    """Return a UTC as ISO 8601 writes it, with milliseconds and a Z."""
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_s() -> int:
    """Return the system's UTC in whole seconds since 1970."""
    return int(utc_now().timestamp())


def is_plausible(utc: datetime) -> bool:
    """Whether a clock that shows this has been set."""
    return utc.year >= _FIRST_PLAUSIBLE_YEAR


def known_utc_s() -> int | None:
    """Return the system's UTC in whole seconds since 1970, None while its clock is not set."""
    return utc_s() if is_plausible(utc_now()) else None


def utc_offset_ns(clock: Clock) -> int | None:
    """Return UTC less a monotonic clock's time [ns], None while the system's clock is not set.

    A Raspberry Pi has no battery for its clock: it begins somewhere in the past, until the network or a receiver of
    time signals sets it.
    """
    utc = utc_now()
    if not is_plausible(utc):
        return None
    return (utc - _EPOCH) // timedelta(microseconds=1) * 1000 - clock.now_ns()


def utc_of(clock: Clock, time_ns: int) -> datetime | None:
    """Return which UTC it is at a monotonic clock's time [ns], None while the system's clock is not set."""
    offset_ns = utc_offset_ns(clock)
    return None if offset_ns is None else _EPOCH + timedelta(microseconds=(time_ns + offset_ns) // 1000)
