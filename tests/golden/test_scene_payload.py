"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    Block,
    CellElement,
    CellUpdate,
    Element,
    EntropyModel,
    ForgetElement,
    ObjectElement,
    PoseElement,
    Raster,
    SceneSyntax,
)

SymbolMaker = Callable[[int, int, range], NDArray[np.int64]]

PAYLOAD = (
    "3c409ec1cc972eb9ea47f986c4e2a611378895013d4f21329e0e16adbe35034c7bcf0ba4e66645f8967835c9741c72198f53"
    "77c10ce3675f830868e4bf706a8cecadeed1fc"
)


@pytest.fixture
def elements(golden_symbols: SymbolMaker) -> list[Element]:
    raster = Raster(33, columns=2, rows=4)

    def update(block: Block, groups: range, quality: int, tag: int) -> CellUpdate:
        return CellUpdate(block, quality, groups, tag, golden_symbols(block.rows, block.columns, groups))

    return [
        CellElement(update(Block(3, 2, 4, 3), range(2), quality=3, tag=9)),
        CellElement(update(Block(3, 3, 2, 1), range(2, 3), quality=4, tag=9)),
        ObjectElement(raster, class_id=17),
        CellElement(update(Block(0, 1, 2, 2), range(1), quality=0, tag=15), raster),
        PoseElement(33, age_steps=12, x=160.5, y=1023.5, width=0.0, height=63.5),
        ForgetElement(5),
    ]


def test_golden_payload_is_written(model: EntropyModel, elements: list[Element]) -> None:
    assert SceneSyntax(model, 320, 240).write(elements).hex() == PAYLOAD


def test_golden_payload_is_read(model: EntropyModel, elements: list[Element]) -> None:
    read = SceneSyntax(model, 320, 240).read(bytes.fromhex(PAYLOAD))
    assert len(read) == len(elements)
    for got, expected in zip(read, elements, strict=True):
        if isinstance(expected, CellElement):
            assert isinstance(got, CellElement)
            assert got.raster == expected.raster
            for field in ("block", "quality", "groups", "tag"):
                assert getattr(got.update, field) == getattr(expected.update, field)
            np.testing.assert_array_equal(got.update.symbols, expected.update.symbols)
        else:
            assert got == expected
