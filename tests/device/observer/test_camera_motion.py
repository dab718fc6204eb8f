"""The camera's motion: right where the picture tells it, and not known where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import NOISE_LEVELS, SIZE_PX, View

from pantel_device.frame import Box
from pantel_device.observer.camera_motion import CameraMotion, camera_motion, corner_shift_px, still_share, warped
from pantel_device.observer.corner_tracks import find_corners, track_corners
from pantel_device.observer.difference import working_picture

_HERE = View()


def _luma(picture: NDArray[np.uint8], seed: int, noise: float = NOISE_LEVELS) -> NDArray[np.uint8]:
    noisy = picture + np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.ascontiguousarray(working_picture(np.clip(noisy, 0, 255).astype(np.uint8))[..., 0])


def _estimate(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> CameraMotion | None:
    corners = find_corners(before, 200, 8.0)
    return camera_motion(corners, *track_corners(before, now, corners), SIZE_PX)


def _between(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> CameraMotion | None:
    return _estimate(_luma(before, 1), _luma(now, 2))


def _error_px(motion: CameraMotion | None, expected: NDArray[np.float64]) -> float:
    assert motion is not None
    return float(np.abs(corner_shift_px(motion.matrix, SIZE_PX) - corner_shift_px(expected, SIZE_PX)).max())


@pytest.mark.parametrize(
    "there",
    [
        View(),
        View(x=260.4, y=209.7),
        View(x=267, y=207),
        View(x=240, y=222),
        View(zoom=1.03),
        View(zoom=0.96),
        View(turn=1.5),
        View(x=255, y=213, zoom=1.02, turn=-1.0),
    ],
)
def test_pans_zooms_and_turns_are_measured(there: View) -> None:
    motion = _between(_HERE.picture(), there.picture())
    assert _error_px(motion, there.since(_HERE)) < 0.3
    assert motion is not None
    assert motion.known
    assert motion.inlier_share > 0.6


@pytest.mark.parametrize("gain", [0.6, 1.5])
def test_an_exposure_jump_is_no_obstacle(gain: float) -> None:
    there = View(x=266, y=208)
    exposed = np.clip(there.picture() * gain, 0, 255).astype(np.uint8)
    assert _error_px(_between(_HERE.picture(), exposed), there.since(_HERE)) < 0.3


def test_a_large_mover_of_fine_texture_does_not_outvote_the_ground() -> None:
    there = View(x=263)
    before, now = _HERE.picture(Box(90, 60, 160, 190)), there.picture(Box(96, 60, 166, 190))
    assert _error_px(_between(before, now), there.since(_HERE)) < 0.3


def test_the_ground_has_to_fill_most_of_the_picture() -> None:
    parts = [Box(x, y, x + 75, y + 110) for x in (0, 80, 160, 240) for y in (0, 115)]
    shifts = (3.0, -4.0, 6.0, -2.0, -5.0, 2.0, 4.0, -3.0)
    moved = [Box(box.x0 + dx, box.y0, box.x1 + dx, box.y1) for box, dx in zip(parts, shifts, strict=True)]
    assert _between(_HERE.picture(*parts), _HERE.picture(*moved)) is None


@pytest.mark.parametrize("level", [3, 128])
def test_a_picture_without_texture_is_not_known(level: int) -> None:
    grey = np.full((240, 320, 3), level, np.uint8)
    assert _between(grey, grey) is None
    assert _estimate(np.zeros((240, 320), np.uint8), np.zeros((240, 320), np.uint8)) is None


def test_a_small_patch_of_texture_is_not_enough() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    before, now = grey.copy(), grey.copy()
    before[100:160, 100:160] = _HERE.picture()[150:210, 150:210]
    now[100:160, 104:164] = _HERE.picture()[150:210, 150:210]
    assert _between(before, now) is None


def test_the_dark_is_not_known() -> None:
    dark = (_HERE.picture() * 0.02).astype(np.uint8)
    assert _estimate(_luma(dark, 1, 4.0), _luma(dark, 2, 4.0)) is None


def test_another_scene_is_not_known() -> None:
    assert _between(_HERE.picture(), _HERE.picture()[::-1, ::-1].copy()) is None


def test_boxes_go_with_the_ground() -> None:
    there = View(x=250, y=215, zoom=1.1)
    motion = CameraMotion(there.since(_HERE), 1.0)
    box = Box(100, 80, 120, 130, "person", 0.7, "detector")
    carried = motion.carried(box)
    middle = there.since(_HERE) @ [110, 105, 1]
    assert (carried.x0 + carried.x1) / 2 == pytest.approx(middle[0])
    assert (carried.y0 + carried.y1) / 2 == pytest.approx(middle[1])
    assert (carried.x1 - carried.x0, carried.y1 - carried.y0) == pytest.approx((22, 55))
    assert (carried.label, carried.score, carried.source) == ("person", 0.7, "detector")


def test_in_a_larger_picture_boxes_go_the_same_way() -> None:
    motion = CameraMotion(View(x=250, y=215, zoom=1.1).since(_HERE), 1.0)
    small, large = motion.carried(Box(100, 80, 120, 130)), motion.scaled((4, 3)).carried(Box(400, 240, 480, 390))
    assert (large.x0, large.y0, large.x1, large.y1) == pytest.approx(
        (4 * small.x0, 3 * small.y0, 4 * small.x1, 3 * small.y1), abs=0.5
    )


def test_nothing_is_carried_by_what_is_not_known() -> None:
    motion = CameraMotion.unknown()
    assert not motion.known
    assert motion.carried(Box(1, 2, 3, 4)) == Box(1, 2, 3, 4)
    with pytest.raises(ValueError, match="read-only"):
        motion.matrix[0, 2] = 1


def test_a_picture_is_carried_as_boxes_are() -> None:
    picture = np.zeros((240, 320), np.uint8)
    picture[80:130, 100:120] = 1
    motion = CameraMotion(np.array([[1.0, 0.0, 7.0], [0.0, 1.0, -3.0]]), 1.0)
    rows, columns = np.nonzero(warped(picture, motion))
    box = motion.carried(Box(100, 80, 120, 130))
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (box.x0, box.y0, box.x1, box.y1)


def test_what_stands_still_is_told_by_area() -> None:
    before = np.array([[5, 5], [100, 100], [101, 101], [102, 102]], np.float32)
    now = before + np.array([[0, 0], [3, 0], [3, 0], [0, 0]], np.float32)
    found = np.array([True, True, True, False])
    assert still_share(before, now, found, SIZE_PX, 0.3) == 0.5
    assert still_share(before[:0], now[:0], found[:0], SIZE_PX, 0.3) == 0.0
