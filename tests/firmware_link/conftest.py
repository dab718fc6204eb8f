"""What the tests of the link share: one stream, and one way to send a packet through it."""

from __future__ import annotations

import pytest

from pantel_link import StreamContext


@pytest.fixture
def context() -> StreamContext:
    return StreamContext(
        sender=5,
        callsign="N0CALL",
        epoch=0x010203,
        model_hash=bytes.fromhex("a1b2c3"),
        width_px=320,
        height_px=240,
    )
