"""Contours by night: noise is measured as it is, and what it does to contours is undone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Frame
from pantel_device.observer import MotionDetector, Observer, region_contours
from pantel_device.observer.low_light import denoised, noise_levels
from pantel_models import contour_map


def _drawing(*, light: float = 1.0) -> NDArray[np.uint8]:
    """Return a drawing of a house, a sun and a fence before a sky that darkens, (240, 320, 3)."""
    sky = np.linspace(70, 110, 240)[:, None, None]
    drawing = np.ascontiguousarray(np.broadcast_to(sky, (240, 320, 3))).astype(np.uint8)
    cv2.rectangle(drawing, (60, 110), (170, 215), (140, 60, 40), -1)
    cv2.fillPoly(drawing, [np.array([(50, 110), (115, 55), (180, 110)], np.int32)], (45, 40, 60))
    cv2.rectangle(drawing, (85, 135), (110, 160), (190, 190, 150), -1)
    cv2.rectangle(drawing, (130, 150), (152, 215), (60, 90, 60), -1)
    cv2.circle(drawing, (255, 65), 28, (200, 180, 90), -1)
    for x in range(190, 315, 14):
        cv2.line(drawing, (x, 170), (x, 215), (160, 160, 150), 3)
    return np.asarray(cv2.GaussianBlur(drawing, (0, 0), 0.7) * light, np.uint8)


def _noisy(pixels: NDArray[np.uint8], levels: float, *, seed: int = 1) -> NDArray[np.uint8]:
    """Return a picture with noise of a standard deviation, the same in red, green and blue."""
    noise = np.random.default_rng(seed).normal(0, levels, pixels.shape[:2])
    return np.clip(np.rint(pixels + noise[..., None]), 0, 255).astype(np.uint8)


def _f1(expected: NDArray[np.uint8], found: NDArray[np.uint8]) -> float:
    """Return the F1 score of contours, (H, W) 0 or 1, with a tolerance of 2 pixels."""
    from_expected, from_found = (
        cv2.distanceTransform(1 - contours, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for contours in (expected, found)
    )
    precision, recall = float((from_expected[found > 0] <= 2).mean()), float((from_found[expected > 0] <= 2).mean())
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("light", "levels"), [(1.0, 20), (1.0, 30), (0.5, 12), (0.5, 20)])
def test_contours_of_a_noisy_drawing_come_nearer_to_those_of_the_clean_one(light: float, levels: float) -> None:
    clean = _drawing(light=light)
    noisy = _noisy(clean, levels)
    expected = contour_map(clean)
    before, after = _f1(expected, contour_map(noisy)), _f1(expected, contour_map(denoised(noisy)))
    assert after > before + 0.02
    assert after > 0.8


def test_night_before_the_test_camera() -> None:
    frame = SyntheticCamera((320, 240), 10.0, seed=3).capture(0)
    assert frame is not None
    clean = np.asarray(cv2.GaussianBlur(frame.pixels, (0, 0), 0.7) * 0.5, np.uint8)
    noisy = _noisy(clean, 16)
    expected = contour_map(clean)
    assert _f1(expected, contour_map(denoised(noisy))) > _f1(expected, contour_map(noisy)) + 0.1


@pytest.mark.parametrize("levels", [0, 2, 5, 10, 20])
def test_noise_is_measured_in_spite_of_edges(levels: float) -> None:
    grey = np.asarray(cv2.cvtColor(_noisy(_drawing(), levels), cv2.COLOR_RGB2GRAY), np.uint8)
    assert noise_levels(grey) == pytest.approx(levels, rel=0.1, abs=0.5)


def test_pictures_by_day_are_left_alone() -> None:
    frame = SyntheticCamera((320, 240), 10.0).capture(0)
    assert frame is not None
    for pixels in (frame.pixels, _drawing(), _noisy(_drawing(), 5)):
        assert denoised(pixels) is pixels


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 9))
def test_any_size_will_do(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    smooth = denoised(pixels)
    assert smooth.shape == pixels.shape
    assert smooth.dtype == np.uint8


def test_the_observer_draws_contours_without_noise_and_keeps_the_picture() -> None:
    noisy = _noisy(_drawing(light=0.5), 20)
    observation = Observer(MotionDetector()).observe(Frame(0, 0, noisy.copy()))
    assert np.array_equal(region_contours(observation), contour_map(denoised(noisy)))
    assert region_contours(observation).mean() < 0.7 * contour_map(noisy).mean()
    assert np.array_equal(observation.frame.pixels, noisy)
