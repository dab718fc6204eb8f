"""Contours by night: noise is measured, and taken away where Canny would mistake it for contours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["denoised", "noise_levels"]

# The difference of two Laplacians: straight edges and slopes vanish in it, and noise comes out 6 times as strong.
_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_NOISE_GAIN = 6.0
_MEDIAN_OF_ABSOLUTE = 0.6745  # of a normal distribution of standard deviation 1

# Below that a filter takes more contours than noise makes. Hardly any photograph by day lies above, by its texture.
_NOISY_LEVELS = 8.0
_LEFT_LEVELS = 4.0  # more of strong noise must not be left; a filter of twice the width would blur more
_MOST_PASSES = 2
_DIAMETER_PX = 5
_SIGMA_PX = 2.0
_SIGMA_OF_NOISE = 2.0  # differences of so many standard deviations are edges rather than noise


def noise_levels(luma: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the noise in a picture [grey levels].

    The method is that of Immerkær, "Fast noise variance estimation" (Computer Vision and Image Understanding 1996),
    with the median of the mask's answers instead of their mean, so that texture and corners count less. Noise that is
    alike in neighbouring pixels, as after JPEG at few bits, is underrated.

    Args:
        luma: (H, W) uint8.

    Returns:
        0 for a picture of less than 3x3 pixels, which has no neighbourhoods.
    """
    if min(luma.shape) < 3:
        return 0.0
    answers = cv2.filter2D(luma, cv2.CV_16S, _NOISE_MASK)[1:-1:2, 1:-1:2]  # a quarter of them tells as much
    return float(np.median(np.abs(answers))) / (_NOISE_GAIN * _MEDIAN_OF_ABSOLUTE)


def denoised(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what to look for contours in: the picture itself, or its luma without noise if there is much.

    A bilateral filter (Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998) keeps the edges
    that stand out from the noise. An average over time would do that better where nothing moves, and smear what moves,
    whose contours are the ones that count.

    Args:
        pixels: (H, W, 3) uint8, RGB.

    Returns:
        (H, W, 3) uint8: the same array, or three equal planes.
    """
    luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    noise = noise_levels(luma)
    if noise < _NOISY_LEVELS:
        return pixels
    for _ in range(_MOST_PASSES):
        luma = np.asarray(cv2.bilateralFilter(luma, _DIAMETER_PX, _SIGMA_OF_NOISE * noise, _SIGMA_PX), np.uint8)
        noise = noise_levels(luma)
        if noise < _LEFT_LEVELS:
            break
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2RGB), np.uint8)
