"""The search for the rectangle that brings most per bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pantel_device.scene_encoding.block_search import best_block

OVERHEAD = 10.0


@given(
    arrays(np.int64, (5, 6), elements=st.integers(-50, 100)),
    arrays(np.int64, (5, 6), elements=st.integers(1, 30)),
    st.integers(1, 200),
)
def test_finds_the_best_of_all_rectangles(gain: NDArray[np.int64], bits: NDArray[np.int64], limit: int) -> None:
    best = 0.0
    for top in range(5):
        for bottom in range(top + 1, 6):
            for left in range(6):
                for right in range(left + 1, 7):
                    window = np.s_[top:bottom, left:right]
                    if bits[window].sum() <= limit:
                        best = max(best, gain[window].sum() / (bits[window].sum() + OVERHEAD))
    # Whole numbers, so that sums are exact and nothing hangs on the last bit of a limit.
    found = best_block(gain.astype(float), bits.astype(float), float(limit), OVERHEAD)
    if found is None:
        assert best == 0
        return
    block, ratio = found
    np.testing.assert_allclose(ratio, best, rtol=1e-6, atol=1e-8)
    assert bits[block.window].sum() <= limit
    brought = gain[block.window].sum() / (bits[block.window].sum() + OVERHEAD)
    np.testing.assert_allclose(brought, ratio, rtol=1e-6, atol=1e-8)


def test_harmful_cells_stay_outside() -> None:
    gain = np.full((4, 4), -100.0)
    gain[1:3, 2] = 50.0
    found = best_block(gain, np.ones((4, 4)), 100.0, OVERHEAD)
    assert found is not None
    assert (found[0].column, found[0].row, found[0].columns, found[0].rows) == (2, 1, 1, 2)
