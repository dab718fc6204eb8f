"""Scene payloads: everything that is written is read, and noise is a BitstreamError and nothing else."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import (
    BitstreamError,
    Block,
    CellElement,
    CellUpdate,
    CodecError,
    Element,
    EntropyModel,
    ForgetElement,
    ObjectElement,
    PoseElement,
    Raster,
    Reader,
    Scene,
    SceneSyntax,
    Step,
    SymbolError,
    apply_element,
    make_encoder,
)
from pantel_codec.syntax import _KINDS

WIDTH_PX, HEIGHT_PX = 100, 75  # 7 x 5 cells
COLUMNS, ROWS = 7, 5
GROUPS = (2, 3, 4)


@pytest.fixture(scope="module")
def syntax(model: EntropyModel) -> SceneSyntax:
    return SceneSyntax(model, WIDTH_PX, HEIGHT_PX)


def cells(
    block: Block, groups: range, *, quality: int = 2, tag: int = 3, seed: int = 0, raster: Raster | None = None
) -> CellElement:
    rng = np.random.default_rng(seed)
    symbols = np.rint(rng.laplace(0, 1, (sum(GROUPS), block.rows, block.columns))).astype(np.int64)
    symbols[: sum(GROUPS[: groups.start])] = 0
    symbols[sum(GROUPS[: groups.stop]) :] = 0
    return CellElement(CellUpdate(block, quality, groups, tag, symbols), raster)


rasters = st.builds(Raster, st.integers(0, 63), st.integers(1, 8), st.integers(1, 8))
half_pixels = st.integers(0, 1023).map(lambda n: n / 2)


@st.composite
def cell_elements(draw: st.DrawFn) -> CellElement:
    raster = draw(st.none() | rasters)
    columns, rows = (COLUMNS, ROWS) if raster is None else (raster.columns, raster.rows)
    column, row = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
    block = Block(column, row, draw(st.integers(1, columns - column)), draw(st.integers(1, rows - row)))
    first = draw(st.integers(0, 2))
    groups = range(first, draw(st.integers(first + 1, 3)))
    quality, tag, seed = draw(st.integers(0, 4)), draw(st.integers(0, 15)), draw(st.integers(0, 1000))
    return cells(block, groups, quality=quality, tag=tag, seed=seed, raster=raster)


elements_of_all_kinds = st.lists(
    cell_elements()
    | st.builds(ObjectElement, rasters, st.integers(0, 127))
    | st.builds(PoseElement, st.integers(0, 63), st.integers(0, 31), half_pixels, half_pixels, half_pixels, half_pixels)
    | st.builds(ForgetElement, st.integers(0, 63)),
    max_size=5,
)


def plain(elements: Sequence[Element]) -> list[Any]:
    """Return elements in a form that compares by value."""
    return [
        (e.raster, e.update.block, e.update.quality, e.update.groups, e.update.tag, e.update.symbols.tolist())
        if isinstance(e, CellElement)
        else e
        for e in elements
    ]


@given(elements_of_all_kinds)
def test_elements_come_back(syntax: SceneSyntax, elements: list[Element]) -> None:
    assert plain(syntax.read(syntax.write(elements))) == plain(elements)


@given(elements_of_all_kinds, st.integers(0, 40))
def test_zeros_may_follow_a_payload(syntax: SceneSyntax, elements: list[Element], padding: int) -> None:
    assert plain(syntax.read(syntax.write(elements) + bytes(padding))) == plain(elements)


def test_nothing_to_say_takes_no_bytes(syntax: SceneSyntax) -> None:
    assert syntax.write([]) == b""
    assert syntax.read(b"") == []
    assert syntax.read(bytes(40)) == []


@settings(max_examples=400)
@given(st.binary(max_size=120))
def test_noise_is_elements_or_a_bitstream_error(syntax: SceneSyntax, noise: bytes) -> None:
    try:
        elements = syntax.read(noise)
    except BitstreamError:
        return
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    for element in elements:
        apply_element(scene, element, 0)  # what was read, fits
    assert 11 * len(elements) <= 8 * len(noise) + 64


@given(elements_of_all_kinds, st.integers(0), st.integers(1, 255))
def test_damage_is_other_elements_or_a_bitstream_error(
    syntax: SceneSyntax, elements: list[Element], where: int, flip: int
) -> None:
    payload = bytearray(syntax.write(elements) or b"\0")
    payload[where % len(payload)] ^= flip
    with suppress(BitstreamError):
        syntax.read(bytes(payload))


def test_noise_is_refused_before_much_work_is_done(model: EntropyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that announces a large block runs out of information early in its walk."""
    read = 0

    class CountingReader(Reader):
        def __call__(self, step: Step) -> NDArray[np.int64]:
            nonlocal read
            read += step.center.size
            return super().__call__(step)

    monkeypatch.setattr("pantel_codec.syntax.Reader", CountingReader)
    large = SceneSyntax(model, 1024, 1024)
    rng = np.random.default_rng(5)
    payloads = 100
    for _ in range(payloads):
        with suppress(BitstreamError):
            large.read(rng.bytes(40))
    assert 0 < read / payloads < 0.05 * 64 * 64 * model.channels


def test_a_payload_cannot_tell_more_cells_than_the_surface_has(model: EntropyModel) -> None:
    wide = SceneSyntax(model, 512, 256)
    whole = cells(Block(0, 0, 32, 16), range(3))
    whole.update.symbols[:] = 0
    assert len(wide.read(wide.write([whole]))) == 1
    with pytest.raises(SymbolError, match="more cells"):
        wide.write([whole, cells(Block(0, 0, 1, 1), range(1))])
    wide._max_cell_levels *= 2
    payload = wide.write([whole, cells(Block(0, 0, 1, 1), range(1))])
    with pytest.raises(BitstreamError, match="more cells"):
        SceneSyntax(model, 512, 256).read(payload)


BLOCK = Block(0, 0, 2, 2)
POSE = {"sprite_id": 1, "age_steps": 0, "x": 1.0, "y": 1.0, "width": 1.0, "height": 1.0}


@pytest.mark.parametrize(
    "element",
    [
        cells(BLOCK, range(1), quality=5),
        cells(BLOCK, range(1), quality=32),
        cells(BLOCK, range(1), tag=16),
        cells(Block(6, 0, 2, 2), range(1)),
        cells(Block(0, 4, 2, 2), range(1)),
        cells(Block(1, 0, 1, 1), range(1), raster=Raster(1, 1, 1)),
        CellElement(CellUpdate(BLOCK, 0, range(1), 0, np.zeros((9, 2, 3), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, range(1), 0, np.zeros((8, 2, 2), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, range(0), 0, np.zeros((9, 2, 2), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, range(2, 4), 0, np.zeros((9, 2, 2), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, range(1), 0, np.full((9, 2, 2), 2048))),
        ObjectElement(Raster(64, 1, 1), 0),
        ObjectElement(Raster(0, 9, 1), 0),
        ObjectElement(Raster(0, 1, 0), 0),
        ObjectElement(Raster(0, 1, 1), 128),
        PoseElement(**{**POSE, "x": -1.0}),  # type: ignore[arg-type]
        PoseElement(**{**POSE, "y": 1024.0}),  # type: ignore[arg-type]
        PoseElement(**{**POSE, "width": 512.0}),  # type: ignore[arg-type]
        PoseElement(**{**POSE, "height": float("nan")}),  # type: ignore[arg-type]
        PoseElement(**{**POSE, "age_steps": 32}),  # type: ignore[arg-type]
        ForgetElement(-1),
    ],
)
def test_fields_out_of_range_are_refused(syntax: SceneSyntax, element: Element) -> None:
    with pytest.raises(SymbolError):
        syntax.write([element])


def test_qualities_of_another_model_are_damage(syntax: SceneSyntax) -> None:
    encoder = make_encoder()
    encoder.encode([1], _KINDS)
    for value, bits in ((0, 1), (0, 8), (0, 8), (31, 5)):
        encoder.encode_bits(value, bits)
    with pytest.raises(BitstreamError):
        syntax.read(encoder.to_bytes() + b"\0\x01")


def test_a_model_of_one_level_takes_a_refinement_for_damage(arrays: dict[str, NDArray[np.int32]]) -> None:
    arrays["groups"] = arrays["groups"][:1]
    syntax = SceneSyntax(EntropyModel(arrays), 32, 32)
    encoder = make_encoder()
    encoder.encode([2], _KINDS)
    encoder.encode_bits(0, 12)
    with pytest.raises(BitstreamError):
        syntax.read(encoder.to_bytes() + b"\x01")


def test_poses_are_rounded_to_half_pixels(syntax: SceneSyntax) -> None:
    pose = PoseElement(5, 31, x=10.26, y=0.2, width=511.4, height=33.74)
    assert syntax.read(syntax.write([pose])) == [PoseElement(5, 31, x=10.5, y=0.0, width=511.5, height=33.5)]


def test_errors_are_one_line(syntax: SceneSyntax) -> None:
    with pytest.raises(CodecError) as error:
        syntax.read(b"\x77" * 30)
    assert "\n" not in str(error.value)
