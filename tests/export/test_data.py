from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pantel_export.data import PhotoSet
from pantel_export.errors import DataError


def test_a_batch_depends_on_seed_and_step_alone(photos: PhotoSet) -> None:
    first = photos.batch(size=3, crop_px=96, seed=1, step=7)
    again = photos.batch(size=3, crop_px=96, seed=1, step=7)
    other = photos.batch(size=3, crop_px=96, seed=1, step=8)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.contours, again.contours)
    assert not np.array_equal(first.pixels, other.pixels)
    assert first.pixels.shape == (3, 96, 96, 3)
    assert set(np.unique(first.contours)) <= {0, 1}


def test_a_folder_without_pictures_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures"):
        PhotoSet([tmp_path], minimum_px=96)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken\.png"):
        PhotoSet([tmp_path], minimum_px=96)


def test_small_pictures_are_left_out(photo_folder: Path) -> None:
    with pytest.raises(DataError, match="at least 300 px"):
        PhotoSet([photo_folder], minimum_px=300)
