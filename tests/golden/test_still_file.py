"""Golden bytes of a `.ptl` file and of what is certain of its first half."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import EntropyModel, StillHeader, StillSymbols, read_still, write_still

FILE = (
    "231895c30b9189da42246a9a95f13d6e674c2df5a2e04fce9f79455bb17bbe179fb50638eb831e18e59c14f8dd0099541e57"
    "d5b148da8d4764d457929e8e35e9d47ed2476d65c2a14e22dd1d6a9284a5a50a3917f594bc6e986ca30a2817d9af0f261826"
    "b4d10805"
)
SYMBOLS_SHA256 = "e79fad1db59e0242038b07599a80b74a25771741b9b04209d373e81ffb6bec5d"
HALF_SYMBOLS_SHA256 = "f31205f26861d89a488fffc487a6740400b9a837b1163cd14dedccfcfd6f8cb8"


@pytest.fixture
def still(golden_symbols: Callable[[int, int, range], NDArray[np.int64]]) -> StillSymbols:
    header = StillHeader(100, 75, grey=True, model_tag=0xC3)
    return StillSymbols(header, quality=1, levels=2, symbols=golden_symbols(5, 7, range(2)))


def sha256(symbols: NDArray[np.int64]) -> str:
    return hashlib.sha256(symbols.astype("<i2").tobytes()).hexdigest()


def test_golden_file_is_written(model: EntropyModel, still: StillSymbols) -> None:
    assert write_still(still, model).hex() == FILE


def test_golden_file_is_read(model: EntropyModel, still: StillSymbols) -> None:
    read = read_still(bytes.fromhex(FILE), model)
    assert (read.header, read.quality, read.levels, read.complete) == (still.header, 1, 2, True)
    np.testing.assert_array_equal(read.symbols, still.symbols)
    assert sha256(read.symbols) == SYMBOLS_SHA256


def test_golden_half_is_read(model: EntropyModel) -> None:
    data = bytes.fromhex(FILE)
    read = read_still(data[: len(data) // 2], model)
    assert (read.quality, read.levels, read.complete) == (1, 2, False)
    assert sha256(read.symbols) == HALF_SYMBOLS_SHA256
