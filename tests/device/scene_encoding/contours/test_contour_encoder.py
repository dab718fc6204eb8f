"""Contours of the background: told rectangle by rectangle, refined, told again, and then there is nothing to tell."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import MAX_CONTOUR_BITS, ContourElement, Drawing, contour_bits
from pantel_device.scene_encoding.contours.contour_encoder import ContourEncoder
from pantel_device.scene_encoding.contours.line_view import drawn, line_error
from pantel_models import contour_map

WIDTH, HEIGHT = 320, 240
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def room() -> NDArray[np.uint8]:
    """A picture of shapes, (240, 320, 3)."""
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    cv2.rectangle(picture, (30, 40), (110, 200), (220, 220, 220), -1)
    cv2.circle(picture, (220, 90), 45, (20, 20, 20), -1)
    cv2.line(picture, (0, 230), (319, 180), (250, 250, 250), 3)
    return picture


def encoder(**settings: float) -> ContourEncoder:
    return ContourEncoder((WIDTH, HEIGHT), loss=settings.get("loss", 0.05), refresh_s=settings.get("refresh_s", 120.0))


def tell(
    it: ContourEncoder, contours: NDArray[np.uint8], now_ns: int, room_bits: float = 264.0
) -> ContourElement | None:
    """Tell what is worth most, and return it."""
    it.look(contours)
    news = it.news(now_ns, room_bits)
    if news is None:
        return None
    assert news.bits <= min(room_bits, MAX_CONTOUR_BITS)
    assert (news.kind, news.track_id) == ("contours", None)
    element = news.elements[0]
    assert isinstance(element, ContourElement)
    it.sent(element, now_ns)
    return element


def test_all_contours_are_told_coarse_before_fine(room: NDArray[np.uint8]) -> None:
    it, contours = encoder(), contour_map(room)
    receiver = Drawing(WIDTH, HEIGHT)
    wrong, steps = [], []
    for k in range(16):
        element = tell(it, contours, k * SECOND_NS)
        if element is not None:
            receiver.add(element.patch, k * SECOND_NS)
            steps.append(element.patch.step)
        wrong.append(float(line_error(contours, drawn(receiver)).sum()) / contours.sum())
    np.testing.assert_array_equal(it.shown, drawn(receiver))
    assert wrong[0] < 1
    assert wrong[7] < 0.6
    assert wrong[-1] < 0.35
    assert steps[0] > min(steps)


def test_less_room_takes_less(room: NDArray[np.uint8]) -> None:
    for room_bits in (60.0, 100.0, 300.0):
        element = tell(encoder(), contour_map(room), 0, room_bits)
        assert element is not None
        assert contour_bits(element.patch.samples).sum() < room_bits
    assert tell(encoder(), contour_map(room), 0, 30.0) is None


def test_nothing_is_told_of_an_empty_picture() -> None:
    assert tell(encoder(), np.zeros((HEIGHT, WIDTH), np.uint8), 0) is None


def test_what_was_told_is_worth_little_until_somebody_may_have_joined(room: NDArray[np.uint8]) -> None:
    it, contours = encoder(refresh_s=60.0), contour_map(room)
    for k in range(40):
        tell(it, contours, k * SECOND_NS)
    it.look(contours)
    now, later = (it.news(seconds * SECOND_NS, 264.0) for seconds in (41, 400))
    assert later is not None
    assert later.gain_px > 60
    assert now is None or now.gain_px < 0.3 * later.gain_px


def test_what_has_changed_is_told_anew(room: NDArray[np.uint8]) -> None:
    it, contours = encoder(), contour_map(room)
    for k in range(30):
        tell(it, contours, k * SECOND_NS)
    changed = room.copy()
    cv2.rectangle(changed, (200, 150), (290, 235), (10, 200, 10), -1)
    element = tell(it, contour_map(changed), 31 * SECOND_NS)
    assert element is not None
    left, _, right, lower = element.patch.edges_px
    assert left < 290
    assert right > 200
    assert lower > 150


def test_a_picture_with_very_many_contours_begins_with_the_strong_ones(room: NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, (60, 80), dtype=np.uint8)
    texture = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    it = encoder()
    it.open(cv2.merge([texture] * 3).astype(np.uint8))
    assert it.strength > 1.5
    for _ in range(40):
        it.relax()
    assert it.strength == 1
    calm = encoder()
    calm.open(room)
    assert calm.strength == 1


def test_what_is_of_interest_comes_first(room: NDArray[np.uint8]) -> None:
    weights = np.ones((HEIGHT, WIDTH), np.float32)
    weights[:, : WIDTH // 2] = 0.01
    it = ContourEncoder((WIDTH, HEIGHT), loss=0.05, refresh_s=120.0, pixel_weights=weights)
    element = tell(it, contour_map(room), 0)
    assert element is not None
    assert element.patch.edges_px[0] > WIDTH / 3
