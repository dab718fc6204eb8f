"""Golden bytes of a `.ptl` file and of what is certain of its first half."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import EntropyModel, StillHeader, StillSymbols, read_still, write_still

FILE = (
    "231895c30ba553559f94f7ef9768be57f66e502935245c89312e033f3930d8d0cacf152fc593bd765cc4b1b8e65733743fc6"
    "e396ef8d425cb2b31d975987482dadc14312ed39146a46fb2ba3dc226eafd305cbe0a428d13894343a5613c5c95ac3941a6e"
    "078a"
)
SYMBOLS_SHA256 = "e79fad1db59e0242038b07599a80b74a25771741b9b04209d373e81ffb6bec5d"
HALF_SYMBOLS_SHA256 = "2a9a6a8157b4674b5ca0304f4c8c3d8bebe3d31202cdf5a5695ddd6beaa4c802"


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
