"""Golden bytes hold for both range coders. They are made of numbers that no random generator chose."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    Background,
    Base,
    Block,
    CellElement,
    CellUpdate,
    ContourElement,
    ContourPatch,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    OutlineElement,
    Part,
    PoseElement,
    SpriteElement,
    StepElement,
    Thumbnail,
    ToneElement,
    outline_size_px,
    raster_shape,
)
from pantel_codec.range_coder import Backend, make_decoder, make_encoder

needs_constriction = pytest.mark.skipif(find_spec("constriction") is None, reason="constriction is not installed")


@pytest.fixture(autouse=True, params=["python", pytest.param("constriction", marks=needs_constriction)])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Run each test with each range coder."""
    chosen: Backend = request.param
    for module in ("syntax", "still"):
        monkeypatch.setattr(f"pantel_codec.{module}.make_encoder", partial(make_encoder, chosen))
        monkeypatch.setattr(f"pantel_codec.{module}.make_decoder", partial(make_decoder, backend=chosen))
    return chosen


GROUPS = (2, 3, 4)
CORE = [0, 1, -1, 0, 15, -2, 0, 0, -40, 3, 0, 1, 14, -15, 0, 2047]
DETAIL = [0, -1, 16, 0, 0, 2, -3, 0]


@pytest.fixture
def golden_background(golden_values: Callable[..., NDArray[np.int64]]) -> Background:
    """Return what is held before the golden payload: cells of two kinds, and nothing of the others."""
    background = Background(320, 240, GROUPS)
    for scale, block, levels in ((0, Block(2, 2, 5, 3), 2), (0, Block(4, 3, 1, 1), 1), (1, Block(0, 1, 3, 2), 1)):
        values = golden_values(block.rows, block.columns, 3, levels)
        background.apply(CellUpdate(block, 3, levels, values, scale), 1)
    return background


@pytest.fixture
def golden_elements(golden_values: Callable[..., NDArray[np.int64]], golden_background: Background) -> list[Element]:
    """Return elements of every kind."""

    def cells(
        block: Block, levels: int, quality: int, *, scale: int = 0, seed: bool = False, base: Base | None = None
    ) -> CellElement:
        values = golden_values(block.rows, block.columns, quality, levels, base)
        return CellElement(CellUpdate(block, quality, levels, values, scale), seed, base)

    refined, coarse = Block(3, 3, 3, 2), Block(1, 1, 2, 1)
    finest, halved, _ = golden_background.scales
    core = Thumbnail(Part.CORE, 5, 2, np.array(CORE, np.int32))
    detail = Thumbnail(Part.DETAIL, 7, 2, np.array(DETAIL, np.int32))
    return [
        ToneElement(4, (-31, 0, 31)),
        cells(Block(3, 2, 4, 3), 2, quality=3),
        cells(Block(3, 2, 2, 2), 1, quality=1, scale=2),
        cells(Block(0, 0, 3, 1), 1, quality=2, scale=1, seed=True),
        SpriteElement(31, True, 17, 30, (0, 1, 2, 3), Knot(0, -64, 303, 47), core),
        SpriteElement(4, True, 1, 20, (0, 0, 0, 3), Knot(5, 100, 80, 40), core, Knot(15, 163, 17, 55)),
        SpriteElement(4, False, 1, 22, (0, 0, 1, 0), Knot(5, 101, 80, 41), core),
        PoseElement(31, Knot(15, 383, -64, 127)),
        StepElement(31, 1, 31, 0, 7),
        LookElement(31, 0, detail),
        LookElement(4, 2, Thumbnail(Part.CORE, 0, 3, core.symbols)),
        ForgetElement(5, 9),
        cells(refined, 3, quality=4, base=finest.base(refined)),
        cells(coarse, 2, quality=4, scale=1, base=halved.base(coarse)),
    ]


LINES = (
    "..###.....",
    ".#...#..#.",
    "#.....##..",
    "#.........",
    ".##....##.",
    "...####..#",
)


def lines(*, turned: bool = False) -> NDArray[np.bool_]:
    """Return a small drawing, (6, 10) bool, or (10, 6)."""
    samples = np.array([[sample == "#" for sample in line] for line in LINES])
    return np.ascontiguousarray(samples.T) if turned else samples


@pytest.fixture
def golden_contours(golden_values: Callable[..., NDArray[np.int64]]) -> list[Element]:
    """Return elements of a sketch, and cells among them."""
    whole = np.zeros((15, 20), np.bool_)
    whole[4:10, 6:16] = lines()
    values = golden_values(1, 2, 3, 1)
    knot, codes = Knot(5, 100, 80, 40), (20, 40)
    rows, columns = raster_shape(*outline_size_px(*codes), 1)
    upright = np.zeros((rows, columns), np.bool_)
    upright[:10, :6] = lines(turned=True)
    return [
        ContourElement(ContourPatch(7, Block(0, 0, 20, 15), whole)),
        ContourElement(ContourPatch(2, Block(96, 70, 10, 6), lines())),
        OutlineElement(
            3, True, 1, codes[0], knot, ContourPatch(1, Block(0, 0, columns, rows), upright), Knot(9, 90, 81, 39)
        ),
        CellElement(CellUpdate(Block(4, 5, 2, 1), 3, 1, values)),
        OutlineElement(3, False, 17, 44, Knot(5, 102, 80, 40), ContourPatch(1, Block(2, 1, 10, 6), lines())),
        OutlineElement(31, True, 0, codes[0], knot, ContourPatch(1, Block(0, 2, columns, 3), upright[2:5].copy())),
        StepElement(3, 5, 40, 16, 8),
        ForgetElement(31, 5),
    ]
