"""A camera that looks around: what was told stays in its place in the scene, not in the picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import SIZE_PX, TENTH_NS, View

from pantel_codec import CameraElement, LinkElement, Scene, SceneSyntax, apply_element
from pantel_device.frame import CameraPlace, Observation
from pantel_device.rendering.renderer import Renderer
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_link.back_channel import Heard
from pantel_models import SceneCodec

_CAPACITY_BYTES = 44
_STEP_NS = 4 * TENTH_NS
_PAYLOADS = 22
_AGE_NS = 4 * TENTH_NS
_MIDDLE = np.array([[1.0, 0.0, SIZE_PX[0] / 2], [0.0, 1.0, SIZE_PX[1] / 2], [0.0, 0.0, 1.0]])

_Observe = Callable[..., Observation]
_Views = Callable[[int], View]


class _Watched:
    """What a receiver shows of a camera with some views."""

    def __init__(self, codec: SceneCodec, observe: _Observe, *, acknowledged: bool = False) -> None:
        self.codec = codec
        self.scene = Scene(*SIZE_PX, codec.entropy.groups)
        self.encoder = SceneEncoder(codec, SIZE_PX, SceneEncoderSettings(acknowledged=acknowledged))
        self.cameras: list[CameraElement] = []
        self.links: list[LinkElement] = []
        self._ear = Heard()
        self._observe = observe
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, *SIZE_PX)
        self._renderer = Renderer(codec, self.scene)

    def run(self, views: _Views, count: int, *, knows_motion: bool = True, lost: Collection[int] = ()) -> None:
        """Send so many payloads."""
        for number in range(count):
            now_ns = number * _STEP_NS
            pixels = views(number).picture()
            place = CameraPlace(0, _place_of(views, number)) if knows_motion else CameraPlace()
            observation = self._observe(pixels, pixels, now_ns, camera=place)
            payload = self.encoder.payload(observation, _CAPACITY_BYTES, now_ns + _AGE_NS)
            assert len(payload) <= _CAPACITY_BYTES
            self.encoder.submitted(number)
            if number not in lost:
                self._ear.add(number)
                self.hear(payload, now_ns + _AGE_NS)
            if number % 4 == 3 and (news := self._ear.news()) is not None:
                self.encoder.acknowledged(news)

    def hear(self, payload: bytes, stamp_ns: int) -> None:
        for element in self._syntax.read(payload, self.scene.background, self.scene.mosaics):
            apply_element(self.scene, element, stamp_ns)
            if isinstance(element, CameraElement):
                self.cameras.append(element)
            elif isinstance(element, LinkElement):
                self.links.append(element)

    def psnr_db(self, views: _Views, number: float) -> float:
        """Return how near the picture of a time is to what the camera saw then."""
        shown = self._renderer.draw(round(number * _STEP_NS)).pixels.astype(float)
        middle = int(number)
        seen = views(middle).picture()
        return float(10 * np.log10(255**2 / np.mean((shown - seen) ** 2)))


def _pan(number: int) -> View:
    """Stand for two seconds, then turn to the right, 15 pixels a second."""
    return View(x=180 + 6 * max(number - 5, 0))


def _zoom(number: int) -> View:
    return View(zoom=1 + 0.025 * max(number - 5, 0), turn=0.3 * max(number - 5, 0))


@pytest.fixture(scope="module")
def panned(codec: SceneCodec, observe: _Observe) -> _Watched:
    watched = _Watched(codec, observe)
    watched.run(_pan, _PAYLOADS)
    return watched


@pytest.mark.parametrize("views", [_pan, _zoom])
def test_what_was_told_goes_along(codec: SceneCodec, observe: _Observe, views: _Views) -> None:
    moving, unaware = _Watched(codec, observe), _Watched(codec, observe)
    moving.run(views, _PAYLOADS)
    unaware.run(views, _PAYLOADS, knows_motion=False)
    assert moving.cameras
    assert not unaware.cameras
    better_db = [moving.psnr_db(views, n) - unaware.psnr_db(views, n) for n in range(14, _PAYLOADS)]
    assert np.mean(better_db) > 1.0


def test_a_camera_that_stands_still_sends_what_it_sent_before_there_were_mosaics(
    codec: SceneCodec, observe: _Observe
) -> None:
    still = _Watched(codec, observe)
    still.run(lambda _: View(), 6)
    assert still.cameras == []
    assert "camera" not in still.encoder.element_bits


def test_of_lost_links_the_picture_stays_whole(codec: SceneCodec, observe: _Observe, panned: _Watched) -> None:
    costs_db = []
    for first in (5, 6, 7):  # which payload says what depends on how the CPU rounds, so one choice says little
        lossy = _Watched(codec, observe)
        lossy.run(_pan, _PAYLOADS, lost={first, first + 1, first + 2, first + 10})
        costs_db.append(panned.psnr_db(_pan, _PAYLOADS - 1) - lossy.psnr_db(_pan, _PAYLOADS - 1))
    assert np.mean(costs_db) < 1.5


def test_what_was_lost_of_a_mosaic_comes_back_when_that_is_known(codec: SceneCodec, observe: _Observe) -> None:
    lost = {6, 7, 8, 10, 13, 16}
    one_way, acknowledged = _Watched(codec, observe), _Watched(codec, observe, acknowledged=True)
    for watched in (one_way, acknowledged):
        watched.run(_pan, _PAYLOADS + 8, lost=lost)
    assert acknowledged.links  # of those told first none arrived
    better_db = [acknowledged.psnr_db(_pan, n) - one_way.psnr_db(_pan, n) for n in range(18, _PAYLOADS + 8)]
    assert np.mean(better_db) > 0.1


def test_a_moving_camera_costs_few_bits(panned: _Watched) -> None:
    bits = panned.encoder.element_bits
    assert 0 < bits["camera"] < 0.2 * sum(bits.values())
    assert len(panned.links) < len(panned.cameras) / 2


def test_the_picture_moves_between_payloads(codec: SceneCodec, panned: _Watched) -> None:
    renderer = Renderer(codec, panned.scene)
    shown = [renderer.draw(16 * _STEP_NS + tenth * TENTH_NS).pixels.astype(int) for tenth in range(5)]
    assert all(np.abs(first - second).mean() > 0.5 for first, second in itertools.pairwise(shown))


def test_the_age_of_cells_is_known_wherever_they_lie(codec: SceneCodec, panned: _Watched) -> None:
    age_s: NDArray[np.float32] = Renderer(codec, panned.scene).draw(_PAYLOADS * _STEP_NS).cell_age_s
    assert age_s.shape == (15, 20)
    assert np.isfinite(age_s).mean() > 0.8


def test_a_picture_that_turns_dark_is_dimmed_once(codec: SceneCodec, observe: _Observe) -> None:
    dimmed = _Watched(codec, observe)
    dimmed.run(_pan, 14)
    pixels = _pan(14).picture()
    dark = (pixels * 0.6).astype(np.uint8)
    octaves = float(np.log2(0.6))
    place = CameraPlace(0, _place_of(_pan, 14))
    for number in range(14, 18):
        now_ns = number * _STEP_NS
        observation = observe(dark, pixels, now_ns, exposure=(octaves,) * 3, camera=place)
        dimmed.hear(dimmed.encoder.payload(observation, _CAPACITY_BYTES, now_ns + _AGE_NS), now_ns + _AGE_NS)
    shown = Renderer(codec, dimmed.scene).draw(18 * _STEP_NS).pixels
    assert shown.mean() == pytest.approx(dark.mean(), rel=0.08)


def _place_of(views: _Views, number: int) -> NDArray[np.float64]:
    since = np.vstack([views(number).since(views(0)), [0, 0, 1]])
    return np.asarray(np.linalg.inv(_MIDDLE) @ since @ _MIDDLE, np.float64)
