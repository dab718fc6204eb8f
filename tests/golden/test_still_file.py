"""Golden bytes of a `.ptl` file and of what is certain of its first half."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import EntropyModel, StillHeader, StillValues, read_still, write_still

FILE = (
    "231895c303df20e8c02d4283a3b9e6766239c695d3b603ad2d05bd0b8942a194050070b8b9c89861251c4596f74b59bcb25d"
    "54cdeeec170821d07a2cfd9fa6317af238e21eff21df82e55a2c3bbfa1bb18d1700bf4a70cf2af19e8597d304aca373a437a"
    "5efcbeba5a90dc"
)
VALUES_SHA256 = "8fda3b3baabc5a1a75dd2b74957ba25518ef5713b52eb92f5e22e132bdb99bae"
HALF_VALUES_SHA256 = "fd74ed9e4c8da3a806cb3a3181bd9197c3a18c3758996d4b7ae110fbdb2c1dc4"


@pytest.fixture
def still(golden_values: Callable[..., NDArray[np.int64]]) -> StillValues:
    header = StillHeader(100, 75, grey=True, model_tag=0xC3)
    return StillValues(header, scale=0, quality=1, levels=2, values=golden_values(5, 7, 1, 2))


def sha256(values: NDArray[np.int64]) -> str:
    return hashlib.sha256(values.astype("<i4").tobytes()).hexdigest()


def test_golden_file_is_written(model: EntropyModel, still: StillValues) -> None:
    assert write_still(still, model).hex() == FILE


def test_golden_file_is_read(model: EntropyModel, still: StillValues) -> None:
    read = read_still(bytes.fromhex(FILE), model)
    assert (read.header, read.scale, read.quality, read.levels, read.complete) == (still.header, 0, 1, 2, True)
    np.testing.assert_array_equal(read.values, still.values)
    assert sha256(read.values) == VALUES_SHA256


def test_golden_half_is_read(model: EntropyModel) -> None:
    data = bytes.fromhex(FILE)
    read = read_still(data[: len(data) // 2], model)
    assert (read.scale, read.quality, read.levels, read.complete) == (0, 1, 2, False)
    assert sha256(read.values) == HALF_VALUES_SHA256
