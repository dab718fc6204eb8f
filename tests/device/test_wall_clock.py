"""Wall time: believed only when it can be true, and told to the link as it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pantel_device import wall_clock
from pantel_link import VirtualClock

_UTC = datetime(2025, 6, 1, 12, tzinfo=UTC)


def test_the_offset_leads_from_the_clock_to_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_clock, "utc_now", lambda: _UTC)
    offset_ns = wall_clock.utc_offset_ns(VirtualClock(start_ns=123_000_000_456))
    assert offset_ns is not None
    assert (offset_ns + 123_000_000_456) / 1e9 == _UTC.timestamp() == wall_clock.utc_s()

    noon_ns = 123_000_000_456 + 60_000_000_000
    assert wall_clock.utc_of(VirtualClock(start_ns=123_000_000_456), noon_ns) == _UTC + timedelta(minutes=1)


def test_a_clock_that_nobody_has_set_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_clock, "utc_now", lambda: datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    assert wall_clock.utc_offset_ns(VirtualClock()) is None
    assert wall_clock.utc_of(VirtualClock(), 0) is None
