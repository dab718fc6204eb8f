"""What tests of devices share: cameras that are closed in the end, and outages that take no minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from pantel_device.cameras import Camera, Geometry, live, open_camera


@pytest.fixture
def open_live() -> Iterator[Callable[..., Camera]]:
    """Return a function that opens a camera by its name."""
    with ExitStack() as stack:

        def open_live(
            name: str, size_px: tuple[int, int] = (320, 240), fps: float = 100.0, geometry: Geometry | None = None
        ) -> Camera:
            return stack.enter_context(closing(open_camera(name, size_px, fps, geometry or Geometry())))

        yield open_live


@pytest.fixture
def short_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tenth of a second without a picture be an outage, and a few hundredths pass between two attempts."""
    monkeypatch.setattr(live, "_SILENCE_NS", 200_000_000)
    monkeypatch.setattr(live, "_FIRST_DELAY_NS", 20_000_000)
    monkeypatch.setattr(live, "_LONGEST_DELAY_NS", 50_000_000)
