"""Writing and reading the symbols of blocks: round trips, damaged bytes, and what is certain of a prefix."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    SYMBOL_LIMIT,
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

group_ranges = st.tuples(st.integers(0, 2), st.integers(1, 3)).map(lambda t: range(t[0], min(3, t[0] + t[1])))


def random_symbols(seed: int, rows: int, columns: int) -> NDArray[np.int64]:
    """Return symbols of a random spread, a few of them as large as symbols can be."""
    rng = np.random.default_rng(seed)
    symbols = np.rint(rng.laplace(0, rng.choice([0.1, 1.0, 8.0]), (CHANNELS, rows, columns))).astype(np.int64)
    extreme = rng.random(symbols.shape) < rng.choice([0, 0.05])
    largest = rng.choice([-SYMBOL_LIMIT, -17, -16, -15, 15, 16, 17, SYMBOL_LIMIT], symbols.shape)
    return np.where(extreme, largest, symbols)


def write(model: EntropyModel, symbols: NDArray[np.int64], quality: int, groups: range, backend: Backend) -> bytes:
    encoder = make_encoder(backend)
    _, rows, columns = symbols.shape
    model.walk(rows, columns, quality, groups, Writer(model, symbols, encoder))
    return encoder.to_bytes()


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 7), st.integers(1, 7)), st.integers(0, 4), group_ranges)
def test_symbols_come_back(model: EntropyModel, seed: int, size: tuple[int, int], quality: int, groups: range) -> None:
    rows, columns = size
    symbols = random_symbols(seed, rows, columns)
    symbols[: sum(model.groups[: groups.start])] = 0
    symbols[sum(model.groups[: groups.stop]) :] = 0
    streams = {write(model, symbols, quality, groups, backend) for backend in BACKENDS}
    assert len(streams) == 1
    data = streams.pop()
    for backend in BACKENDS:
        # A lucky stream is shorter than its information by any number of bits; 64 is what a payload promises.
        reader = Reader(model, make_decoder(data, backend=backend), InformationBound(len(data), slack_bits=64))
        np.testing.assert_array_equal(model.walk(rows, columns, quality, groups, reader), symbols)


def test_symbols_that_are_too_large_are_refused(model: EntropyModel) -> None:
    symbols = np.zeros((CHANNELS, 2, 2), np.int64)
    symbols[4, 1, 1] = -SYMBOL_LIMIT - 1
    with pytest.raises(SymbolError, match="larger than 2047"):
        Writer(model, symbols, make_encoder())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("noise", [b"", bytes(40), b"\xff" * 40, bytes(range(7, 250, 6))])
def test_noise_ends_as_a_bitstream_error(model: EntropyModel, noise: bytes, backend: Backend) -> None:
    bound = InformationBound(len(noise), slack_bits=8)
    with pytest.raises(BitstreamError, match="damaged"):
        model.walk(64, 64, 0, range(LEVELS), Reader(model, make_decoder(noise, backend=backend), bound))


def test_a_bound_is_spent_when_there_is_more_information_than_bytes_and_slack() -> None:
    bound = InformationBound(2, slack_bits=1)
    bound.spend(10)
    bound.spend(7)
    with pytest.raises(BitstreamError):
        bound.spend(0.1)


@given(st.binary(max_size=60), st.integers(0, 4))
def test_without_a_bound_noise_gives_symbols_within_limits_or_a_bitstream_error(
    model: EntropyModel, noise: bytes, quality: int
) -> None:
    try:
        symbols = model.walk(3, 4, quality, range(LEVELS), Reader(model, make_decoder(noise)))
    except BitstreamError:
        return
    assert np.abs(symbols).max() <= SYMBOL_LIMIT


def read_prefix(
    model: EntropyModel, data: bytes, shape: tuple[int, int], backend: Backend = "auto"
) -> tuple[NDArray[np.int64], PrefixReader]:
    zeros, ones = (make_decoder(data, padding=padding, backend=backend) for padding in (0, 1))
    reader = PrefixReader(model, zeros, ones)
    return model.walk(*shape, 1, range(LEVELS), reader), reader


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_what_a_prefix_calls_certain_is_true(model: EntropyModel, seed: int, rows: int, columns: int) -> None:
    symbols = random_symbols(seed, rows, columns)
    data = write(model, symbols, 1, range(LEVELS), "auto")
    groups = 0
    for size in [*range(0, len(data), 1 + len(data) // 20), len(data)]:
        got, reader = read_prefix(model, data[:size], (rows, columns))
        assert reader.groups >= groups
        groups = reader.groups
        certain = model.group_slice(groups - 2).stop if groups > 1 else 0  # all groups before the last begun one
        np.testing.assert_array_equal(got[:certain], symbols[:certain])
        if not reader.exhausted:
            np.testing.assert_array_equal(got, symbols)
        for backend in BACKENDS:
            np.testing.assert_array_equal(read_prefix(model, data[:size], (rows, columns), backend)[0], got)


def test_more_of_a_file_makes_more_symbols_right(model: EntropyModel) -> None:
    symbols = random_symbols(9, 8, 8)
    data = write(model, symbols, 1, range(LEVELS), "auto")
    quarters = [data[: len(data) * quarter // 4] for quarter in range(5)]
    right = [int((read_prefix(model, prefix, (8, 8))[0] == symbols).sum()) for prefix in quarters]
    assert right == sorted(set(right))
    assert right[-1] >= symbols.size - 2  # the last ones could still go on in another way
