"""The table of the contour coder: what is counted, and that the codec's is of that form."""

from __future__ import annotations

from pantel_codec import contours
from pantel_codec.contours import CONTOUR_CONTEXTS
from pantel_export.contour_table import contour_table
from pantel_export.data import PhotoSet


def test_lines_go_on(photos: PhotoSet) -> None:
    table = contour_table(photos, crop_px=96, batches=2)
    assert table == contour_table(photos, crop_px=96, batches=2)
    counts = [int(table[i : i + 3], 16) for i in range(0, len(table), 3)]
    assert len(counts) == CONTOUR_CONTEXTS
    assert all(1 <= count <= 4095 for count in counts)
    assert counts[0b00000000] < 200  # nothing around
    assert counts[0b00000001] > 1000  # a line from the left
    assert counts[0b00000001] > 10 * counts[0b00000000]


def test_the_codec_holds_such_a_table() -> None:
    assert len(contours._SET) == 3 * CONTOUR_CONTEXTS
