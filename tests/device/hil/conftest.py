"""A rig on the virtual clock, as a fixture."""

from __future__ import annotations

import pytest
from tests.device.hil.rig import Rig

from pantel_link import StreamContext


@pytest.fixture
def rig() -> Rig:
    return Rig(StreamContext(0, "N0CALL", 7, b"hil", 32, 32))
