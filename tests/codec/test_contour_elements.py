"""Contours in a payload: they are read as they were written, old decoders see nothing of them, and what they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.codec.comparison import plain

from pantel_codec import (
    AGE_STEP_NS,
    MAX_CONTOUR_SAMPLES,
    MAX_SPRITES,
    BitstreamError,
    Block,
    ContourElement,
    ContourPatch,
    Element,
    EntropyModel,
    ForgetElement,
    Knot,
    OutlineElement,
    PoseElement,
    Scene,
    SceneSyntax,
    StepElement,
    SymbolError,
    ThumbnailModel,
    ToneElement,
    apply_element,
    make_decoder,
    make_encoder,
    outline_size_px,
    raster_shape,
    size_px,
)
from pantel_codec.contour_fields import _EXTENTS, _STEPS
from pantel_codec.syntax import _CONTOUR, _END, _MIN_ELEMENT_BITS, _WITH_CONTOURS
from pantel_codec.syntax_fields import FIRST, KINDS, KINDS_WITH_CONTOURS, FieldWriter

WIDTH_PX, HEIGHT_PX = 100, 75
GROUPS = (2, 3, 4)
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def syntax(model: EntropyModel, thumbnails: ThumbnailModel) -> SceneSyntax:
    return SceneSyntax(model, thumbnails, WIDTH_PX, HEIGHT_PX)


@pytest.fixture
def scene() -> Scene:
    return Scene(WIDTH_PX, HEIGHT_PX, GROUPS)


def drawn(rows: int, columns: int, *, seed: int = 0) -> NDArray[np.bool_]:
    """Return a few samples, which do not take many bits."""
    samples = np.zeros((rows, columns), np.bool_)
    rng = np.random.default_rng(seed)
    samples[rng.integers(0, rows, 6), rng.integers(0, columns, 6)] = True
    return samples


@st.composite
def patches_on(draw: st.DrawFn, area_px: tuple[float, float]) -> ContourPatch:
    step = draw(st.integers(0, 7))
    rows, columns = raster_shape(*area_px, step)
    column, row = draw(st.sampled_from([0, columns - 1])), draw(st.sampled_from([0, rows // 2]))
    width = draw(st.sampled_from([1, columns - column]))
    height = min(draw(st.sampled_from([1, rows - row])), max(MAX_CONTOUR_SAMPLES // width, 1), 1500 // width + 1)
    block = Block(column, row, width, height)
    return ContourPatch(step, block, drawn(height, width, seed=draw(st.integers(0, 99))))


ids, ages, sizes = st.integers(0, MAX_SPRITES - 1), st.integers(0, 15), st.integers(0, 127)
knots = st.builds(Knot, ages, st.integers(-64, WIDTH_PX + 63), st.integers(-64, HEIGHT_PX + 63), sizes)
contours = st.builds(ContourElement, patches_on((WIDTH_PX, HEIGHT_PX)))


@st.composite
def outlines(draw: st.DrawFn) -> OutlineElement:
    knot, width_code = draw(knots), draw(sizes)
    patch = draw(patches_on(outline_size_px(width_code, knot.height_code)))
    past = None
    if draw(st.booleans()):
        grown = min(max(knot.height_code + draw(st.integers(-15, 15)), 0), 127)
        past = Knot(knot.age_steps + draw(st.integers(1, 15)), knot.x + 63, knot.y - 63, grown)
    new = past is not None or draw(st.booleans())
    return OutlineElement(draw(ids), new, draw(st.integers(0, 128)), width_code, knot, patch, past)


others = (
    st.builds(PoseElement, ids, knots)
    | st.builds(StepElement, ids, ages, st.integers(0, 63), st.integers(0, 63), st.integers(0, 15))
    | st.builds(ForgetElement, ids, ages)
    | st.builds(ToneElement, ages, st.just((1, -2, 3)))
)
sketches = st.lists(contours | outlines() | others, max_size=5)


@given(sketches, st.integers(0, 40))
def test_elements_come_back_and_zeros_may_follow(syntax: SceneSyntax, elements: list[Element], padding: int) -> None:
    assert plain(syntax.read(syntax.write(elements) + bytes(padding))) == plain(elements)


@given(sketches)
def test_who_does_not_know_contours_sees_an_empty_payload(syntax: SceneSyntax, elements: list[Element]) -> None:
    payload = syntax.write(elements)
    with_contours = any(isinstance(element, ContourElement | OutlineElement) for element in elements)
    assert (payload[:1] in {bytes([octet]) for octet in range(1, 48)}) == with_contours
    if with_contours:
        assert make_decoder(payload).decode(1, KINDS)[0] == _END
    elif payload:
        assert payload[0] > 51


@settings(max_examples=300)
@given(st.integers(1, 47), st.binary(max_size=60))
def test_noise_is_elements_or_a_bitstream_error(syntax: SceneSyntax, first: int, noise: bytes) -> None:
    payload = bytes([first]) + noise
    try:
        elements = syntax.read(payload)
    except BitstreamError:
        return
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    for element in elements:
        apply_element(scene, element, 0)  # what was read, fits
    assert _MIN_ELEMENT_BITS * len(elements) <= 8 * len(payload) + 64


def test_no_element_takes_less_than_is_assumed() -> None:
    least = float(KINDS_WITH_CONTOURS.cost_bits[_CONTOUR] + _STEPS.cost_bits.min() + _EXTENTS.cost_bits.min())
    assert least >= _MIN_ELEMENT_BITS


SMALL = ContourPatch(3, Block(2, 1, 3, 2), np.array([[1, 0, 1], [0, 1, 0]], np.bool_))
KNOT = Knot(5, 40, 30, 40)
OUTLINE = OutlineElement(1, True, 1, 30, KNOT, SMALL)


@pytest.mark.parametrize(
    "element",
    [
        ContourElement(replace(SMALL, step=8)),
        ContourElement(replace(SMALL, block=Block(23, 0, 3, 2))),
        ContourElement(replace(SMALL, block=Block(0, 18, 3, 2))),
        ContourElement(replace(SMALL, block=Block(0, 0, 2, 3))),
        replace(OUTLINE, sprite_id=32),
        replace(OUTLINE, class_id=129),
        replace(OUTLINE, width_code=128),
        replace(OUTLINE, patch=replace(SMALL, block=Block(4, 1, 3, 2))),
        replace(OUTLINE, new=False, past=replace(KNOT, age_steps=9)),
    ],
)
def test_fields_out_of_range_are_refused(syntax: SceneSyntax, element: Element) -> None:
    with pytest.raises(SymbolError):
        syntax.write([element])


@pytest.mark.parametrize("seed", range(4))
def test_no_more_bits_are_written_than_contours_may_take(syntax: SceneSyntax, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def noise(columns: int) -> OutlineElement:
        patch = ContourPatch(3, Block(0, 0, columns, 10), rng.random((10, columns)) < 0.5)
        return replace(OUTLINE, width_code=80, knot=replace(KNOT, height_code=80), patch=patch)

    for columns in range(1, 13):
        assert len(syntax.write([noise(columns)])) <= 39  # with the first symbol and the end
    for columns in range(20, 24):
        with pytest.raises(SymbolError, match="more than 300 bits"):
            syntax.write([noise(columns)])


def test_no_more_samples_are_written_and_read_than_a_patch_may_have(
    model: EntropyModel, thumbnails: ThumbnailModel
) -> None:
    large = SceneSyntax(model, thumbnails, 1000, 500)
    rows, columns = raster_shape(1000, 500, 2)
    patch = ContourPatch(2, Block(0, 0, columns, rows), np.zeros((rows, columns), np.bool_))
    with pytest.raises(SymbolError, match="samples"):
        large.write([ContourElement(patch)])
    encoder = make_encoder()
    fields_ = FieldWriter(encoder, (1000, 500))
    fields_.symbol(_WITH_CONTOURS, FIRST)
    fields_.symbol(_CONTOUR, KINDS_WITH_CONTOURS)
    fields_.symbol(2, _STEPS)
    fields_.symbol(0, _EXTENTS)
    with pytest.raises(BitstreamError, match="samples"):
        large.read(encoder.to_bytes() + b"\1")


def test_contours_of_the_background_join_its_drawing(scene: Scene) -> None:
    assert apply_element(scene, ContourElement(SMALL), 7) == 1
    assert scene.drawing.patches == [(7, SMALL)]
    assert apply_element(scene, ContourElement(SMALL), 6) == 0  # late


def test_an_outline_makes_an_object_known_and_can_be_moved(scene: Scene) -> None:
    assert apply_element(scene, PoseElement(1, KNOT), SECOND_NS) == 0
    assert apply_element(scene, replace(OUTLINE, past=replace(KNOT, age_steps=9, x=44)), SECOND_NS) == 1
    outline = scene.outlines[1]
    assert (outline.class_id, outline.width_code, outline.height_code) == (1, 30, 40)
    assert (outline.drawing.width_px, outline.drawing.height_px) == (size_px(30) * 9 / 8, size_px(40) * 9 / 8)
    assert [knot.x for knot in outline.trajectory.knots] == [44, 40]
    assert apply_element(scene, StepElement(1, 0, 50, 30, 8), SECOND_NS) == 1
    assert outline.trajectory.knots[-1].x == 50
    assert apply_element(scene, ForgetElement(1, 0), 2 * SECOND_NS) == 1
    scene.forget(3 * SECOND_NS)
    assert not scene.outlines


def test_parts_of_an_outline_join_as_long_as_it_keeps_its_size(scene: Scene) -> None:
    other = ContourPatch(1, Block(0, 0, 2, 2), np.ones((2, 2), np.bool_))
    apply_element(scene, OUTLINE, 1)
    apply_element(scene, replace(OUTLINE, new=False, knot=replace(KNOT, x=41), patch=other), 2)
    assert scene.outlines[1].drawing.patches == [(1, SMALL), (2, other)]
    assert scene.outlines[1].told_ns == 2
    larger = replace(OUTLINE, new=False, width_code=31)
    apply_element(scene, larger, AGE_STEP_NS)
    assert scene.outlines[1].drawing.patches == [(AGE_STEP_NS, SMALL)]
    assert len(scene.outlines[1].trajectory.knots) == 3
    assert apply_element(scene, replace(OUTLINE, new=False), 5) == 0  # late, and of another size
    apply_element(scene, replace(OUTLINE, patch=other), 2 * AGE_STEP_NS)  # somebody else
    assert len(scene.outlines[1].trajectory.knots) == 1


def test_an_object_may_be_sprite_and_outline(scene: Scene) -> None:
    apply_element(scene, OUTLINE, 1)
    assert 1 not in scene.sprites
    assert apply_element(scene, PoseElement(1, replace(KNOT, age_steps=0, x=60)), SECOND_NS) == 1
    assert scene.outlines[1].trajectory.knots[-1].x == 60
