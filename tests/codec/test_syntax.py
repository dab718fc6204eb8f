"""Scene payloads: everything that is written is read, and noise is a BitstreamError and nothing else."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.codec.comparison import plain

from pantel_codec import (
    MAX_SPRITES,
    SCALES,
    STEP_RANGE_PX,
    STEP_SIZES,
    THUMBNAIL_QUALITIES,
    THUMBNAIL_SHAPES,
    THUMBNAIL_VERSIONS,
    TONE_LIMIT,
    Base,
    BitstreamError,
    Block,
    CellElement,
    CellUpdate,
    CodecError,
    Element,
    EntropyModel,
    ForgetElement,
    Knot,
    LookElement,
    MissingBase,
    Part,
    PoseElement,
    RangeEncoder,
    Reader,
    Scene,
    SceneSyntax,
    SpriteElement,
    Step,
    StepElement,
    SymbolError,
    Thumbnail,
    ThumbnailModel,
    ToneElement,
    apply_element,
    grid_of,
    make_encoder,
)
from pantel_codec.elements import PAST_RANGE_PX, PAST_RANGE_SIZES
from pantel_codec.syntax import _CELLS, _MIN_ELEMENT_BITS, _NEW_WITH_PAST, _SPRITE
from pantel_codec.syntax_fields import CELL_SCALES, CLASSES, KINDS, NEWS, QUALITIES, FieldWriter
from pantel_codec.syntax_fields import MARGINS as MARGIN_TABLE

WIDTH_PX, HEIGHT_PX = 100, 75  # 7 x 5 cells
COLUMNS, ROWS = 7, 5
GROUPS = (2, 3, 4)
PART_SIZES = {Part.CORE: 16, Part.DETAIL: 8}


@pytest.fixture(scope="module")
def syntax(model: EntropyModel, thumbnails: ThumbnailModel) -> SceneSyntax:
    return SceneSyntax(model, thumbnails, WIDTH_PX, HEIGHT_PX)


def cells(
    block: Block, levels: int, *, scale: int = 0, quality: int = 2, seed: int = 0, base: Base | None = None
) -> CellElement:
    """Return an element with residuals where `coded` puts values."""
    rng = np.random.default_rng(seed)
    residuals = np.rint(rng.laplace(0, 1, (sum(GROUPS), block.rows, block.columns))).astype(np.int64)
    return CellElement(CellUpdate(block, quality, levels, residuals, scale), base=base)


def coded(model: EntropyModel, element: Element) -> Element:
    """Return an element of `cells` with the values that its residuals stand for; others as they are."""
    if not isinstance(element, CellElement):
        return element
    update = element.update
    flat = update.values.reshape(len(update.values), -1)

    def name(step: Step) -> NDArray[np.int64]:
        return flat[step.channels, step.cells]

    rows, columns = update.block.rows, update.block.columns
    values = model.walk(rows, columns, update.quality, update.levels, name, base=element.base)
    return replace(element, update=replace(update, values=values))


def thumbnail(part: Part = Part.CORE, quality: int = 3, version: int = 0, *, seed: int = 0) -> Thumbnail:
    rng = np.random.default_rng(seed)
    symbols = np.rint(rng.laplace(0, rng.choice([0.3, 3.0]), PART_SIZES[part])).astype(np.int32)
    return Thumbnail(part, quality, version, symbols)


@st.composite
def cell_elements(draw: st.DrawFn) -> CellElement:
    scale = draw(st.integers(0, SCALES - 1))
    rows, columns = grid_of(WIDTH_PX, HEIGHT_PX, scale)
    column, row = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
    block = Block(column, row, draw(st.integers(1, columns - column)), draw(st.integers(1, rows - row)))
    levels, quality, seed = draw(st.integers(1, 3)), draw(st.integers(0, 4)), draw(st.integers(0, 1000))
    return replace(cells(block, levels, scale=scale, quality=quality, seed=seed), seed=draw(st.booleans()))


def thumbnails_of(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Thumbnail]:
    versions = st.integers(0, THUMBNAIL_VERSIONS - 1)
    return st.builds(thumbnail, parts, st.integers(0, THUMBNAIL_QUALITIES - 1), versions, seed=st.integers(0, 1000))


ids, ages, sizes = st.integers(0, MAX_SPRITES - 1), st.integers(0, 15), st.integers(0, 127)
knots = st.builds(Knot, ages, st.integers(-64, WIDTH_PX + 63), st.integers(-64, HEIGHT_PX + 63), sizes)
shifts, growths = st.integers(-PAST_RANGE_PX, PAST_RANGE_PX), st.integers(-PAST_RANGE_SIZES, PAST_RANGE_SIZES)
margins = st.tuples(*[st.integers(0, 3)] * 4)
gains = st.tuples(*[st.integers(-TONE_LIMIT, TONE_LIMIT)] * 3)
remainders = st.integers(0, STEP_RANGE_PX - 1)
cores = thumbnails_of(st.just(Part.CORE))


@st.composite
def new_sprites(draw: st.DrawFn) -> SpriteElement:
    knot = draw(knots)
    height_code = min(max(knot.height_code + draw(growths), 0), 127)
    age_steps = knot.age_steps + draw(st.integers(1, 15))
    past = Knot(age_steps, knot.x + draw(shifts), knot.y + draw(shifts), height_code)
    told = draw(st.integers(0, 128)), draw(sizes), draw(margins), knot, draw(cores)
    return SpriteElement(draw(ids), True, *told, draw(st.sampled_from([None, past])))


elements_of_all_kinds = st.lists(
    cell_elements()
    | st.builds(SpriteElement, ids, st.booleans(), st.integers(0, 128), sizes, margins, knots, cores)
    | new_sprites()
    | st.builds(LookElement, ids, st.integers(0, THUMBNAIL_SHAPES - 1), thumbnails_of(st.sampled_from(Part)))
    | st.builds(PoseElement, ids, knots)
    | st.builds(StepElement, ids, ages, remainders, remainders, st.integers(0, STEP_SIZES - 1))
    | st.builds(ForgetElement, ids, ages)
    | st.builds(ToneElement, ages, gains),
    max_size=5,
)


@given(elements_of_all_kinds)
def test_elements_come_back(syntax: SceneSyntax, model: EntropyModel, elements: list[Element]) -> None:
    elements = [coded(model, element) for element in elements]
    assert plain(syntax.read(syntax.write(elements))) == plain(elements)


@given(elements_of_all_kinds, st.integers(0, 40))
def test_zeros_may_follow_a_payload(
    syntax: SceneSyntax, model: EntropyModel, elements: list[Element], padding: int
) -> None:
    elements = [coded(model, element) for element in elements]
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
    assert _MIN_ELEMENT_BITS * len(elements) <= 8 * len(noise) + 64


@given(elements_of_all_kinds, st.integers(0), st.integers(1, 255))
def test_damage_is_other_elements_or_a_bitstream_error(
    syntax: SceneSyntax, model: EntropyModel, elements: list[Element], where: int, flip: int
) -> None:
    elements = [coded(model, element) for element in elements]
    payload = bytearray(syntax.write(elements) or b"\0")
    payload[where % len(payload)] ^= flip
    with suppress(BitstreamError):
        syntax.read(bytes(payload))


def test_noise_is_refused_before_much_work_is_done(
    model: EntropyModel, thumbnails: ThumbnailModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise that announces a large block runs out of information early in its walk."""
    read = 0

    class CountingReader(Reader):
        def __call__(self, step: Step) -> NDArray[np.int64]:
            nonlocal read
            read += step.mean.size
            return super().__call__(step)

    monkeypatch.setattr("pantel_codec.cell_fields.Reader", CountingReader)
    large = SceneSyntax(model, thumbnails, 1024, 1024)
    rng = np.random.default_rng(5)
    payloads = 2000
    for _ in range(payloads):
        with suppress(BitstreamError):
            large.read(rng.bytes(40))
    assert 0 < read / payloads < 0.05 * 64 * 64 * model.channels


def test_a_payload_cannot_tell_more_cells_than_the_picture_has(model: EntropyModel, thumbnails: ThumbnailModel) -> None:
    wide = SceneSyntax(model, thumbnails, 512, 256)
    empty = cells(Block(0, 0, 32, 16), 3)
    empty.update.values[:] = 0
    whole, one = coded(model, empty), coded(model, cells(BLOCK, 1))
    assert len(wide.read(wide.write([whole]))) == 1
    with pytest.raises(SymbolError, match="more cells"):
        wide.write([whole, one])
    wide._max_cell_levels *= 2
    payload = wide.write([whole, one])
    with pytest.raises(BitstreamError, match="more cells"):
        SceneSyntax(model, thumbnails, 512, 256).read(payload)


BLOCK = Block(0, 0, 2, 2)
HELD = Base(np.arange(36).reshape(9, 2, 2) * 100, np.array([[1, 2], [2, 2]], np.uint8), 1)
KNOT = Knot(0, 20, 30, 40)
SPRITE = SpriteElement(1, True, 1, 30, (0, 0, 0, 0), KNOT, thumbnail())
STEP = StepElement(1, 0, 1, 1, 1)


@pytest.mark.parametrize(
    "element",
    [
        cells(BLOCK, 1, quality=5),
        cells(BLOCK, 1, quality=32),
        cells(Block(6, 0, 2, 2), 1),
        cells(Block(0, 4, 2, 2), 1),
        CellElement(CellUpdate(BLOCK, 0, 1, np.zeros((9, 2, 3), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, 1, np.zeros((8, 2, 2), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, 1, np.zeros((9, 2, 2), np.int64), scale=3)),
        CellElement(CellUpdate(BLOCK, 0, 1, np.zeros((9, 2, 2), np.int64), scale=2)),
        CellElement(CellUpdate(BLOCK, 0, 0, np.zeros((9, 2, 2), np.int64))),
        CellElement(CellUpdate(BLOCK, 0, 4, np.zeros((9, 2, 2), np.int64))),
        replace(cells(BLOCK, 2, base=HELD), seed=True),
        cells(BLOCK, 1, base=HELD),
        cells(BLOCK, 2, base=replace(HELD, quality=5)),
        cells(BLOCK, 2, base=replace(HELD, level=np.zeros((2, 2), np.uint8))),
        cells(Block(0, 0, 2, 1), 2, base=HELD),
        MissingBase(BLOCK),
        CellElement(CellUpdate(BLOCK, 0, 1, np.full((9, 2, 2), 2048))),
        replace(SPRITE, sprite_id=32),
        replace(SPRITE, class_id=129),
        replace(SPRITE, width_code=128),
        replace(SPRITE, margins=(0, 0, 4, 0)),
        replace(SPRITE, core=thumbnail(Part.DETAIL)),
        replace(SPRITE, core=replace(thumbnail(), quality=8)),
        replace(SPRITE, new=False, past=replace(KNOT, age_steps=5)),
        replace(SPRITE, past=KNOT),
        replace(SPRITE, past=replace(KNOT, age_steps=16)),
        replace(SPRITE, past=replace(KNOT, age_steps=5, x=KNOT.x + PAST_RANGE_PX + 1)),
        replace(SPRITE, past=replace(KNOT, age_steps=5, height_code=KNOT.height_code - PAST_RANGE_SIZES - 1)),
        LookElement(1, 3, thumbnail()),
        LookElement(-1, 0, thumbnail()),
        LookElement(1, 0, replace(thumbnail(), version=4)),
        PoseElement(1, replace(KNOT, x=-65)),
        PoseElement(1, replace(KNOT, x=WIDTH_PX + 64)),
        PoseElement(1, replace(KNOT, y=HEIGHT_PX + 64)),
        PoseElement(1, replace(KNOT, height_code=128)),
        PoseElement(1, replace(KNOT, age_steps=16)),
        PoseElement(1, replace(KNOT, age_steps=-1)),
        replace(STEP, x=STEP_RANGE_PX),
        replace(STEP, y=-1),
        replace(STEP, height_code=STEP_SIZES),
        ToneElement(0, (0, 32, 0)),
        ToneElement(16, (0, 0, 0)),
        ForgetElement(-1, 0),
        ForgetElement(1, 16),
    ],
)
def test_fields_out_of_range_are_refused(syntax: SceneSyntax, element: Element) -> None:
    with pytest.raises(SymbolError):
        syntax.write([element])


def _begun_cells(encoder: RangeEncoder, column: int) -> FieldWriter:
    """Write cells of the first row as far as their place."""
    fields = FieldWriter(encoder, (WIDTH_PX, HEIGHT_PX))
    fields.symbol(_CELLS, KINDS)
    fields.symbol(0, CELL_SCALES)
    fields.uniform(column, COLUMNS)
    fields.uniform(0, ROWS)
    return fields


def test_qualities_of_another_model_are_damage(syntax: SceneSyntax) -> None:
    encoder = make_encoder()
    fields = _begun_cells(encoder, column=0)
    fields.side(1, COLUMNS)
    fields.side(1, ROWS)
    fields.symbol(31, QUALITIES)
    with pytest.raises(BitstreamError, match="quality 31"):
        syntax.read(encoder.to_bytes())


def test_blocks_that_leave_the_picture_are_damage(syntax: SceneSyntax) -> None:
    encoder = make_encoder()
    fields = _begun_cells(encoder, column=3)
    fields.side(5, 64)
    with pytest.raises(BitstreamError, match="leaves the picture"):
        syntax.read(encoder.to_bytes() + b"\x01")


def _begun_sprite(encoder: RangeEncoder, knot: Knot) -> FieldWriter:
    """Write a sprite as far as its knot."""
    fields = FieldWriter(encoder, (WIDTH_PX, HEIGHT_PX))
    fields.symbol(_SPRITE, KINDS)
    fields.uniform(1, MAX_SPRITES)
    fields.symbol(_NEW_WITH_PAST, NEWS)
    fields.symbol(1, CLASSES)
    fields.knot(knot)
    return fields


def test_widths_that_do_not_exist_are_damage(syntax: SceneSyntax) -> None:
    encoder = make_encoder()
    fields = _begun_sprite(encoder, Knot(5, 20, 30, 2))
    fields.width(0, 3, 1)  # three codes less than the height, below which there are only two
    with pytest.raises(BitstreamError, match="width"):
        syntax.read(encoder.to_bytes() + b"\x01")


def test_past_heights_that_do_not_exist_are_damage(syntax: SceneSyntax) -> None:
    encoder = make_encoder()
    knot = Knot(5, 20, 30, 2)
    fields = _begun_sprite(encoder, knot)
    fields.width(0, knot.height_code, 1)
    for _ in range(4):
        fields.symbol(0, MARGIN_TABLE)
    fields.past(replace(knot, age_steps=9, height_code=-1), knot)
    with pytest.raises(BitstreamError, match="height"):
        syntax.read(encoder.to_bytes() + b"\x01")


def test_errors_are_one_line(syntax: SceneSyntax) -> None:
    said = []
    for octet in range(256):
        try:
            syntax.read(bytes([octet]) * 30)
        except CodecError as error:
            said.append(str(error))
    assert len(said) > 64
    assert not any("\n" in text for text in said)
