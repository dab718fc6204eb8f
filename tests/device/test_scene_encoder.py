"""The sender's choices: what fills a payload, and what the receiver has of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import CellElement, Scene, SceneSyntax, apply_element
from pantel_device.frame import Frame, Observation
from pantel_device.persistence import Persistence
from pantel_device.renderer import Renderer
from pantel_device.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_models import SceneCodec, contour_map, find_artefact, load_scene_codec

WIDTH, HEIGHT = 160, 112
CAPACITY_BYTES = 31
STEP_NS = 400_000_000


@pytest.fixture(scope="module")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact())


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """A smooth picture with a patch of finer structure."""
    rng = np.random.default_rng(4)
    noise = rng.integers(40, 200, (7, 10, 3), dtype=np.uint8)
    pixels = np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    patch = np.repeat(rng.integers(40, 200, (5, 5, 1), dtype=np.uint8), 3, axis=2)
    pixels[32:64, 96:128] = cv2.resize(patch, (32, 32), interpolation=cv2.INTER_CUBIC)
    return pixels


def observation(pixels: NDArray[np.uint8], number: int, mask: NDArray[np.bool_] | None = None) -> Observation:
    mask = np.ones((HEIGHT, WIDTH), np.bool_) if mask is None else mask
    contours = contour_map(pixels, mask.astype(np.uint8))
    frame = Frame(number, number * STEP_NS, pixels.copy())
    return Observation(frame, (), mask.copy(), contours, np.zeros_like(mask))


class Link:
    """A perfect link: every payload changes the scene."""

    def __init__(self, codec: SceneCodec, settings: SceneEncoderSettings | None = None) -> None:
        self.encoder = SceneEncoder(codec, (WIDTH, HEIGHT), settings)
        self.syntax = SceneSyntax(codec.entropy, WIDTH, HEIGHT)
        self.scene = Scene(WIDTH, HEIGHT, codec.entropy.groups)
        self.renderer = Renderer(codec, self.scene)
        self.sent = 0

    def send(self, pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> list[CellElement]:
        payload = self.encoder.payload(observation(pixels, self.sent, mask), CAPACITY_BYTES)
        assert len(payload) <= CAPACITY_BYTES
        elements = self.syntax.read(payload.ljust(CAPACITY_BYTES, b"\0"))
        for element in elements:
            apply_element(self.scene, element, self.sent * STEP_NS)
        self.sent += 1
        assert all(isinstance(element, CellElement) for element in elements)
        return [element for element in elements if isinstance(element, CellElement)]

    def psnr_db(self, pixels: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> float:
        error = (self.renderer.draw().astype(float) - pixels) ** 2
        return float(
            10 * np.log10(255**2 / error[np.ones_like(error[..., 0], bool) if where is None else where].mean())
        )


@pytest.fixture
def link(codec: SceneCodec) -> Link:
    return Link(codec)


def test_a_still_picture_is_covered_soon_and_grows_sharper(link: Link, picture: NDArray[np.uint8]) -> None:
    for _ in range(6):
        link.send(picture)
    assert (link.scene.background.level > 0).mean() > 0.9
    early = link.psnr_db(picture)
    for _ in range(24):
        link.send(picture)
    assert link.psnr_db(picture) > early + 1.0


def test_the_region_of_interest_comes_first_and_grows_sharp_first(
    codec: SceneCodec, picture: NDArray[np.uint8]
) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[32:64, 96:128] = True
    favoured, flat = Link(codec), Link(codec, SceneEncoderSettings(roi_weight=1.0))
    for _ in range(12):
        favoured.send(picture, mask)
        flat.send(picture, mask)
    assert favoured.psnr_db(picture, mask) > flat.psnr_db(picture, mask) + 1.0


def test_what_has_left_is_painted_over(link: Link, picture: NDArray[np.uint8]) -> None:
    walker = picture.copy()
    walker[48:96, 16:48] = (10, 10, 10)
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[44:100, 12:52] = True
    for _ in range(10):
        link.send(walker, mask)
    ghost = np.zeros_like(mask)
    ghost[48:96, 16:48] = True
    assert link.psnr_db(picture, ghost) < 15
    for _ in range(4):
        link.send(picture)
    assert link.psnr_db(picture, ghost) > 18


def test_payloads_of_the_same_frames_are_the_same(codec: SceneCodec, picture: NDArray[np.uint8]) -> None:
    first, second = SceneEncoder(codec, (WIDTH, HEIGHT)), SceneEncoder(codec, (WIDTH, HEIGHT))
    for number in range(3):
        seen = observation(picture, number)
        assert first.payload(seen, CAPACITY_BYTES) == second.payload(seen, CAPACITY_BYTES)


def test_a_small_packet_still_carries_something(link: Link, picture: NDArray[np.uint8]) -> None:
    assert 0 < len(link.encoder.payload(observation(picture, 0), 16)) <= 16


def test_what_changes_is_expected_to_change_again(codec: SceneCodec) -> None:
    persistence = Persistence(codec)
    latents = np.zeros((codec.entropy.channels, 2, 3), np.float32)
    persistence.update(latents, 0)
    for step in range(1, 26):
        latents[0, 0, 0] += 100.0
        lasting_s = persistence.update(latents, step * STEP_NS)
    assert lasting_s[0, 0] == pytest.approx(0.4)
    assert lasting_s[1, 2] == pytest.approx(12.0)
