"""The sender's choices: what fills a payload, and what the receiver has of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    NEVER,
    CellElement,
    Element,
    LookElement,
    MissingBase,
    PoseElement,
    Scene,
    SceneSyntax,
    SpriteElement,
    StepElement,
    ToneElement,
    apply_element,
)
from pantel_device.frame import Observation, Track
from pantel_device.rendering.exposure import exposed
from pantel_device.rendering.renderer import Renderer, Rendering
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.background.persistence import Persistence
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_models import SceneCodec

_WIDTH, _HEIGHT = 160, 112
_CAPACITY_BYTES = 33
_SCANT_BYTES = 25
_TENTH_NS = 100_000_000
_STEP_NS = 4 * _TENTH_NS
_S = 1_000_000_000

_Seen = Callable[[int], Observation]


class _Receiver:
    """What somebody knows who hears payloads."""

    def __init__(self, codec: SceneCodec) -> None:
        self.syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, _WIDTH, _HEIGHT)
        self.scene = Scene(_WIDTH, _HEIGHT, codec.entropy.groups)
        self._renderer = Renderer(codec, self.scene)

    def hear(self, payload: bytes, stamp_ns: int) -> list[Element]:
        elements = self.syntax.read(payload.ljust(_CAPACITY_BYTES, b"\0"), self.scene.background)
        for element in elements:
            apply_element(self.scene, element, stamp_ns)
        return elements

    def draw(self, time_ns: int) -> Rendering:
        return self._renderer.draw(time_ns)


def _psnr_db(shown: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((shown.astype(float) - expected) ** 2)))


def _payloads(
    encoder: SceneEncoder, seen: _Seen, count: int, *, capacity_bytes: int = _CAPACITY_BYTES
) -> list[tuple[bytes, int]]:
    """Return what is told of what is seen, payload by payload, each with its time stamp."""
    payloads = []
    for number in range(count):
        now_ns = number * _STEP_NS
        payload = encoder.payload(seen(now_ns), capacity_bytes, now_ns + _TENTH_NS)
        assert len(payload) <= capacity_bytes
        payloads.append((payload, now_ns + _TENTH_NS))
    return payloads


def _heard(codec: SceneCodec, payloads: Iterable[tuple[bytes, int]]) -> _Receiver:
    receiver = _Receiver(codec)
    for payload, stamp_ns in payloads:
        receiver.hear(payload, stamp_ns)
    return receiver


@pytest.fixture
def encoder(codec: SceneCodec) -> SceneEncoder:
    return SceneEncoder(codec, (_WIDTH, _HEIGHT))


def test_a_still_picture_is_covered_soon_and_grows_sharper(
    codec: SceneCodec, encoder: SceneEncoder, still: _Seen, street: NDArray[np.uint8]
) -> None:
    payloads = _payloads(encoder, still, 30)
    early, late = _heard(codec, payloads[:8]), _heard(codec, payloads)
    assert (early.scene.background.shown_ns() > NEVER).mean() > 0.9
    assert _psnr_db(late.draw(12 * _S).pixels, street) > _psnr_db(early.draw(12 * _S).pixels, street) + 1.0


def test_the_first_payload_shows_the_whole_picture(
    codec: SceneCodec, encoder: SceneEncoder, still: _Seen, street: NDArray[np.uint8]
) -> None:
    first = _heard(codec, _payloads(encoder, still, 1))
    assert (first.scene.background.shown_ns() > NEVER).all()
    assert first.scene.background.scales[0].level.min() == 0  # some of it coarsely
    assert _psnr_db(first.draw(0).pixels, street) > 17.0


def test_no_payload_tells_a_cell_twice(codec: SceneCodec, observe: Callable[..., Observation]) -> None:
    """Even of noise, which no scale can show."""
    noise = np.random.default_rng(1).integers(0, 256, (10, 14, 3), np.uint8)
    pixels = np.asarray(cv2.resize(noise, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    encoder, receiver = SceneEncoder(codec, (_WIDTH, _HEIGHT)), _Receiver(codec)
    for payload, stamp_ns in _payloads(encoder, lambda now_ns: observe(pixels, pixels, now_ns), 30):
        told = [np.zeros(surface.level.shape, int) for surface in receiver.scene.background.scales]
        for element in receiver.hear(payload, stamp_ns):
            if isinstance(element, CellElement) and not element.seed:
                told[element.update.scale][element.update.block.window] += 1
        assert max(count.max() for count in told) <= 1


def test_who_joins_late_is_told_the_ground_within_20_s(codec: SceneCodec, encoder: SceneEncoder, still: _Seen) -> None:
    payloads = _payloads(encoder, still, 100)
    late = _heard(codec, payloads[46:])
    assert (late.scene.background.shown_ns() > NEVER).all()
    bits = encoder.element_bits
    assert 0 < bits["seeds"] < 0.25 * sum(bits.values())
    whole = _heard(codec, payloads)
    unseeded = _Receiver(codec)
    for payload, stamp_ns in payloads:
        for element in unseeded.syntax.read(payload, unseeded.scene.background):
            if not (isinstance(element, CellElement) and element.seed):
                apply_element(unseeded.scene, element, stamp_ns)
    for ours, theirs in zip(whole.scene.background.scales, unseeded.scene.background.scales, strict=True):
        held = theirs.level > 0
        np.testing.assert_array_equal(ours.values[:, held], theirs.values[:, held])  # seeds spoil nothing


def _refined(elements: Sequence[Element]) -> list[CellElement]:
    return [element for element in elements if isinstance(element, CellElement) and element.base is not None]


def test_cells_grow_sharp_by_what_they_were(codec: SceneCodec, encoder: SceneEncoder, still: _Seen) -> None:
    receiver = _Receiver(codec)
    refined = told = 0
    for payload, stamp_ns in _payloads(encoder, still, 60):
        before = [surface.quality.copy() for surface in receiver.scene.background.scales]
        elements = receiver.hear(payload, stamp_ns)
        assert not any(isinstance(element, MissingBase) for element in elements)
        for element in _refined(elements):
            update = element.update
            assert (before[update.scale][update.block.window] < update.quality).all()
        refined += len(_refined(elements))
        told += len(elements)
    assert 0.1 * told < refined < 0.95 * told


def test_what_was_lost_is_told_again_for_itself(codec: SceneCodec, encoder: SceneEncoder, still: _Seen) -> None:
    payloads = _payloads(encoder, still, 160)
    whole, lossy = _heard(codec, payloads), _Receiver(codec)
    cut = 0
    for number, (payload, stamp_ns) in enumerate(payloads):
        if number % 7:
            elements = lossy.hear(payload, stamp_ns)
            cut += any(isinstance(element, MissingBase) for element in elements)
    assert 0 < cut < 0.3 * len(payloads)
    ours, theirs = (each.scene.background.scales[0] for each in (lossy, whole))
    same = (ours.values == theirs.values).all(axis=0)
    assert same.mean() > 0.5
    assert (lossy.scene.background.shown_ns() > NEVER).all()


def test_first_of_all_there_is_ground_to_stand_on(codec: SceneCodec, encoder: SceneEncoder, busy: _Seen) -> None:
    receiver = _Receiver(codec)
    for payload, stamp_ns in _payloads(encoder, busy, 20, capacity_bytes=_SCANT_BYTES):
        elements = receiver.hear(payload, stamp_ns)
        if any(isinstance(element, SpriteElement) for element in elements):
            break
    assert (receiver.scene.background.shown_ns() > NEVER).mean() >= 0.9
    assert any(isinstance(element, SpriteElement) for element in elements)


def test_nobody_waits_for_the_second_round_of_the_opening(codec: SceneCodec, busy: _Seen) -> None:
    encoder = SceneEncoder(codec, (_WIDTH, _HEIGHT))
    patience = []
    for _ in range(20):
        patience.append((encoder.unhurried(calm=False), encoder.unhurried(calm=True)))
        _payloads(encoder, busy, 1, capacity_bytes=_SCANT_BYTES)
    # The first payload is as short as ever; then whoever waits, waits anyhow; then it depends on what moves.
    assert patience[0] == (False, False)
    assert patience[1] == (True, True)
    assert patience[-1] == (False, True)


def test_place_and_look_of_an_object_share_a_payload(codec: SceneCodec, busy: _Seen) -> None:
    encoder = SceneEncoder(codec, (_WIDTH, _HEIGHT), SceneEncoderSettings(roi_weight=10.0))
    receiver = _Receiver(codec)
    shared = 0
    for payload, _ in _payloads(encoder, busy, 40, capacity_bytes=_SCANT_BYTES):
        kinds = [type(element) for element in receiver.syntax.read(payload)]
        moves = sum(kind in (PoseElement, StepElement, SpriteElement) for kind in kinds)
        assert moves <= 2  # an introduction may come with an older knot
        shared += LookElement in kinds and any(kind in (PoseElement, StepElement) for kind in kinds)
    assert shared > 0


def test_what_moves_and_the_light_are_told_too(codec: SceneCodec, encoder: SceneEncoder, busy: _Seen) -> None:
    payloads = _payloads(encoder, busy, 30)
    receiver = _Receiver(codec)
    kinds = {type(element) for payload, stamp_ns in payloads for element in receiver.hear(payload, stamp_ns)}
    assert {CellElement, SpriteElement, ToneElement} <= kinds
    now_ns = 29 * _STEP_NS
    frame = busy(now_ns).frame.pixels
    rendering = receiver.draw(now_ns)
    assert len(rendering.objects) == 1
    assert _psnr_db(rendering.pixels, frame) > 21
    # The light is told once for the whole picture, and not with every cell.
    assert np.abs(float(rendering.pixels.mean()) - float(frame.mean())) < 6


def test_who_matters_more_is_told_sooner(
    codec: SceneCodec,
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> None:
    def see(now_ns: int) -> Observation:
        track = walk(lambda _: (50.0, 60.0), now_ns, size_px=(6, 10))
        return observe(paint(street, track.box), street, now_ns, [track])

    first = []
    for weight in (0.001, 50.0):
        encoder = SceneEncoder(codec, (_WIDTH, _HEIGHT), SceneEncoderSettings(roi_weight=weight))
        receiver = _Receiver(codec)
        told = [
            any(isinstance(element, SpriteElement) for element in receiver.hear(*payload))
            for payload in _payloads(encoder, see, 12)
        ]
        first.append(told.index(True) if True in told else len(told))
    assert first[1] < first[0]


@pytest.mark.parametrize("capacity_bytes", [16, 21, 31, 48])
def test_payloads_fit_and_their_bits_are_counted(
    capacity_bytes: int, codec: SceneCodec, encoder: SceneEncoder, busy: _Seen
) -> None:
    payloads = _payloads(encoder, busy, 10, capacity_bytes=capacity_bytes)
    assert all(payload for payload, _ in payloads)
    bits = 8 * sum(len(payload) for payload, _ in payloads)
    assert sum(encoder.element_bits.values()) == pytest.approx(bits)
    assert set(encoder.element_bits) <= {"cells", "seeds", "sprites", "poses", "farewells", "tone"}
    receiver = _Receiver(codec)
    for payload, stamp_ns in payloads:
        assert receiver.syntax.read(payload.ljust(capacity_bytes, b"\0"))
        receiver.hear(payload, stamp_ns)
    # Most of the room is used.
    assert sum(len(payload) for payload, _ in payloads) > 0.75 * capacity_bytes * len(payloads)


def test_payloads_of_the_same_frames_are_the_same(codec: SceneCodec, busy: _Seen) -> None:
    first, second = (_payloads(SceneEncoder(codec, (_WIDTH, _HEIGHT)), busy, 6) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("weight", [3.0, SceneEncoderSettings().roi_weight])
def test_no_payload_needs_another(weight: float, codec: SceneCodec, busy: _Seen) -> None:
    """One may introduce an object, or hold what others refine; which one does depends on a CPU's rounding."""
    count = 30
    encoder = SceneEncoder(codec, (_WIDTH, _HEIGHT), SceneEncoderSettings(roi_weight=weight))
    payloads = _payloads(encoder, busy, count)
    end_ns = (count - 1) * _STEP_NS
    expected = busy(end_ns).frame.pixels
    best_db = _psnr_db(_heard(codec, payloads).draw(end_ns).pixels, expected)
    left_db = []
    for lost in range(count - 6):
        receiver = _heard(codec, [*payloads[:lost], *payloads[lost + 1 :]])
        rendering = receiver.draw(end_ns)
        assert len(rendering.objects) == 1
        left_db.append(_psnr_db(rendering.pixels, expected))
        assert left_db[-1] > best_db - 2, f"payload {lost} was lost"
    assert np.mean(left_db) > best_db - 0.5


@pytest.mark.parametrize("lost", [range(0, 30, 3), range(12), [29, 28]])
def test_losses_late_joins_and_another_order_do_not_stop_a_receiver(
    lost: Collection[int], codec: SceneCodec, encoder: SceneEncoder, busy: _Seen
) -> None:
    payloads = _payloads(encoder, busy, 30)
    heard = [payload for number, payload in enumerate(payloads) if number not in lost]
    shuffled = [heard[i] for i in np.random.default_rng(1).permutation(len(heard))]
    for order in (heard, shuffled, [*heard, *heard]):
        pixels = _heard(codec, order).draw(29 * _STEP_NS).pixels
        assert pixels.shape == (_HEIGHT, _WIDTH, 3)
    whole = _heard(codec, heard).draw(29 * _STEP_NS).pixels
    assert _psnr_db(whole, busy(29 * _STEP_NS).frame.pixels) > 20


def test_the_same_payload_twice_changes_nothing(codec: SceneCodec, encoder: SceneEncoder, busy: _Seen) -> None:
    payloads = _payloads(encoder, busy, 12)
    once = _heard(codec, payloads).draw(11 * _STEP_NS)
    twice = _heard(codec, [payload for payload in payloads for _ in range(2)]).draw(11 * _STEP_NS)
    assert np.array_equal(once.pixels, twice.pixels)
    assert once.objects == twice.objects


def test_who_stands_still_is_told_again_before_being_forgotten(
    codec: SceneCodec, encoder: SceneEncoder, standing: _Seen
) -> None:
    receiver = _Receiver(codec)
    known = []
    for payload, stamp_ns in _payloads(encoder, standing, 100):
        receiver.scene.forget(stamp_ns - _S)  # what a receiver shows lies behind what it hears
        receiver.hear(payload, stamp_ns)
        known.append(bool(receiver.scene.sprites))
    assert known[20:] == [True] * 80


def test_who_has_been_forgotten_is_introduced_anew(codec: SceneCodec, encoder: SceneEncoder, standing: _Seen) -> None:
    _payloads(encoder, standing, 20)
    later_ns = 20 * _STEP_NS + 10 * _S
    receiver = _Receiver(codec)
    payloads = [
        (encoder.payload(standing(time_ns), _CAPACITY_BYTES, time_ns + _TENTH_NS), time_ns + _TENTH_NS)
        for time_ns in range(later_ns, later_ns + 10 * _STEP_NS, _STEP_NS)
    ]
    told = [element for payload in payloads for element in receiver.hear(*payload)]
    first = next(element for element in told if isinstance(element, SpriteElement | PoseElement | StepElement))
    assert isinstance(first, SpriteElement)
    assert first.new


def test_who_has_left_is_not_shown_any_more(
    codec: SceneCodec, encoder: SceneEncoder, left: _Seen, street: NDArray[np.uint8]
) -> None:
    receiver = _heard(codec, _payloads(encoder, left, 14))
    there, gone = receiver.draw(4 * _S), receiver.draw(13 * _STEP_NS)
    assert len(there.objects) == 1
    assert gone.objects == ()
    window = np.s_[44:76, 42:58]
    assert _psnr_db(gone.pixels[window], street[window]) > _psnr_db(there.pixels[window], street[window]) + 3


def test_estimates_that_are_too_low_cost_no_more_than_room(
    encoder: SceneEncoder, still: _Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = BackgroundEncoder.news

    def optimistic(self: BackgroundEncoder, now_ns: int, room_bits: float) -> News | None:
        news = real(self, now_ns, 2 * room_bits)
        return None if news is None else replace(news, bits=news.bits / 2)

    monkeypatch.setattr(BackgroundEncoder, "news", optimistic)
    assert all(payload for payload, _ in _payloads(encoder, still, 6))


def test_cells_do_not_keep_the_light_from_being_told(
    codec: SceneCodec, street: NDArray[np.uint8], observe: Callable[..., Observation]
) -> None:
    """A picture that has become a little darker: cells come first, and the tone still fits beside them."""

    def see(now_ns: int) -> Observation:
        octaves = (-0.1, -0.1, -0.1)
        return observe(exposed(street, octaves), street, now_ns, exposure=octaves)

    encoder, receiver = SceneEncoder(codec, (_WIDTH, _HEIGHT)), _Receiver(codec)
    kinds = [[type(element) for element in receiver.hear(*payload)] for payload in _payloads(encoder, see, 12)]
    together = [payload for payload in kinds if ToneElement in payload]
    assert any(CellElement in payload for payload in together)


@pytest.mark.parametrize("size_px", [(32, 32), (33, 47), (640, 480)])
def test_any_size_is_told(size_px: tuple[int, int], codec: SceneCodec, observe: Callable[..., Observation]) -> None:
    width, height = size_px
    noise = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
    pixels = np.asarray(cv2.resize(noise, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)
    encoder = SceneEncoder(codec, size_px)
    scene = Scene(width, height, codec.entropy.groups)
    syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, width, height)
    for number in range(3):
        now_ns = number * _STEP_NS
        payload = encoder.payload(observe(pixels, pixels, now_ns), _CAPACITY_BYTES, now_ns)
        assert 0 < len(payload) <= _CAPACITY_BYTES
        for element in syntax.read(payload, scene.background):
            apply_element(scene, element, now_ns)
    assert (scene.background.shown_ns() > NEVER).any()
    assert Renderer(codec, scene).draw(0).pixels.shape == (height, width, 3)


def test_what_changes_is_expected_to_change_again(codec: SceneCodec) -> None:
    persistence = Persistence(codec)
    latents = np.zeros((codec.entropy.channels, 2, 3), np.float32)
    persistence.update(latents, 0)
    for step in range(1, 26):
        latents[0, 0, 0] += 100.0
        lasting_s = persistence.update(latents, step * _STEP_NS)
    assert lasting_s[0, 0] == pytest.approx(0.4)
    assert lasting_s[1, 2] == pytest.approx(30.0)
