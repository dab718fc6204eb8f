"""The `.ptl` container: whole files, every prefix of one, and damaged ones."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    HEADER_BYTES,
    VALUE_LIMIT,
    CodecError,
    ContainerError,
    EntropyModel,
    Step,
    StillHeader,
    StillValues,
    SymbolError,
    read_still,
    still_overhead_bits,
    write_still,
)

LEVELS, QUALITIES, CHANNELS = 3, 5, 9


MakeStill = Callable[..., StillValues]


@pytest.fixture(scope="session")
def still_of(values_of: Callable[..., NDArray[np.int64]]) -> MakeStill:
    """Return a function that makes a picture of random residuals."""

    def make(
        seed: int,
        *,
        size_px: tuple[int, int] = (90, 70),
        quality: int = 2,
        levels: int = LEVELS,
        spread: float = 1.0,
    ) -> StillValues:
        header = StillHeader(*size_px, grey=False, model_tag=0xA5)
        rng = np.random.default_rng(seed)
        residuals = np.rint(rng.laplace(0, spread, (CHANNELS, *header.cells(0)))).astype(np.int64)
        return StillValues(header, 0, quality, levels, values_of(residuals, quality, levels))

    return make


def assert_same(read: StillValues, written: StillValues) -> None:
    assert (read.header, read.quality, read.levels) == (written.header, written.quality, written.levels)
    np.testing.assert_array_equal(read.values, written.values)


sides = st.integers(1, 120)


@given(
    st.builds(
        StillHeader, st.integers(1, 1024), st.integers(1, 1024), grey=st.booleans(), model_tag=st.integers(0, 255)
    )
)
def test_headers_come_back(header: StillHeader) -> None:
    data = header.to_bytes()
    assert len(data) == HEADER_BYTES
    assert StillHeader.from_bytes(data) == header


@given(st.binary(max_size=8))
def test_any_bytes_are_a_header_or_a_container_error(data: bytes) -> None:
    try:
        header = StillHeader.from_bytes(data)
    except ContainerError:
        return
    assert header.to_bytes() == data[:HEADER_BYTES]


@pytest.mark.parametrize(("width_px", "height_px", "tag"), [(0, 5, 0), (5, 1025, 0), (5, 5, 256), (5, 5, -1)])
def test_headers_that_do_not_fit_are_refused(width_px: int, height_px: int, tag: int) -> None:
    with pytest.raises(ContainerError):
        StillHeader(width_px, height_px, grey=False, model_tag=tag).to_bytes()


@given(
    st.fixed_dictionaries(
        {
            "seed": st.integers(0, 2**32 - 1),
            "size_px": st.tuples(sides, sides),
            "quality": st.integers(0, QUALITIES - 1),
            "levels": st.integers(1, LEVELS),
            "spread": st.sampled_from([0.01, 1.0, 30.0]),
        }
    )
)
def test_files_come_back(model: EntropyModel, still_of: MakeStill, properties: dict[str, Any]) -> None:
    still = still_of(**properties)
    read = read_still(write_still(still, model), model)
    assert read.complete
    assert_same(read, still)


def residual_bits(model: EntropyModel, still: StillValues) -> float:
    bits = 0.0
    flat = still.values.reshape(CHANNELS, -1)

    def visit(step: Step) -> NDArray[np.int64]:
        nonlocal bits
        residual = step.residual(flat)
        bits += float(model.bits(step.table, residual).sum())
        return residual

    model.walk(*still.header.cells(0), still.quality, still.levels, visit)
    return bits


def test_a_file_is_as_large_as_its_information(model: EntropyModel, still_of: MakeStill) -> None:
    sizes, bits = [], []
    for seed in range(20):
        still = still_of(seed)
        data = write_still(still, model)
        sizes.append(len(data) - HEADER_BYTES)
        bits.append(still_overhead_bits(model) + residual_bits(model, still))
    excess = np.array(sizes) - np.array(bits) / 8
    assert excess.max() <= 1.01
    assert excess.min() >= -1.01
    assert 0 < excess.mean() < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_every_prefix_is_an_incomplete_picture_or_too_short(
    model: EntropyModel, still_of: MakeStill, seed: int
) -> None:
    still = still_of(seed, size_px=(70, 40))
    data = write_still(still, model)
    levels, right, too_short = 0, [], 0
    for size in range(len(data)):
        try:
            prefix = read_still(data[:size], model)
        except CodecError:
            too_short += 1
            continue
        assert not prefix.complete
        assert (prefix.header, prefix.quality) == (still.header, still.quality)
        assert prefix.levels >= levels
        levels = prefix.levels
        assert not prefix.values[sum(model.groups[:levels]) :].any()
        right.append(int((prefix.values == still.values).sum()))
    assert too_short <= HEADER_BYTES + 2
    assert levels == still.levels
    assert right[-1] >= still.values.size - 2
    thirds = np.array_split(np.array(right), 3)
    assert thirds[0].mean() < thirds[1].mean() < thirds[2].mean()


def test_a_file_without_a_payload_is_too_short(model: EntropyModel, still_of: MakeStill) -> None:
    data = write_still(still_of(1), model)
    for size in range(HEADER_BYTES):
        with pytest.raises(ContainerError, match=f"{size} bytes are too few"):
            read_still(data[:size], model)
    with pytest.raises(CodecError, match="too little"):
        read_still(data[:HEADER_BYTES], model)


def test_bytes_behind_a_file_do_no_harm(model: EntropyModel, still_of: MakeStill) -> None:
    still = still_of(1)
    read = read_still(write_still(still, model) + bytes(9), model)
    assert read.complete
    assert_same(read, still)


def test_damage_is_noticed_or_shows_in_the_picture(model: EntropyModel, still_of: MakeStill) -> None:
    """Any flipped bit gives a CodecError or values; the check notices nearly all."""
    data = write_still(still_of(3, size_px=(48, 40)), model)
    unnoticed = 0
    for bit in range(8 * HEADER_BYTES, 8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        with suppress(CodecError):
            unnoticed += read_still(bytes(flipped), model).complete
    assert unnoticed <= 0.03 * 8 * len(data)


@given(st.binary(max_size=80))
def test_noise_is_values_or_a_codec_error(model: EntropyModel, noise: bytes) -> None:
    header = StillHeader(50, 33, grey=True, model_tag=1).to_bytes()
    try:
        still = read_still(header + noise, model)
    except CodecError:
        return
    assert still.values.shape == (CHANNELS, *still.header.cells(still.scale))
    assert np.abs(still.values).max() <= VALUE_LIMIT


def test_pictures_that_do_not_fit_the_model_are_refused(model: EntropyModel) -> None:
    header = StillHeader(40, 40, grey=False, model_tag=0)
    values: NDArray[np.int64] = np.ones((CHANNELS, 3, 3), np.int64)
    for spoilt in (
        StillValues(header, 0, QUALITIES, LEVELS, values),
        StillValues(header, 0, 32, LEVELS, values),
        StillValues(header, 0, 0, 0, values * 0),
        StillValues(header, 0, 0, LEVELS + 1, values),
        StillValues(header, 0, 0, LEVELS - 1, values),
        StillValues(header, 0, 0, LEVELS, values[:, :2]),
        StillValues(header, 0, 0, LEVELS, values * 5_000_000),
    ):
        with pytest.raises(SymbolError):
            write_still(spoilt, model)
