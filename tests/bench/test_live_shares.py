"""What the bits of a run were spent on, ten seconds at a time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pantel_bench.live.shares import spans_of
from pantel_bench.live.source import ClipSource
from pantel_bench.rig.ends import PayloadNote

_START_NS = 5_000_000_000
_FRAMES = 125


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ClipSource:
    """Return 12.5 s of grey, the first second of which a white square is in."""
    folder = tmp_path_factory.mktemp("clip")
    for k in range(_FRAMES):
        picture = np.full((64, 96, 3), 100, np.uint8)
        if k < 10:
            picture[16:48, 24:72] = 255
        cv2.imwrite(str(folder / f"{k:03d}.png"), picture)
    return ClipSource(f"file:{folder}", _FRAMES / 10, size_px=(96, 64))


def test_bits_objects_and_motion_belong_to_their_time(source: ClipSource) -> None:
    notes = [
        PayloadNote(_START_NS, 2, {"cells": 200.0}),
        PayloadNote(_START_NS + 9_999_999_999, 1, {"cells": 50.0, "poses": 150.0}),
        PayloadNote(_START_NS + 10_000_000_000, 0, {"cells": 100.0}),
        PayloadNote(_START_NS + 20_000_000_000, 0, {"tone": 25.0}),  # stamped a little after the end
    ]
    first, last = spans_of(source, [None] * _FRAMES, notes, start_ns=_START_NS, delay_s=1.5)
    assert (first.begin_s, first.end_s, last.begin_s, last.end_s) == (0.0, 10.0, 10.0, 12.5)
    assert first.bits_per_element == {"cells": 25.0, "poses": 15.0}
    assert last.bits_per_element == {"cells": 40.0, "tone": 10.0}
    assert (first.objects, last.objects) == (1.5, 0.0)
    assert first.moving_share == pytest.approx(0.1 * 32 * 48 / (64 * 96), rel=0.02)
    assert last.moving_share == 0.0
    assert first.background_psnr_db is None


def test_only_pictures_and_what_does_not_move_count_as_background(source: ClipSource) -> None:
    shown = [None] * 5 + [np.full((64, 96, 3), 102, np.uint8)] * (_FRAMES - 5)
    first, last = spans_of(source, shown, [], start_ns=_START_NS, delay_s=1.5)
    two_levels_db = 20 * np.log10(255 / 2)
    assert first.background_psnr_db == pytest.approx(two_levels_db)
    assert last.background_psnr_db == pytest.approx(two_levels_db)
    assert first.objects is None
    assert first.bits_per_element == {}
