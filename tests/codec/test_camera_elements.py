"""Payloads of a camera that moves: read as they were written, and empty to who does not know them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.codec.comparison import plain

from pantel_codec import (
    MOSAICS,
    TURN_LIMIT,
    ZOOM_LIMIT,
    BitstreamError,
    Block,
    CameraElement,
    CameraPose,
    CellElement,
    CellUpdate,
    Element,
    EntropyModel,
    ForgetElement,
    Knot,
    LinkElement,
    MissingBase,
    PoseElement,
    Scene,
    SceneSyntax,
    SymbolError,
    ThumbnailModel,
    apply_element,
    grid_of,
    make_decoder,
    mosaic_size_px,
    shift_limit_px,
)
from pantel_codec.syntax import _END, _MIN_ELEMENT_BITS
from pantel_codec.syntax_fields import KINDS

WIDTH_PX, HEIGHT_PX = 100, 75
GROUPS = (2, 3, 4)
SECOND_NS = 1_000_000_000
LIMIT_PX = shift_limit_px(WIDTH_PX, HEIGHT_PX)
ROWS, COLUMNS = grid_of(*mosaic_size_px(WIDTH_PX, HEIGHT_PX), 0)


@pytest.fixture(scope="module")
def syntax(model: EntropyModel, thumbnails: ThumbnailModel) -> SceneSyntax:
    return SceneSyntax(model, thumbnails, WIDTH_PX, HEIGHT_PX)


@pytest.fixture
def cells(values_of: Callable[..., NDArray[np.int64]]) -> Callable[..., CellElement]:
    """Return a function that makes cells of a mosaic."""

    def element(mosaic: int | None) -> CellElement:
        block = Block(COLUMNS - 2, ROWS - 1, 2, 1)
        residuals = np.rint(np.random.default_rng(1).laplace(0, 1, (9, block.rows, block.columns))).astype(np.int64)
        return CellElement(CellUpdate(block, 2, 2, values_of(residuals, 2, 2, None)), mosaic=mosaic)

    return element


shifts = st.integers(-LIMIT_PX, LIMIT_PX)
poses = st.builds(
    CameraPose, shifts, shifts, st.integers(-ZOOM_LIMIT, ZOOM_LIMIT), st.integers(-TURN_LIMIT, TURN_LIMIT)
)
numbers, ages = st.integers(0, MOSAICS - 1), st.integers(0, 15)
cameras = st.builds(CameraElement, numbers) | st.builds(CameraElement, numbers, ages, poses)
knots = st.builds(Knot, ages, st.integers(-64, 163), st.integers(-64, 138), st.integers(0, 127))
others = st.builds(PoseElement, st.integers(0, 31), knots) | st.builds(ForgetElement, st.integers(0, 31), ages)


@st.composite
def payloads(draw: st.DrawFn) -> list[Element]:
    camera = draw(cameras)
    links = st.builds(LinkElement, st.just(camera.mosaic), st.none() | numbers, poses)
    return [camera, *draw(st.lists(links | others, max_size=4))]


@given(payloads(), st.integers(0, 40))
def test_elements_come_back_and_zeros_may_follow(syntax: SceneSyntax, elements: list[Element], padding: int) -> None:
    assert plain(syntax.read(syntax.write(elements) + bytes(padding))) == plain(elements)


@given(payloads())
def test_who_knows_no_moving_camera_sees_an_empty_payload(syntax: SceneSyntax, elements: list[Element]) -> None:
    payload = syntax.write(elements)
    assert 48 <= payload[0] < 52
    assert make_decoder(payload).decode(1, KINDS)[0] == _END


def test_the_octets_are_those_of_the_format(syntax: SceneSyntax) -> None:
    elements: list[Element] = [
        CameraElement(3, 4, CameraPose(-20, 31, 2, -1)),
        LinkElement(3, None, CameraPose(80, -5, -20, 6)),
        ForgetElement(9, 4),
    ]
    assert syntax.write(elements).hex() == "31c68721c693be982af797"


def test_cells_beyond_the_picture_are_told_of_a_mosaic_alone(
    syntax: SceneSyntax, cells: Callable[..., CellElement]
) -> None:
    elements: list[Element] = [CameraElement(5), cells(5)]
    assert plain(syntax.read(syntax.write(elements))) == plain(elements)
    with pytest.raises(SymbolError):
        syntax.write([cells(None)])


def test_cells_of_a_mosaic_are_refined_by_what_is_held_of_it(
    syntax: SceneSyntax, cells: Callable[..., CellElement], values_of: Callable[..., NDArray[np.int64]]
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    coarse = cells(5)
    for element in (CameraElement(5), coarse):
        apply_element(scene, element, SECOND_NS)
    background = scene.mosaics.background(5)
    assert background is not None
    base = background.scales[0].base(coarse.update.block)
    residuals = np.ones((9, 1, 2), np.int64)
    update = CellUpdate(coarse.update.block, 4, 2, values_of(residuals, 4, 2, base))
    payload = syntax.write([CameraElement(5), CellElement(update, base=base, mosaic=5)])
    _, refined = syntax.read(payload, scene.background, scene.mosaics)
    assert isinstance(refined, CellElement)
    np.testing.assert_array_equal(refined.update.values, update.values)
    for held in (None, Scene(WIDTH_PX, HEIGHT_PX, GROUPS).mosaics):
        assert isinstance(syntax.read(payload, scene.background, held)[1], MissingBase)


def test_what_does_not_belong_together_is_refused(syntax: SceneSyntax, cells: Callable[..., CellElement]) -> None:
    still = CameraPose(0, 0, 0, 0)
    wrongs: list[list[Element]] = [
        [CameraElement(1), cells(2)],
        [CameraElement(1), cells(None)],
        [cells(1)],
        [CameraElement(1), LinkElement(2, None, still)],
        [LinkElement(1, None, still)],
        [CameraElement(1), CameraElement(1)],
        [CameraElement(MOSAICS)],
        [CameraElement(1, 0, CameraPose(LIMIT_PX + 1, 0, 0, 0))],
        [CameraElement(1, 0, CameraPose(0, 0, ZOOM_LIMIT + 1, 0))],
        [CameraElement(1, 0, CameraPose(0, 0, 0, -TURN_LIMIT - 1))],
        [CameraElement(1), LinkElement(1, MOSAICS + 1, still)],
    ]
    for wrong in wrongs:
        with pytest.raises(SymbolError):
            syntax.write(wrong)


@settings(max_examples=300)
@given(st.integers(48, 51), st.binary(max_size=60))
def test_noise_is_elements_or_a_bitstream_error(syntax: SceneSyntax, first: int, noise: bytes) -> None:
    payload = bytes([first]) + noise
    try:
        elements = syntax.read(payload)
    except BitstreamError:
        return
    assert isinstance(elements[0], CameraElement)
    assert (len(elements) - 1) * _MIN_ELEMENT_BITS <= 8 * len(payload) + 64
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    for element in elements:
        apply_element(scene, element, SECOND_NS)
    scene.mosaics.sight(scene.background, SECOND_NS)
