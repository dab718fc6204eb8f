"""Patches of contours: their samples come back, and a drawing does not depend on the order in which they arrive."""

from __future__ import annotations

import random
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as array_of
from numpy.typing import NDArray

from pantel_codec import (
    CONTOUR_STEPS_PX,
    MAX_CONTOUR_BITS,
    BitstreamError,
    Block,
    ContourPatch,
    Drawing,
    SymbolError,
    contour_bits,
    make_decoder,
    make_encoder,
    raster_shape,
)
from pantel_codec.contours import _MAX_PATCHES, CONTOUR_CONTEXTS, contour_contexts, read_samples, write_samples

WIDTH_PX, HEIGHT_PX = 45.0, 30.0

samples = array_of(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(samples)
def test_samples_come_back_as_far_as_they_may_have_so_many_bits(drawn: NDArray[np.bool_]) -> None:
    encoder = make_encoder()
    write_samples(encoder, drawn)
    assert encoder.information_bits == pytest.approx(contour_bits(drawn).sum(), abs=0.1)
    decoder = make_decoder(encoder.to_bytes())
    if contour_bits(drawn).sum() > MAX_CONTOUR_BITS:
        with pytest.raises(BitstreamError, match="more bits"):
            read_samples(decoder, *drawn.shape)
    else:
        np.testing.assert_array_equal(read_samples(decoder, *drawn.shape), drawn)


@given(st.binary(max_size=60), st.integers(1, 40), st.integers(1, 40))
def test_noise_is_samples_or_a_bitstream_error(noise: bytes, rows: int, columns: int) -> None:
    with suppress(BitstreamError):
        read = read_samples(make_decoder(noise), rows, columns)
        assert read.shape == (rows, columns)
        assert read.dtype == np.bool_


def test_contexts_are_what_is_above_and_on_the_left() -> None:
    drawn = np.zeros((3, 5), np.bool_)
    for bit, (row, column) in enumerate(((2, 1), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0), (0, 3), (0, 1))):
        drawn[:] = False
        drawn[row, column] = True
        assert contour_contexts(drawn)[2, 2] == 1 << bit
    drawn[:] = True
    assert contour_contexts(drawn)[2, 2] == CONTOUR_CONTEXTS - 1


def test_lines_are_cheaper_than_noise() -> None:
    line = np.eye(16, dtype=np.bool_)
    noise = np.random.default_rng(1).random((16, 16)) < 1 / 16
    assert contour_bits(line).sum() < 0.6 * contour_bits(noise).sum()
    assert contour_bits(np.zeros((16, 16), np.bool_)).sum() < 4


def test_rasters_cover_an_area() -> None:
    for step, side in enumerate(CONTOUR_STEPS_PX):
        rows, columns = raster_shape(WIDTH_PX, HEIGHT_PX, step)
        assert (rows - 1) * side < HEIGHT_PX <= rows * side
        assert (columns - 1) * side < WIDTH_PX <= columns * side
    for step in (-1, len(CONTOUR_STEPS_PX)):
        with pytest.raises(SymbolError, match="steps"):
            raster_shape(WIDTH_PX, HEIGHT_PX, step)


def patch(step: int, block: Block) -> ContourPatch:
    return ContourPatch(step, block, np.ones((block.rows, block.columns), np.bool_))


def whole(step: int) -> ContourPatch:
    rows, columns = raster_shape(WIDTH_PX, HEIGHT_PX, step)
    return patch(step, Block(0, 0, columns, rows))


@st.composite
def patches(draw: st.DrawFn) -> ContourPatch:
    step = draw(st.integers(0, 7))
    rows, columns = raster_shape(WIDTH_PX, HEIGHT_PX, step)
    column, row = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
    width, height = (draw(st.sampled_from([1, 3, left])) for left in (columns - column, rows - row))
    return patch(step, Block(column, row, min(width, columns - column), min(height, rows - row)))


@given(st.lists(patches(), max_size=8), st.randoms())
def test_a_drawing_does_not_depend_on_the_order_of_arrival(told: list[ContourPatch], order: random.Random) -> None:
    drawings = Drawing(WIDTH_PX, HEIGHT_PX), Drawing(WIDTH_PX, HEIGHT_PX)
    timed = list(enumerate(told))
    shuffled = timed.copy()
    order.shuffle(shuffled)
    for drawing, sequence in zip(drawings, (timed, shuffled), strict=True):
        for time_ns, each in sequence:
            drawing.add(each, time_ns)
    assert drawings[0].patches == drawings[1].patches


def test_what_is_covered_is_dropped() -> None:
    drawing = Drawing(WIDTH_PX, HEIGHT_PX)
    assert drawing.add(patch(1, Block(2, 2, 4, 4)), 1)
    assert drawing.add(patch(1, Block(10, 2, 4, 4)), 2)
    assert drawing.add(patch(3, Block(1, 1, 2, 2)), 3)  # the same place as the first, on a coarser raster
    assert [time_ns for time_ns, _ in drawing.patches] == [2, 3]
    assert drawing.add(whole(7), 4)
    assert [time_ns for time_ns, _ in drawing.patches] == [4]
    assert drawing.revision == 4


def test_what_comes_late_and_is_covered_does_not_count() -> None:
    drawing = Drawing(WIDTH_PX, HEIGHT_PX)
    drawing.add(whole(3), 5)
    assert not drawing.add(patch(0, Block(0, 0, 3, 3)), 4)
    assert drawing.revision == 1
    assert drawing.add(patch(0, Block(0, 0, 3, 3)), 5)  # of the same time: it comes after


def test_rasters_may_reach_beyond_the_area_and_still_cover_each_other() -> None:
    drawing = Drawing(WIDTH_PX, HEIGHT_PX)
    drawing.add(whole(7), 1)  # 48x32 pixels
    drawing.add(whole(0), 2)  # 45x30
    assert [time_ns for time_ns, _ in drawing.patches] == [2]


def test_a_drawing_does_not_grow_for_ever() -> None:
    drawing = Drawing(1000, 1000)
    for k in range(_MAX_PATCHES + 10):
        drawing.add(patch(1, Block(k, k, 2, 2)), k)
    assert [time_ns for time_ns, _ in drawing.patches] == list(range(10, _MAX_PATCHES + 10))


@pytest.mark.parametrize(
    "wrong",
    [
        patch(8, Block(0, 0, 1, 1)),
        patch(3, Block(-1, 0, 2, 2)),
        patch(3, Block(0, -1, 2, 2)),
        patch(3, Block(11, 0, 2, 2)),
        patch(3, Block(0, 7, 2, 2)),
        patch(3, Block(0, 0, 0, 1)),
        ContourPatch(3, Block(0, 0, 2, 2), np.ones((2, 3), np.bool_)),
    ],
)
def test_patches_that_do_not_lie_on_a_raster_are_refused(wrong: ContourPatch) -> None:
    with pytest.raises(SymbolError):
        Drawing(WIDTH_PX, HEIGHT_PX).add(wrong, 0)
