"""Symbols of thumbnails: what is written is read, damage is a BitstreamError, and prices are those of the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    THUMBNAIL_QUALITIES,
    THUMBNAIL_SHAPES,
    THUMBNAIL_VERSIONS,
    BitstreamError,
    CodingTable,
    Part,
    SymbolError,
    Thumbnail,
    ThumbnailModel,
    make_decoder,
    make_encoder,
    shape_of,
)
from pantel_codec.range_coder import Backend
from pantel_codec.symbol_coding import InformationBound
from pantel_codec.thumbnail import THUMBNAIL_LIMIT

BACKENDS: tuple[Backend, ...] = ("python", "constriction") if find_spec("constriction") else ("python",)

shapes = st.integers(0, THUMBNAIL_SHAPES - 1)
parts = st.sampled_from(Part)
qualities = st.integers(0, THUMBNAIL_QUALITIES - 1)
symbols = st.integers(-3, 3) | st.sampled_from([-2047, -16, -15, -14, 14, 15, 16, 2047])


@st.composite
def thumbnail_values(draw: st.DrawFn, symbols: st.SearchStrategy[int] = symbols) -> tuple[Part, int, int, list[int]]:
    """Return what makes a thumbnail; there may be more symbols than it has coefficients."""
    return draw(parts), draw(qualities), draw(st.integers(0, 3)), draw(st.lists(symbols, min_size=24, max_size=24))


def thumbnail(model: ThumbnailModel, shape: int, values: tuple[Part, int, int, list[int]]) -> Thumbnail:
    part, quality, version, some = values
    return Thumbnail(part, quality, version, np.array(some[: model.members[shape][part].size], np.int32))


def write(model: ThumbnailModel, shape: int, thumbnail: Thumbnail, backend: Backend = "auto") -> bytes:
    encoder = make_encoder(backend)
    model.write(encoder, shape, thumbnail)
    return encoder.to_bytes()


def read(
    model: ThumbnailModel, data: bytes, shape: int, part: Part, *, slack_bits: float = 64.0, backend: Backend = "auto"
) -> Thumbnail:
    bound = InformationBound(len(data), slack_bits)
    return model.read(make_decoder(data, backend=backend), shape, part, bound)


@pytest.mark.parametrize(
    ("width_code", "height_code", "shape"),
    [(20, 20, 1), (20, 29, 1), (20, 30, 0), (0, 127, 0), (29, 20, 1), (30, 20, 2), (127, 0, 2)],
)
def test_objects_are_tall_square_or_wide(width_code: int, height_code: int, shape: int) -> None:
    """From 10/16 octave on: sides of about 3 to 2."""
    assert shape_of(width_code, height_code) == shape


def test_the_parts_of_a_shape_share_what_is_coded(
    thumbnails: ThumbnailModel, arrays: Mapping[str, NDArray[Any]]
) -> None:
    assert len(thumbnails.members) == THUMBNAIL_SHAPES
    for members, part in zip(thumbnails.members, arrays["thumbnail_part"], strict=True):
        core, detail = (own.tolist() for own in members)
        assert core == np.flatnonzero(part == Part.CORE).tolist() != []
        assert detail == np.flatnonzero(part == Part.DETAIL).tolist() != []
        assert len(core + detail) < part.size  # some are never coded
    assert thumbnails.members[0][Part.CORE].tolist() != thumbnails.members[1][Part.CORE].tolist()


def test_shapes_may_differ_in_how_many_coefficients_they_have(arrays: dict[str, NDArray[np.int32]]) -> None:
    arrays["thumbnail_part"][2, arrays["thumbnail_part"][2] == Part.DETAIL] = Part.CORE
    model = ThumbnailModel(arrays)
    square, wide = (thumbnail(model, shape, (Part.CORE, 4, 1, [*range(-14, 14)])) for shape in (1, 2))
    assert (square.symbols.size, wide.symbols.size) == (16, 24)
    assert read(model, write(model, 2, wide), 2, Part.CORE).symbols.tolist() == wide.symbols.tolist()
    nothing = thumbnail(model, 2, (Part.DETAIL, 4, 1, []))
    assert read(model, write(model, 2, nothing), 2, Part.DETAIL).symbols.size == 0
    with pytest.raises(SymbolError, match="not the 24 symbols"):
        write(model, 2, square)


@given(shapes, thumbnail_values())
def test_symbols_come_back(thumbnails: ThumbnailModel, shape: int, values: tuple[Part, int, int, list[int]]) -> None:
    told = thumbnail(thumbnails, shape, values)
    streams = {write(thumbnails, shape, told, backend) for backend in BACKENDS}
    assert len(streams) == 1
    data = streams.pop()
    for backend in BACKENDS:
        got = read(thumbnails, data.ljust(200, b"\0"), shape, told.part, backend=backend)
        assert (got.part, got.quality, got.version) == (told.part, told.quality, told.version)
        assert got.symbols.dtype == np.int32
        assert got.symbols.tolist() == told.symbols.tolist()


@given(shapes, thumbnail_values(st.integers(-14, 14)))
def test_symbols_cost_what_their_price_says(
    thumbnails: ThumbnailModel, shape: int, values: tuple[Part, int, int, list[int]]
) -> None:
    told = thumbnail(thumbnails, shape, values)
    encoder = make_encoder()
    thumbnails.write(encoder, shape, told)
    price = thumbnails.bits(shape, told.part, told.quality, told.symbols).sum()
    assert price + 5 == pytest.approx(encoder.information_bits, rel=1e-3)  # 5 bits of quality and version


def test_prices_are_given_for_many_thumbnails_at_once(thumbnails: ThumbnailModel) -> None:
    count = thumbnails.members[1][Part.DETAIL].size
    symbols = np.linspace(-24, 24, 3 * count).round().astype(np.int64).reshape(3, count)
    bits = thumbnails.bits(1, Part.DETAIL, 3, symbols)
    assert bits.shape == symbols.shape
    np.testing.assert_array_equal(bits[2], thumbnails.bits(1, Part.DETAIL, 3, symbols[2]))


def test_a_larger_escape_costs_more(thumbnails: ThumbnailModel) -> None:
    symbols = np.array([14, 15, 16, 18, 40, 2047])[:, None] * np.ones(thumbnails.members[0][Part.CORE].size, np.int64)
    bits = thumbnails.bits(0, Part.CORE, 7, symbols)
    assert np.all(np.diff(bits[1:], axis=0) > 0)


def test_a_finer_quality_expects_larger_symbols(thumbnails: ThumbnailModel) -> None:
    for part in Part:
        for shape in range(THUMBNAIL_SHAPES):
            nothing, much = (np.full(thumbnails.members[shape][part].size, symbol) for symbol in (0, 9))
            zeros = [thumbnails.bits(shape, part, quality, nothing).sum() for quality in range(THUMBNAIL_QUALITIES)]
            nines = [thumbnails.bits(shape, part, quality, much).sum() for quality in range(THUMBNAIL_QUALITIES)]
            assert zeros == sorted(zeros)
            assert nines == sorted(nines, reverse=True)


@given(st.binary(max_size=60), shapes, parts)
def test_noise_is_a_thumbnail_or_a_bitstream_error(
    thumbnails: ThumbnailModel, noise: bytes, shape: int, part: Part
) -> None:
    try:
        got = read(thumbnails, noise, shape, part)
    except BitstreamError:
        return
    assert got.symbols.shape == (thumbnails.members[shape][part].size,)
    assert np.abs(got.symbols).max() <= 2047


def test_a_thumbnail_cut_short_is_refused(thumbnails: ThumbnailModel) -> None:
    """Zeros behind the bytes stand for symbols, but for more than so few bytes can hold."""
    data = write(thumbnails, 0, thumbnail(thumbnails, 0, (Part.CORE, 3, 0, [-9] * 24)))
    with pytest.raises(BitstreamError, match="more symbols than the bytes can hold"):
        read(thumbnails, data[:2], 0, Part.CORE, slack_bits=0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("excess", [2033, 8190, 1 << 40])
def test_symbols_beyond_the_limit_are_damage(thumbnails: ThumbnailModel, excess: int, backend: Backend) -> None:
    encoder = make_encoder(backend)
    encoder.encode([3], CodingTable.uniform(THUMBNAIL_QUALITIES))
    encoder.encode([0], CodingTable.uniform(THUMBNAIL_VERSIONS))
    for table, run in thumbnails._runs(0, Part.CORE, 3):
        symbols = np.where(run == 5, THUMBNAIL_LIMIT, 0)
        encoder.encode((symbols + THUMBNAIL_LIMIT).astype(np.int32), thumbnails._tables[table])
    zeros = (excess + 1).bit_length() - 1
    for _ in range(zeros):
        encoder.encode_bits(0, 1)
    encoder.encode_bits(1, 1)
    encoder.encode_bits(excess + 1 - (1 << zeros), zeros)
    with pytest.raises(BitstreamError, match="out of range"):
        read(thumbnails, encoder.to_bytes(), 0, Part.CORE, backend=backend)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": np.zeros(0, np.int32)}, "not the .* symbols of a thumbnail's core"),
        ({"symbols": np.zeros(25, np.int32)}, "not the .* symbols of a thumbnail's core"),
        ({"symbols": "too large"}, "not the .* symbols of a thumbnail's core"),
        ({"quality": 8}, None),
        ({"quality": -1}, None),
        ({"version": 4}, None),
    ],
)
def test_what_is_no_thumbnail_is_refused(
    thumbnails: ThumbnailModel, change: dict[str, Any], message: str | None
) -> None:
    good = thumbnail(thumbnails, 0, (Part.CORE, 0, 0, [0] * 24))
    if isinstance(change.get("symbols"), str):
        change = {"symbols": good.symbols - 2048}
    with pytest.raises(SymbolError, match=message):
        write(thumbnails, 0, replace(good, **change))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("thumbnail_level", lambda level: level[:2]),
        ("thumbnail_level", lambda level: level[0]),
        ("thumbnail_level", lambda level: level[:, 1:]),
        ("thumbnail_slope", lambda slope: slope[1:]),
        ("thumbnail_slope", lambda slope: slope[:, None]),
        ("thumbnail_part", lambda part: part[1:]),
        ("thumbnail_part", lambda part: part[0]),
        ("thumbnail_part", lambda part: part[:, 1:]),
        ("thumbnail_counts", lambda counts: counts[0]),
        ("thumbnail_counts", lambda counts: counts[:, 1:]),
        ("thumbnail_counts", lambda counts: -counts),
        ("thumbnail_counts", lambda counts: counts / 2),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, NDArray[Any]], name: str, change: Any) -> None:
    with pytest.raises(SymbolError):
        ThumbnailModel(arrays | {name: change(arrays[name])})


@pytest.mark.parametrize("name", ["counts", "level", "slope", "part"])
def test_a_missing_array_is_named(arrays: Mapping[str, NDArray[Any]], name: str) -> None:
    with pytest.raises(KeyError, match=f"thumbnail_{name}"):
        ThumbnailModel({key: array for key, array in arrays.items() if key != f"thumbnail_{name}"})
