from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.errors import MetricError
from pantel_bench.metrics import PSNR_CAP_DB, contour_f1, gmsd, grid_ratio, haarpsi, ms_ssim, psnr_db, score

Picture = NDArray[np.uint8]


def blurred(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


@pytest.mark.parametrize(
    ("metric", "perfect"),
    [(psnr_db, PSNR_CAP_DB), (ms_ssim, 1.0), (haarpsi, 1.0), (gmsd, 0.0), (contour_f1, 1.0), (grid_ratio, 1.0)],
)
def test_equal_pictures(metric: Callable[[Picture, Picture], float], perfect: float, scene: Picture) -> None:
    assert metric(scene, scene) == pytest.approx(perfect)


@pytest.mark.parametrize("metric", [psnr_db, ms_ssim, haarpsi, contour_f1])
def test_more_blur_is_worse(metric: Callable[[Picture, Picture], float], scene: Picture) -> None:
    values = [metric(scene, blurred(scene, sigma)) for sigma in (0.7, 1.5, 3.0, 6.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


@pytest.mark.parametrize("metric", [psnr_db, ms_ssim, haarpsi, gmsd, contour_f1, grid_ratio])
@pytest.mark.parametrize(
    "other", [np.zeros((64, 48, 3), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3))]
)
def test_unlike_pictures_are_refused(metric: Callable[[Picture, Picture], float], other: Picture) -> None:
    with pytest.raises(MetricError):
        metric(np.zeros((64, 64, 3), np.uint8), other)


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((32, 32, 3), np.uint8)
    assert psnr_db(black, black + np.uint8(5)) == pytest.approx(20 * math.log10(255 / 5))


def test_ms_ssim_of_flat_pictures_is_their_luminance_term() -> None:
    dark, light = np.full((176, 176, 3), 100, np.uint8), np.full((176, 176, 3), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    assert ms_ssim(dark, light) == pytest.approx(luminance**0.1333)


@pytest.mark.parametrize(
    ("side", "scales"), [(176, 5), (175, 4), (88, 4), (87, 3), (44, 3), (43, 2), (22, 2), (21, 1), (11, 1)]
)
def test_small_pictures_have_fewer_scales_with_renormalised_weights(side: int, scales: int) -> None:
    dark, light = np.full((side, side, 3), 100, np.uint8), np.full((side, side, 3), 120, np.uint8)
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)[:scales]
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    total = 1.0 if scales == 5 else sum(weights)
    assert ms_ssim(dark, light) == pytest.approx(luminance ** (weights[-1] / total))


def test_ms_ssim_needs_room_for_its_window() -> None:
    tiny = np.zeros((10, 64, 3), np.uint8)
    with pytest.raises(MetricError, match="11x11"):
        ms_ssim(tiny, tiny)


def test_contours_forgive_two_pixels_and_not_more() -> None:
    def bar(left: int) -> Picture:
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[:, left : left + 20] = 255
        return picture

    assert contour_f1(bar(20), bar(22)) == 1.0
    assert contour_f1(bar(20), bar(26)) < 0.2


def test_contours_of_flat_pictures(scene: Picture) -> None:
    flat = np.full_like(scene, 90)
    assert contour_f1(flat, flat) == 1.0
    assert contour_f1(scene, flat) == 0.0
    assert contour_f1(flat, scene) == 0.0


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_a_printed_grid_shows(period: int, scene: Picture) -> None:
    printed = scene.astype(np.int64)
    printed[::period] += 12
    assert grid_ratio(scene, np.clip(printed, 0, 255).astype(np.uint8)) > 1.5


def test_blur_and_noise_print_no_grid(scene: Picture) -> None:
    noise = np.random.default_rng(3).normal(0, 8, scene.shape)
    noisy = np.clip(scene + noise, 0, 255).astype(np.uint8)
    for decoded in (blurred(scene, 2.0), noisy):
        assert 0.7 < grid_ratio(scene, decoded) < 1.3


def test_flat_pictures_have_no_grid() -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert grid_ratio(flat, flat + np.uint8(3)) == pytest.approx(1.0)


def test_scores_leave_out_what_cannot_be_measured() -> None:
    small = np.full((48, 48, 3), 90, np.uint8)
    scores = score(small, small, None)
    assert scores.lpips is None
    assert scores.grid_ratio is None
    assert scores.psnr_db == PSNR_CAP_DB


def test_haarpsi_is_what_its_formula_says() -> None:
    """A horizontal edge, by hand: one coefficient of each fine scale, and the weights of the coarse one."""
    source = np.zeros((32, 32, 3), np.uint8)
    source[16:] = 100
    decoded = np.zeros((32, 32, 3), np.uint8)
    decoded[16:] = 40

    # Straight from the definition, with loops instead of filters.
    def halved(picture: Picture) -> NDArray[np.float64]:
        luma = picture[..., 0].astype(float)  # grey: I and Q are zero, and so alike
        padded = np.pad(luma, ((0, 1), (0, 1)))
        sums = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
        return np.asarray(sums[::2, ::2] / 4, np.float64)

    def detail(plane: NDArray[np.float64], side: int) -> NDArray[np.float64]:
        padded = np.pad(plane, side)
        found = np.zeros_like(plane)
        for row in range(len(plane)):
            for column in range(len(plane)):
                y, x = row + side // 2 + 1, column + side // 2 + 1
                window = padded[y : y + side, x : x + side]
                found[row, column] = abs(window[side // 2 :].sum() - window[: side // 2].sum()) / side
        return found

    total = weight = 0.0
    maps = []
    for transpose in (False, True):
        one, other = (halved(p).T if transpose else halved(p) for p in (source, decoded))
        similarity = np.zeros_like(one)
        for side in (2, 4):
            a, b = detail(one, side), detail(other, side)
            similarity += (2 * a * b + 30) / (a * a + b * b + 30) / 2
        w = np.maximum(detail(one, 8), detail(other, 8))
        maps.append((similarity, w) if not transpose else (similarity.T, w.T))
    maps.append((np.ones_like(maps[0][0]), (maps[0][1] + maps[1][1]) / 2))
    for similarity, w in maps:
        total += float((w / (1 + np.exp(-4.2 * similarity))).sum())
        weight += float(w.sum())
    share = total / weight
    assert haarpsi(source, decoded) == pytest.approx((math.log(share / (1 - share)) / 4.2) ** 2, rel=1e-4)


def test_gmsd_is_what_its_formula_says() -> None:
    """A vertical edge between flat halves: gradients lie in two columns, and along the frame of zeros outside."""
    source, decoded = (np.full((16, 16, 3), 20, np.uint8) for _ in range(2))
    source[:, 8:], decoded[:, 8:] = 120, 60

    def magnitude(picture: Picture) -> NDArray[np.float64]:
        luma = np.pad(picture[..., 0].astype(float), ((0, 1), (0, 1)))
        plane = np.pad([[luma[i : i + 2, j : j + 2].mean() for j in range(0, 16, 2)] for i in range(0, 16, 2)], 1)
        found = np.zeros((8, 8))
        for i in range(8):
            for j in range(8):
                window = plane[i : i + 3, j : j + 3]
                across, down = window[:, 0] - window[:, 2], window[0] - window[2]
                found[i, j] = math.hypot(across.sum() / 3, down.sum() / 3)
        return found

    one, other = magnitude(source), magnitude(decoded)
    expected = ((2 * one * other + 170) / (one**2 + other**2 + 170)).std()
    assert 0.01 < gmsd(source, decoded) == pytest.approx(expected)


def test_more_blur_deviates_more(scene: Picture) -> None:
    values = [gmsd(scene, blurred(scene, sigma)) for sigma in (0.7, 1.5, 3.0)]
    assert values == sorted(values)
