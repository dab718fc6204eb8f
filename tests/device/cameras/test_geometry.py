"""What the camera sees, turned, cut and scaled: nothing distorted, nothing mirrored, the same for every camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_device.cameras import Geometry, open_camera
from pantel_device.cameras.geometry import STRETCHED, Rotation, stretched

_ROTATIONS = (0, 90, 180, 270)
_SIDES = st.integers(1, 90)
_SHARES = st.tuples(st.floats(0, 0.9), st.floats(0.01, 1)).map(lambda pair: (pair[0], min(pair[1], 1 - pair[0])))


def _quarters() -> NDArray[np.uint8]:
    """Return a picture of 80x40 whose quarters are numbered 1, 2 (above) and 3, 4 (below), in tens of grey levels."""
    numbers = np.array([[10, 20], [30, 40]], np.uint8)
    return np.repeat(np.kron(numbers, np.ones((20, 40), np.uint8))[..., None], 3, axis=2)


def _numbers(pixels: NDArray[np.uint8]) -> list[int]:
    """Return the numbers in the corners: upper left, upper right, lower left, lower right."""
    return [int(pixels[row, column, 0]) // 10 for row in (2, -3) for column in (2, -3)]


@pytest.mark.parametrize(
    ("rotation", "size_px", "numbers"),
    [
        (0, (80, 40), [1, 2, 3, 4]),
        (90, (40, 80), [3, 1, 4, 2]),
        (180, (80, 40), [4, 3, 2, 1]),
        (270, (40, 80), [2, 4, 1, 3]),
    ],
)
def test_pictures_are_turned_clockwise(rotation: Rotation, size_px: tuple[int, int], numbers: list[int]) -> None:
    turned = Geometry(rotation).fit(_quarters(), size_px)
    assert turned.shape == (size_px[1], size_px[0], 3)
    assert _numbers(turned) == numbers


@pytest.mark.parametrize(
    ("crop", "numbers"),
    [
        ((0.0, 0.0, 0.5, 1.0), [3, 3, 4, 4]),
        ((0.5, 0.5, 0.5, 0.5), [2, 2, 2, 2]),
        ((0.0, 0.5, 1.0, 0.5), [4, 2, 4, 2]),
    ],
)
def test_parts_are_of_the_upright_picture(crop: tuple[float, float, float, float], numbers: list[int]) -> None:
    part = Geometry(90, crop).fit(_quarters(), (20, 20))  # of 3 and 1 above, 4 and 2 below
    assert _numbers(part) == numbers


@pytest.mark.parametrize("source_px", [(640, 360), (640, 480), (480, 640), (321, 241), (100, 700)])
@pytest.mark.parametrize("size_px", [(320, 240), (320, 180), (240, 320)])
def test_what_is_round_stays_round_and_in_the_middle(source_px: tuple[int, int], size_px: tuple[int, int]) -> None:
    width, height = source_px
    radius = min(source_px) / 4
    y, x = np.mgrid[:height, :width] + 0.5
    disc = np.repeat((np.hypot(x - width / 2, y - height / 2) < radius)[..., None], 3, axis=2) * np.uint8(255)
    rows, columns = np.nonzero(Geometry().fit(disc, size_px)[..., 0] > 127)
    across, down = np.ptp(columns) + 1, np.ptp(rows) + 1
    scale = max(size_px[0] / width, size_px[1] / height)
    assert across == pytest.approx(2 * radius * scale, abs=2.5)
    assert across == pytest.approx(down, abs=2)
    # Where a pixel of the source is odd in the middle, it goes to one side.
    assert columns.mean() + 0.5 == pytest.approx(size_px[0] / 2, abs=0.6 * scale + 0.5)
    assert rows.mean() + 0.5 == pytest.approx(size_px[1] / 2, abs=0.6 * scale + 0.5)


@given(
    source_px=st.tuples(_SIDES, _SIDES),
    size_px=st.tuples(_SIDES, _SIDES),
    rotation=st.sampled_from(_ROTATIONS),
    across=_SHARES,
    down=_SHARES,
    stretch=st.booleans(),
)
def test_any_picture_becomes_any_size(
    source_px: tuple[int, int],
    size_px: tuple[int, int],
    rotation: Rotation,
    across: tuple[float, float],
    down: tuple[float, float],
    *,
    stretch: bool,
) -> None:
    geometry = Geometry(rotation, (across[0], down[0], across[1], down[1]), stretch)
    fitted = geometry.fit(np.full((source_px[1], source_px[0], 3), 77, np.uint8), size_px)
    assert fitted.shape == (size_px[1], size_px[0], 3)
    assert fitted.dtype == np.uint8
    assert fitted.flags.c_contiguous
    assert np.ptp(fitted) == 0


@given(
    size_px=st.tuples(st.integers(32, 400), st.integers(32, 400)),
    rotation=st.sampled_from(_ROTATIONS),
    width=st.floats(0.1, 1),
    height=st.floats(0.1, 1),
    full_width_px=st.integers(0, 2000),
    oversampling=st.integers(1, 2),
)
def test_a_source_of_the_size_that_is_asked_for_need_not_be_enlarged(
    size_px: tuple[int, int], rotation: Rotation, width: float, *, height: float, full_width_px: int, oversampling: int
) -> None:
    geometry = Geometry(rotation, (0.0, 0.0, width, height), full_width_px=full_width_px)
    source_px = geometry.source_size_px(size_px, oversampling)
    upright_px = source_px[::-1] if rotation in {90, 270} else source_px
    wanted_px = max(oversampling * size_px[0], full_width_px)
    assert 0 <= upright_px[0] - wanted_px / width + 1e-5 < 1.00002
    assert 0 <= upright_px[1] - wanted_px * size_px[1] / size_px[0] / height + 1e-5 < 1.00002


def test_stretching_keeps_all_of_the_picture() -> None:
    assert _numbers(STRETCHED.fit(_quarters(), (40, 40))) == [1, 2, 3, 4]
    narrow = Geometry().fit(_quarters(), (20, 40))
    assert _numbers(narrow) == [1, 2, 3, 4]
    assert (narrow[:, :10] == _quarters()[:, 30:40]).all()  # of the middle, not of the whole


def test_shrinking_averages_areas() -> None:
    checkers = np.indices((48, 64)).sum(axis=0) % 2 * 200
    assert np.all(stretched(np.repeat(checkers[..., None], 3, axis=2).astype(np.uint8), (32, 24)) == 100)


def test_a_picture_that_fits_is_left_alone() -> None:
    picture = _quarters()
    assert np.shares_memory(Geometry().fit(picture, (80, 40)), picture)


@pytest.mark.parametrize(
    "crop", [(0, 0, 0, 1), (0.5, 0, 0.6, 1), (-0.1, 0, 1, 1), (0, float("nan"), 1, 1), (0, 0, 1, float("inf"))]
)
def test_parts_outside_the_picture_are_refused(crop: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"shares of the picture, such as 0\.25,0\.25,0\.5,0\.5"):
        Geometry(crop=crop)


def test_pictures_clips_and_the_test_camera_are_turned_alike(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "quarters.png"), _quarters())
    writer = cv2.VideoWriter(str(tmp_path / "quarters.mkv"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 40))
    for _ in range(3):
        writer.write(_quarters())
    writer.release()
    geometry = Geometry(180, (0.0, 0.0, 1.0, 1.0))
    for name in ("quarters.png", "quarters.mkv"):
        frame = open_camera(f"file:{tmp_path / name}", (80, 40), 10, geometry).capture(0)
        assert frame is not None
        assert np.abs(frame.pixels[[2, 2, -3, -3], [2, -3, 2, -3], 0] - np.array([40.0, 30, 20, 10])).max() <= 3
    upright, turned = (open_camera("test:1", (64, 48), 10, Geometry(rotation)).capture(0) for rotation in (0, 180))
    assert upright is not None
    assert turned is not None
    assert np.array_equal(turned.pixels, upright.pixels[::-1, ::-1])
