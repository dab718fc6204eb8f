"""Pictures for the benchmarks: a seeded one that is always there, Kodak and the LPIPS weights where they lie."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

_SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"


def _make_scene(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture with a sky, hills, a house, a disc and a little noise."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.stack([90 + 60 * rows / height, 130 + 40 * rows / height, 210 - 80 * rows / height], axis=2)
    hills = rows > height * (0.6 + 0.1 * np.sin(columns / width * 9))
    picture[hills] = (70, 110, 50)
    picture[height // 2 : height * 3 // 4, width // 5 : width // 2] = (160, 80, 60)
    picture[np.hypot(rows - height / 4, columns - width * 0.7) < height / 10] = (250, 240, 160)
    texture = cv2.GaussianBlur(rng.normal(0, 40, (height, width)), (0, 0), 1.5)
    return np.clip(picture + texture[..., None], 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def scene() -> NDArray[np.uint8]:
    picture = _make_scene(256, 256)
    picture.flags.writeable = False
    return picture


@pytest.fixture
def kodak() -> Path:
    folder = _SHARED_DATA / "kodak"
    if not folder.is_dir():
        pytest.skip("the Kodak pictures are not here")
    return folder


@pytest.fixture
def lpips_weights() -> Path:
    path = _SHARED_DATA / "weights" / "lpips_squeeze_v01.npz"
    if not path.is_file():
        pytest.skip("the weights of LPIPS are not here")
    return path
