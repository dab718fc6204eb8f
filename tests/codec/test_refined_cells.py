"""Cells that are refined: told by how they differ from what the receiver holds, at the end of a payload."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    MAX_SPRITES,
    Background,
    Base,
    BitstreamError,
    Block,
    CellElement,
    CellUpdate,
    Element,
    EntropyModel,
    ForgetElement,
    MissingBase,
    Scene,
    SceneSyntax,
    SymbolError,
    ThumbnailModel,
    apply_element,
    make_encoder,
)
from pantel_codec.syntax import _FORGET, _REFINE
from pantel_codec.syntax_fields import BASE_QUALITIES, CELL_SCALES, KINDS, QUALITIES, FieldWriter

WIDTH_PX, HEIGHT_PX = 100, 75  # 7 x 5 cells
COLUMNS, ROWS = 7, 5
GROUPS = (2, 3, 4)
REFINED = Block(1, 0, 3, 2)
Refine = Callable[..., CellElement]


class Tell(Protocol):
    """Makes an element of random residuals, of none if there is no seed."""

    def __call__(
        self, block: Block, levels: int, *, quality: int = 2, seed: int | None = 0, base: Base | None = None
    ) -> CellElement: ...


@pytest.fixture(scope="module")
def syntax(model: EntropyModel, thumbnails: ThumbnailModel) -> SceneSyntax:
    return SceneSyntax(model, thumbnails, WIDTH_PX, HEIGHT_PX)


@pytest.fixture(scope="module")
def tell(values_of: Callable[..., NDArray[np.int64]]) -> Tell:
    def element(
        block: Block, levels: int, *, quality: int = 2, seed: int | None = 0, base: Base | None = None
    ) -> CellElement:
        shape = (sum(GROUPS), block.rows, block.columns)
        residuals = np.zeros(shape, np.int64)
        if seed is not None:
            residuals = np.rint(np.random.default_rng(seed).laplace(0, 1, shape)).astype(np.int64)
        update = CellUpdate(block, quality, levels, values_of(residuals, quality, levels, base))
        return CellElement(update, base=base)

    return element


def plain(element: Element) -> Any:
    """Return an element in a form that compares by value."""
    if not isinstance(element, CellElement) or element.base is None:
        return element
    update = element.update
    return update.block, update.quality, update.levels, update.values.tolist(), element.base.checksum


@pytest.fixture
def held(tell: Tell) -> Background:
    """Return a background of which the upper left corner is held: all of one quality, not all of one level."""
    background = Background(WIDTH_PX, HEIGHT_PX, GROUPS)
    for block, levels in ((Block(0, 0, 4, 3), 2), (Block(1, 1, 1, 1), 1)):
        background.apply(tell(block, levels, seed=9).update, 1)
    return background


@pytest.fixture
def refine(tell: Tell, held: Background) -> Refine:
    """Return a function that tells a block by what is held of it."""

    def element(block: Block = REFINED, levels: int = 3) -> CellElement:
        return tell(block, levels, quality=4, seed=3, base=held.scales[0].base(block))

    return element


def test_cells_that_are_refined_come_back_with_what_they_were(
    syntax: SceneSyntax, held: Background, refine: Refine
) -> None:
    elements: list[Element] = [ForgetElement(3, 1), refine(), refine(Block(0, 0, 1, 1), levels=2)]
    read = syntax.read(syntax.write(elements), held)
    assert [plain(element) for element in read] == [plain(element) for element in elements]


def test_cells_cost_less_by_what_they_were(syntax: SceneSyntax, held: Background, tell: Tell) -> None:
    again = Block(0, 0, 4, 3)
    same = tell(again, 2, seed=None, base=held.scales[0].base(again))  # no residuals: what the network expects
    assert len(syntax.write([same])) < len(syntax.write([tell(again, 2)]))


def _without(background: Background, **changes: int) -> Background:
    """Return the background with one cell of the refined block changed; a level of 256 is none."""
    for name, value in changes.items():
        array = getattr(background.scales[0], name)
        array[..., 0, 2] = array[..., 0, 2] + value
    return background


@pytest.mark.parametrize("change", [{"level": 254}, {"quality": 1}, {"values": 1}, {"level": 1}])
def test_what_follows_a_missing_base_is_not_read(
    syntax: SceneSyntax, held: Background, refine: Refine, change: dict[str, int]
) -> None:
    payload = syntax.write([ForgetElement(3, 1), refine(), refine(Block(0, 0, 1, 1))])
    read = syntax.read(payload, _without(held, **change))
    assert read == [ForgetElement(3, 1), MissingBase(REFINED)]
    assert apply_element(Scene(WIDTH_PX, HEIGHT_PX, GROUPS), read[-1], 0) == 0


def test_who_holds_nothing_reads_what_stands_before(syntax: SceneSyntax, refine: Refine) -> None:
    payload = syntax.write([ForgetElement(3, 1), refine()])
    for background in (None, Background(WIDTH_PX, HEIGHT_PX, GROUPS)):
        assert [type(element) for element in syntax.read(payload, background)] == [ForgetElement, MissingBase]


def test_fewer_levels_than_are_held_cannot_be_told(syntax: SceneSyntax, held: Background, refine: Refine) -> None:
    with pytest.raises(SymbolError, match="cannot be refined"):
        refine(levels=1)
    payload = syntax.write([refine(Block(1, 1, 1, 1), levels=1)])
    held.scales[0].level[1, 1] = 2  # of values that are zero, and the checksum counts levels
    assert isinstance(syntax.read(payload, held)[0], MissingBase)


def test_cells_that_all_can_read_come_before_those_that_are_refined(syntax: SceneSyntax, refine: Refine) -> None:
    with pytest.raises(SymbolError, match="come last"):
        syntax.write([refine(), ForgetElement(3, 1)])


def test_a_model_without_networks_for_it_refines_nothing(
    arrays: dict[str, NDArray[np.int32]], syntax: SceneSyntax, held: Background, refine: Refine
) -> None:
    payload = syntax.write([refine()])
    plain_arrays = {name: array for name, array in arrays.items() if not name.startswith("refinement")}
    older = SceneSyntax(EntropyModel(plain_arrays), ThumbnailModel(arrays), WIDTH_PX, HEIGHT_PX)
    assert not older.model.refines
    assert isinstance(older.read(payload, held)[0], MissingBase)
    with pytest.raises(SymbolError, match="refines nothing"):
        older.write([refine()])


@given(st.integers(0, 2**32 - 1))
def test_noise_behind_a_base_is_cells_that_fit_or_a_base_that_is_missing(
    syntax: SceneSyntax, tell: Tell, seed: int
) -> None:
    """One wrong base in 256 has the right checksum; what stands before it counts in any case."""
    background = Background(WIDTH_PX, HEIGHT_PX, GROUPS)
    whole = Block(0, 0, COLUMNS, ROWS)
    background.apply(tell(whole, 2).update, 1)
    base = background.scales[0].base(whole)
    encoder = make_encoder()
    fields = FieldWriter(encoder, (WIDTH_PX, HEIGHT_PX))
    fields.symbol(_FORGET, KINDS)
    fields.uniform(3, MAX_SPRITES)
    fields.age(1)
    fields.symbol(_REFINE, KINDS)
    fields.symbol(0, CELL_SCALES)
    fields.uniform(whole.column, COLUMNS)
    fields.uniform(whole.row, ROWS)
    fields.side(COLUMNS, COLUMNS)
    fields.side(ROWS, ROWS)
    fields.symbol(4, QUALITIES)
    fields.uniform(2, 3)
    assert base is not None
    fields.symbol(base.quality, BASE_QUALITIES)
    fields.uniform(base.checksum, 256)
    noise = np.random.default_rng(seed).bytes(30)
    for octet in noise:
        encoder.encode_bits(octet, 8)
    with suppress(BitstreamError):  # behind cells that noise happens to be, noise goes on
        first, second, *_ = syntax.read(encoder.to_bytes(), background)
        assert first == ForgetElement(3, 1)
        if isinstance(second, CellElement):
            assert background.apply(second.update, 2) > 0
        else:
            assert second == MissingBase(whole)
