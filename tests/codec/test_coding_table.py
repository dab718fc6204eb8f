from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec.coding_table import MAX_SYMBOLS, PRECISION_BITS, CodingTable, check_cdf
from pantel_codec.errors import SymbolError

TOTAL = 1 << PRECISION_BITS


def test_golden_tables() -> None:
    assert CodingTable.from_counts([0, 1, 2, 5]).cdf.tolist() == [0, 1, 2097153, 6291457, 16777216]
    assert CodingTable.from_counts([1 << 40, 0]).cdf.tolist() == [0, TOTAL - 1, TOTAL]
    assert CodingTable.from_counts([0, 7]).cdf.tolist() == [0, 1, TOTAL]
    assert CodingTable.from_counts([9]).cdf.tolist() == [0, TOTAL]
    assert CodingTable.uniform(3).cdf.tolist() == [0, 5592405, 11184810, TOTAL]
    assert CodingTable.uniform(1).cdf.tolist() == [0, TOTAL]


@given(st.lists(st.integers(0, 1 << 34), min_size=1, max_size=60).filter(any))
def test_counts_become_a_table_that_follows_them(counts: list[int]) -> None:
    table = CodingTable.from_counts(counts)
    assert table.cdf.dtype == np.uint32
    assert table.size == len(counts)
    probabilities = np.diff(table.cdf)
    expected = np.array(counts) / sum(counts) * TOTAL
    assert np.all(np.abs(probabilities - expected) <= len(counts) + 1)
    for dtype in (np.int64, np.uint64, np.dtype(">i8")):
        assert np.array_equal(CodingTable.from_counts(np.array(counts, dtype)).cdf, table.cdf)


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros(4, np.int64),
        np.array([3, -1]),
        np.array([1 << 40, 1]),
        np.array([1 << 63, 1 << 63], np.uint64),
        np.array([1.0, 2.0]),
        np.ones((2, 2), np.int64),
        np.array([], np.int64),
        np.ones(MAX_SYMBOLS + 1, np.int64),
    ],
)
def test_impossible_counts(counts: NDArray[Any]) -> None:
    with pytest.raises(SymbolError):
        CodingTable.from_counts(counts)


@pytest.mark.parametrize(
    "cdf",
    [
        np.array([0, TOTAL], np.int64),
        np.array([[0, TOTAL]], np.uint32),
        np.array([0], np.uint32),
        np.array([1, TOTAL], np.uint32),
        np.array([0, TOTAL - 1], np.uint32),
        np.array([0, 5, 5, TOTAL], np.uint32),
        np.array([0, 6, 5, TOTAL], np.uint32),
        np.arange(TOTAL - MAX_SYMBOLS - 1, TOTAL + 1, dtype=np.uint32),
    ],
)
def test_impossible_cdf(cdf: NDArray[Any]) -> None:
    with pytest.raises(SymbolError):
        check_cdf(cdf)
    with pytest.raises(SymbolError):
        CodingTable(cdf)


@pytest.mark.parametrize("size", [0, -1, MAX_SYMBOLS + 1])
def test_impossible_alphabet(size: int) -> None:
    with pytest.raises(SymbolError):
        CodingTable.uniform(size)


def test_uniform_tables_are_shared() -> None:
    assert CodingTable.uniform(256) is CodingTable.uniform(256)


def test_cost_is_minus_log2_of_the_probability() -> None:
    table = CodingTable(np.array([0, TOTAL // 2, TOTAL - 1, TOTAL], np.uint32))
    assert table.cost_bits.dtype == np.float64
    assert table.cost_bits[0] == 1
    assert table.cost_bits[2] == PRECISION_BITS
    assert np.exp2(-table.cost_bits).sum() == pytest.approx(1)


def test_tables_cannot_be_changed() -> None:
    table = CodingTable.from_counts([1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        table.cdf[1] = 5
    with pytest.raises(ValueError, match="read-only"):
        table.cost_bits[1] = 5
