"""Writing and reading the residuals of blocks: round trips, damaged bytes, and what is certain of a prefix."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    VALUE_LIMIT,
    VALUE_ONE,
    BitstreamError,
    EntropyModel,
    PrefixReader,
    Reader,
    SymbolError,
    Writer,
    make_decoder,
    make_encoder,
)
from pantel_codec.range_coder import Backend
from pantel_codec.symbol_coding import InformationBound

BACKENDS: tuple[Backend, ...] = ("python", "constriction") if find_spec("constriction") else ("python",)
LEVELS = 3
CHANNELS = 9

MakeValues = Callable[..., NDArray[np.int64]]

level_counts = st.integers(1, LEVELS)


def random_residuals(seed: int, rows: int, columns: int) -> NDArray[np.int64]:
    """Return residuals of a random spread, a few of them nearly as large as they can be."""
    rng = np.random.default_rng(seed)
    residuals = np.rint(rng.laplace(0, rng.choice([0.1, 1.0, 8.0]), (CHANNELS, rows, columns))).astype(np.int64)
    extreme = rng.random(residuals.shape) < rng.choice([0, 0.05])
    largest = rng.choice([-1900, -17, -16, -15, 15, 16, 17, 1900], residuals.shape)
    return np.where(extreme, largest, residuals)


blocks = st.builds(random_residuals, st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7))


def write(model: EntropyModel, values: NDArray[np.int64], quality: int, levels: int, backend: Backend) -> bytes:
    encoder = make_encoder(backend)
    _, rows, columns = values.shape
    model.walk(rows, columns, quality, levels, Writer(model, values, encoder))
    return encoder.to_bytes()


@settings(max_examples=150)
@given(blocks, st.integers(0, 4), level_counts)
def test_values_come_back(
    model: EntropyModel, values_of: MakeValues, residuals: NDArray[np.int64], quality: int, levels: int
) -> None:
    rows, columns = residuals.shape[1:]
    values = values_of(residuals, quality, levels)
    streams = {write(model, values, quality, levels, backend) for backend in BACKENDS}
    assert len(streams) == 1
    data = streams.pop()
    for backend in BACKENDS:
        # A lucky stream is shorter than its information by any number of bits; 64 is what a payload promises.
        reader = Reader(model, make_decoder(data, backend=backend), InformationBound(len(data), slack_bits=64))
        np.testing.assert_array_equal(model.walk(rows, columns, quality, levels, reader), values)


def test_values_that_are_too_large_are_refused(model: EntropyModel) -> None:
    values = np.zeros((CHANNELS, 2, 2), np.int64)
    values[4, 1, 1] = -VALUE_LIMIT - 1
    with pytest.raises(SymbolError, match=f"larger than {VALUE_LIMIT}"):
        Writer(model, values, make_encoder())


def test_values_of_another_quality_are_refused(model: EntropyModel, values_of: MakeValues) -> None:
    values = values_of(random_residuals(3, 2, 2), 1, LEVELS)
    assert np.any(values % VALUE_ONE)
    with pytest.raises(SymbolError, match="whole steps"):
        write(model, values, 2, LEVELS, "auto")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("noise", [b"", bytes(40), b"\xff" * 40, bytes(range(7, 250, 6))])
def test_noise_ends_as_a_bitstream_error(model: EntropyModel, noise: bytes, backend: Backend) -> None:
    bound = InformationBound(len(noise), slack_bits=8)
    with pytest.raises(BitstreamError, match="damaged"):
        model.walk(64, 64, 0, LEVELS, Reader(model, make_decoder(noise, backend=backend), bound))


def test_a_bound_is_spent_when_there_is_more_information_than_bytes_and_slack() -> None:
    bound = InformationBound(2, slack_bits=1)
    bound.spend(10)
    bound.spend(7)
    with pytest.raises(BitstreamError):
        bound.spend(0.1)


@given(st.binary(max_size=60), st.integers(0, 4))
def test_without_a_bound_noise_gives_values_within_limits_or_a_bitstream_error(
    model: EntropyModel, noise: bytes, quality: int
) -> None:
    try:
        values = model.walk(3, 4, quality, LEVELS, Reader(model, make_decoder(noise)))
    except BitstreamError:
        return
    assert np.abs(values).max() <= VALUE_LIMIT


def read_prefix(
    model: EntropyModel, data: bytes, shape: tuple[int, int], backend: Backend = "auto"
) -> tuple[NDArray[np.int64], PrefixReader]:
    zeros, ones = (make_decoder(data, padding=padding, backend=backend) for padding in (0, 1))
    reader = PrefixReader(model, zeros, ones)
    return model.walk(*shape, 1, LEVELS, reader), reader


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_what_a_prefix_calls_certain_is_true(
    model: EntropyModel, values_of: MakeValues, seed: int, rows: int, columns: int
) -> None:
    values = values_of(random_residuals(seed, rows, columns), 1, LEVELS)
    data = write(model, values, 1, LEVELS, "auto")
    groups = 0
    for size in [*range(0, len(data), 1 + len(data) // 20), len(data)]:
        got, reader = read_prefix(model, data[:size], (rows, columns))
        assert reader.groups >= groups
        groups = reader.groups
        certain = sum(model.groups[: max(groups - 1, 0)])  # all groups before the last begun one
        np.testing.assert_array_equal(got[:certain], values[:certain])
        if not reader.exhausted:
            np.testing.assert_array_equal(got, values)
        for backend in BACKENDS:
            np.testing.assert_array_equal(read_prefix(model, data[:size], (rows, columns), backend)[0], got)


def test_more_of_a_file_makes_more_values_right(model: EntropyModel, values_of: MakeValues) -> None:
    values = values_of(random_residuals(9, 8, 8), 1, LEVELS)
    data = write(model, values, 1, LEVELS, "auto")
    quarters = [data[: len(data) * quarter // 4] for quarter in range(5)]
    right = [int((read_prefix(model, prefix, (8, 8))[0] == values).sum()) for prefix in quarters]
    assert right == sorted(set(right))
    assert right[-1] >= values.size - 2  # the last ones could still go on in another way
