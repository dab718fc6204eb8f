"""Textures: with air to spare an object that stands still is shown as its thumbnail never could."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    CellElement,
    Element,
    LookElement,
    Scene,
    SceneSyntax,
    SpriteElement,
    TextureElement,
    apply_element,
)
from pantel_device.frame import Observation, Track
from pantel_device.rendering.renderer import Renderer
from pantel_device.scene_encoding.objects import texture_encoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_link.back_channel import Heard
from pantel_models import SceneCodec

_WIDTH, _HEIGHT = 160, 112
_OBJECT_PX = (64, 80)
_STEP_NS = 400_000_000
_AGE_NS = 500_000_000
_ROOMY = 112  # octets of payload: that of a line of 3000 bit/s

_Seen = Callable[[int], Observation]


class _Link:
    """An encoder and a receiver that hears all of it."""

    def __init__(self, codec: SceneCodec, *, acknowledged: bool = False, every: int = 1) -> None:
        self.encoder = SceneEncoder(codec, (_WIDTH, _HEIGHT), SceneEncoderSettings(acknowledged=acknowledged))
        self._ear = Heard() if acknowledged else None
        self._every = every  # payloads from one acknowledgement to the next
        self.scene = Scene(_WIDTH, _HEIGHT, codec.entropy.groups)
        self.syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, _WIDTH, _HEIGHT)
        self.renderer = Renderer(codec, self.scene)
        self.told: list[list[Element]] = []

    def run(
        self, see: _Seen, payloads: int, *, octets: int = _ROOMY, lost: Callable[[int], bool] = lambda _: False
    ) -> None:
        for number in range(len(self.told), len(self.told) + payloads):
            stamp_ns = number * _STEP_NS + _AGE_NS
            payload = self.encoder.payload(see(number * _STEP_NS), octets, stamp_ns)
            assert len(payload) <= octets
            elements = self.syntax.read(payload, self.scene.background, self.scene.mosaics)
            self.told.append(elements)
            for element in () if lost(number) else elements:
                apply_element(self.scene, element, stamp_ns)
            if self._ear is not None:
                self.encoder.submitted(number)
                if not lost(number):
                    self._ear.add(number)
                if number % self._every == self._every - 1 and (news := self._ear.news()) is not None:
                    self.encoder.acknowledged(news)

    def error_db(self, observation: Observation) -> float:
        """Return the PSNR where the object stands."""
        (track,) = observation.tracks
        rows, columns = (
            slice(round(edge), round(other))
            for edge, other in ((track.box.y0, track.box.y1), (track.box.x0, track.box.x1))
        )
        shown = self.renderer.draw(observation.frame.time_ns).pixels[rows, columns].astype(float)
        return float(-10 * np.log10(np.mean((shown - observation.frame.pixels[rows, columns]) ** 2) / 255**2))


@pytest.fixture(scope="module")
def stand(
    street: NDArray[np.uint8], observe: Callable[..., Observation], walk: Callable[..., Track]
) -> Callable[..., _Seen]:
    """Return a function that lets an object with a fine pattern stand there, of one size and then another."""
    rng = np.random.default_rng(8)
    pattern = rng.integers(20, 235, (16, 13, 3), dtype=np.uint8)

    def make(*, away: int | None = None, later_px: tuple[int, int] = _OBJECT_PX) -> _Seen:
        """Make it stay, or be out of sight for one payload, and of another size from then on."""

        def see(now_ns: int) -> Observation:
            number = now_ns // _STEP_NS
            width, height = _OBJECT_PX if away is None or number < away else later_px
            track = walk(lambda _: (80.0, 60.0), now_ns, track_id=3, since_ns=0, size_px=(width, height))
            pixels = street.copy()
            x0, y0 = 80 - width // 2, 60 - height // 2
            pixels[y0 : y0 + height, x0 : x0 + width] = cv2.resize(
                pattern, (width, height), interpolation=cv2.INTER_CUBIC
            )
            return observe(pixels, street, now_ns, [] if number == away else [track])

        return see

    return make


@pytest.fixture(scope="module")
def standing(stand: Callable[..., _Seen]) -> _Seen:
    return stand()


def _textures(link: _Link) -> list[TextureElement]:
    return [element for elements in link.told for element in elements if isinstance(element, TextureElement)]


@pytest.fixture(scope="module")
def roomy(codec: SceneCodec, standing: _Seen) -> _Link:
    link = _Link(codec)
    link.run(standing, 12)
    return link


def test_with_air_to_spare_an_object_is_shown_better_than_by_a_thumbnail(
    roomy: _Link, codec: SceneCodec, standing: _Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _textures(roomy)
    assert roomy.encoder.element_bits["textures"] > 0
    monkeypatch.setattr(texture_encoder, "_MOST", 0)
    other = _Link(codec)
    other.run(standing, 12)
    assert not _textures(other)
    last = standing(12 * _STEP_NS)
    assert roomy.error_db(last) > other.error_db(last) + 1


def test_the_receiver_shows_what_the_sender_believes(roomy: _Link) -> None:
    (sprite,) = roomy.scene.sprites.values()
    look = roomy.renderer._look(next(iter(roomy.scene.sprites)), sprite.class_id, sprite.newest)
    ((_, belief),) = roomy.encoder._sprites.known()
    np.testing.assert_allclose(look.colour, belief.look.colour, atol=1e-3)
    np.testing.assert_allclose(look.alpha, belief.look.alpha, atol=1e-6)


def test_a_payload_tells_an_object_in_cells_or_by_a_thumbnail(roomy: _Link) -> None:
    for elements in roomy.told:
        looks = {each.sprite_id for each in elements if isinstance(each, LookElement | SpriteElement)}
        assert not looks & {each.sprite_id for each in elements if isinstance(each, TextureElement)}


def test_who_missed_the_first_cells_is_shown_later_ones(roomy: _Link, codec: SceneCodec, standing: _Seen) -> None:
    first = next(i for i, elements in enumerate(roomy.told) if any(isinstance(e, TextureElement) for e in elements))
    lossy = _Link(codec)
    lossy.run(standing, 12, lost=lambda number: number == first)
    last = standing(12 * _STEP_NS)
    (sprite,) = lossy.scene.sprites.values()
    assert sprite.texture is not None
    assert lossy.error_db(last) > roomy.error_db(last) - 6


def test_a_texture_does_not_starve_the_background(codec: SceneCodec, standing: _Seen) -> None:
    link = _Link(codec)
    link.run(standing, 8, octets=33)
    assert any(isinstance(element, CellElement) for elements in link.told[4:] for element in elements)


def test_cells_that_a_receiver_says_it_lacks_come_back(roomy: _Link, codec: SceneCodec, standing: _Seen) -> None:
    link = _Link(codec, acknowledged=True)
    lost: list[int] = []

    def loses(number: int) -> bool:
        if not lost and any(isinstance(each, TextureElement) for each in link.told[number]):
            lost.append(number)
        return number in lost

    link.run(standing, 12, lost=loses)
    (number,) = lost
    later = [each for elements in link.told[number + 1 :] for each in elements]
    assert any(isinstance(each, TextureElement) for each in later)
    last = standing(12 * _STEP_NS)
    assert link.error_db(last) > roomy.error_db(last) - 1


@pytest.mark.parametrize("later_px", [(64, 80), (40, 50)])
def test_who_was_out_of_sight_while_cells_were_on_their_way_is_known_as_shown(
    later_px: tuple[int, int], codec: SceneCodec, stand: Callable[..., _Seen]
) -> None:
    link = _Link(codec, acknowledged=True, every=12)
    link.run(stand(away=7, later_px=later_px), 14)
    assert _textures(link)
    for case, belief in link.encoder._sprites.known():
        assert case.track.track_id == 3
        sprite = link.scene.sprites[belief.sprite_id]
        look = link.renderer._look(belief.sprite_id, sprite.class_id, sprite.newest)
        assert belief.plain.colour.shape == (64, 64, 3)
        np.testing.assert_allclose(look.colour, belief.look.colour, atol=1e-3)
