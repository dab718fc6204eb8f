"""Golden bytes of a `.ptl` file and of what is certain of its first half."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import EntropyModel, StillHeader, StillValues, read_still, write_still

FILE = (
    "231895c303dd5bd04cd13e77193adcfe389e1ab82b704004bcb3fbaade7f5181caea34c3613a432e4cdf958ef72e1fb1f75a"
    "9d194a409cb903ee377c977e1fc9d9cb14d0a137231cca46dc076726177a8671150767f576941f6486177018122617c5531c"
    "1ef3d05e"
)
VALUES_SHA256 = "a6f9459b535b21677df2cd71be5e0ef2ab70658490d99f71926e29f6185213ad"
HALF_VALUES_SHA256 = "5eab9b1da2c63347127cb8e5f4e6f4c671fc34f8595d2769427bd2de2329bbda"


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
