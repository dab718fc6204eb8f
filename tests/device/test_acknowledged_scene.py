"""A scene whose receiver tells what it hears: nothing is repeated, what was lost comes back, and silence ends it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    CellElement,
    Element,
    MissingBase,
    PoseElement,
    Scene,
    SceneSyntax,
    SpriteElement,
    StepElement,
    apply_element,
)
from pantel_device.frame import Observation, Track
from pantel_device.scene_encoding.ledger import PATIENCE_PACKETS
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_link.back_channel import Heard, Region
from pantel_models import SceneCodec

_SIZE_PX = _WIDTH, _HEIGHT = 160, 112
_TENTH_NS = 100_000_000
_STEP_NS = 4 * _TENTH_NS
_Seen = Callable[[int], Observation]


class _Pair:
    """An encoder and its receiver, joined by packets of which some are lost."""

    def __init__(self, codec: SceneCodec, seen: _Seen, *, acknowledged: bool = True) -> None:
        self.encoder = SceneEncoder(codec, _SIZE_PX, SceneEncoderSettings(acknowledged=acknowledged))
        self._codec = codec
        self._seen = seen
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, *_SIZE_PX)
        self.start_receiver()
        self.counter = 0
        self.cut = 0

    def start_receiver(self) -> None:
        self.scene = Scene(*_SIZE_PX, self._codec.entropy.groups)
        self._ear = Heard()

    def payload(self, *, lost: bool = False) -> list[Element]:
        """Return what the next payload tells; the receiver hears it unless it is lost."""
        now_ns = self.counter * _STEP_NS
        stamp_ns = now_ns + _TENTH_NS
        payload = self.encoder.payload(self._seen(now_ns), 33, stamp_ns)
        self.encoder.submitted(self.counter)
        elements = self._syntax.read(payload, self.scene.background, self.scene.mosaics)
        if not lost:
            self._ear.add(self.counter)
            self.cut += any(isinstance(element, MissingBase) for element in elements)
            for element in elements:
                apply_element(self.scene, element, stamp_ns)
        self.counter += 1
        return elements

    def run(self, count: int, lost: Collection[int] = (), *, every: int = 0) -> list[list[Element]]:
        """Return what is told with the next payloads; acknowledged after every so many."""
        told = []
        for _ in range(count):
            told.append(self.payload(lost=self.counter in lost))
            if every and self.counter % every == 0:
                self.acknowledge()
        return told

    def acknowledge(self) -> None:
        news = self._ear.news()
        if news is not None:
            self.encoder.acknowledged(news)


@pytest.fixture
def pair(codec: SceneCodec, still: _Seen) -> _Pair:
    return _Pair(codec, still)


def _cells(elements: list[Element], *, seeds: bool = False) -> list[CellElement]:
    return [each for each in elements if isinstance(each, CellElement) and each.seed is seeds]


def _covered(elements: list[Element]) -> NDArray[np.bool_]:
    """Return (7, 10): which cells of the finest scale are told, at whatever scale."""
    covered = np.zeros((_HEIGHT // 16, _WIDTH // 16), np.bool_)
    for element in _cells(elements):
        scale = element.update.scale
        rows, columns = (slice(s.start << scale, s.stop << scale) for s in element.update.block.window)
        covered[rows, columns] = True
    return covered


def test_without_acknowledgements_the_octets_are_the_same(codec: SceneCodec, still: _Seen) -> None:
    pairs = [_Pair(codec, still, acknowledged=acknowledged) for acknowledged in (False, True)]
    payloads = []
    for each in pairs:
        encoder = each.encoder
        told = []
        for number in range(PATIENCE_PACKETS + 20):
            now_ns = number * _STEP_NS
            told.append(encoder.payload(still(now_ns), 33, now_ns + _TENTH_NS))
            encoder.submitted(number)
        payloads.append(told)
    assert payloads[0] == payloads[1]


def test_what_was_lost_comes_back_first(pair: _Pair) -> None:
    told = pair.run(12, lost={8})
    wanted = _covered(told[8])
    assert wanted.any()
    pair.acknowledge()
    again = pair.run(3)
    found = np.any([_covered(each) for each in again], axis=0)
    assert (found & wanted).sum() >= 0.5 * wanted.sum()


def test_the_opening_is_mended(pair: _Pair) -> None:
    pair.run(24, lost={0, 1, 2, 3}, every=6)
    assert (pair.scene.background.shown_ns() > 0).all()


def test_acknowledged_cells_are_not_repeated(pair: _Pair) -> None:
    repeated = told = 0
    for _ in range(15):
        pair.acknowledge()
        held = copy.deepcopy(pair.scene.background)
        for elements in pair.run(5):
            for element in _cells(elements):
                update, surface = element.update, held.scales[element.update.scale]
                window = update.block.window
                same = np.all(surface.values[:, *window] == update.values, axis=0)
                same &= (surface.level[window] == update.levels) & (surface.quality[window] == update.quality)
                repeated, told = repeated + int(same.sum()), told + same.size
    assert told > 150
    assert repeated <= 0.02 * told


def test_who_acknowledges_needs_no_seeds(pair: _Pair, codec: SceneCodec, still: _Seen) -> None:
    assert any(_cells(each, seeds=True) for each in _Pair(codec, still, acknowledged=False).run(30))
    assert not any(_cells(each, seeds=True) for each in pair.run(30, every=5)[5:])


def test_nothing_refines_what_is_known_to_be_lost(pair: _Pair) -> None:
    pair.run(120, lost=set(range(3, 120, 7)), every=4)
    assert pair.cut <= 3  # of what was told before the loss was known


def test_when_acknowledgements_stop_seeds_come_back(pair: _Pair) -> None:
    pair.run(30, every=5)
    told = pair.run(PATIENCE_PACKETS + 20)
    assert not any(_cells(each, seeds=True) for each in told[:PATIENCE_PACKETS])
    assert any(_cells(each, seeds=True) for each in told[PATIENCE_PACKETS:])


def test_a_receiver_that_starts_again_is_told_everything(pair: _Pair) -> None:
    pair.run(60, every=5)
    pair.start_receiver()
    pair.run(30, every=5)
    assert (pair.scene.background.shown_ns() > 0).all()


def test_a_lost_introduction_is_repeated_at_once(
    codec: SceneCodec,
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> None:
    def seen(now_ns: int) -> Observation:
        if now_ns < 4_000_000_000:
            return observe(street, street, now_ns)
        track = walk(lambda t: (20 + 6 * (t - 4), 60), now_ns, since_ns=4_000_000_000)
        return observe(paint(street, track.box), street, now_ns, [track])

    pair = _Pair(codec, seen)
    pair.run(10, every=5)
    introduced = None
    while introduced is None:
        told = pair.payload(lost=True)
        introduced = next((each for each in told if isinstance(each, SpriteElement)), None)
        assert pair.counter < 30
    moved = pair.run(3)
    assert any(isinstance(each, StepElement | PoseElement) for told in moved for each in told)
    pair.acknowledge()
    again = [each for told in pair.run(3, every=1) for each in told if isinstance(each, SpriteElement)]
    assert [each.sprite_id for each in again] == [introduced.sprite_id]
    assert pair.scene.sprites
    later = [each for told in pair.run(20, every=3) for each in told if isinstance(each, SpriteElement)]
    assert not [each for each in later if not each.new and each.core == again[0].core]


def test_a_region_that_is_watched_grows_sharp_first_and_only_for_its_time(codec: SceneCodec, still: _Seen) -> None:
    shares = []
    for watched in (False, True):
        pair = _Pair(codec, still)
        pair.run(8, every=4)
        if watched:
            assert pair.encoder.watch(Region(0.5, 0.0, 1.0, 0.5), 20 * _STEP_NS)
        told = np.sum([_covered(each) for each in pair.run(12, every=4)], axis=0)
        shares.append(told[:3, 5:].sum() / told.sum())
        later = pair.run(20, every=4)
        assert any(_covered(each)[4:].any() for each in later)
    assert shares[1] > 1.5 * shares[0]
