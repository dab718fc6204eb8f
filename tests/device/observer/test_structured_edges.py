"""Contours by structured forests: against a fake of OpenCV's extra modules, and the real ones where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.fake_ximgproc import StructuredEdgeDetection, forest, make_ximgproc, write_forest

from pantel_device.errors import EdgeModelError
from pantel_device.observer import ContourFinder, open_contour_finder
from pantel_models import contour_map

_CONTRIB = hasattr(getattr(cv2, "ximgproc", None), "createStructuredEdgeDetection")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[StructuredEdgeDetection]:
    """Return the detectors that OpenCV is asked for from now on."""
    detectors: list[StructuredEdgeDetection] = []
    monkeypatch.setattr(cv2, "ximgproc", make_ximgproc(detectors), raising=False)
    return detectors


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_forest(tmp_path / "model.yml"))


@pytest.fixture
def find(opened: list[StructuredEdgeDetection], model: str) -> ContourFinder:
    finder = open_contour_finder(model)
    opened[0].asked_px.clear()
    return finder


def ramp(low: int, high: int) -> NDArray[np.uint8]:
    """Return (96, 128, 3): a disc on a ground, its left side less bright than its right one."""
    row, column = np.mgrid[:96, :128]
    inside = (row - 48) ** 2 + (column - 64) ** 2 < 30**2
    level = np.where(inside, low + (high - low) * (column - 34) / 60, 40)
    return np.repeat(level[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)


def test_no_model_is_canny() -> None:
    assert open_contour_finder("") is contour_map


def test_contours_are_lines_of_one_pixel(find: ContourFinder) -> None:
    contours = find(ramp(220, 250))
    assert contours.dtype == np.uint8
    assert set(np.unique(contours)) == {0, 1}
    row, column = np.nonzero(contours)
    assert np.abs(np.hypot(row - 48, column - 64) - 30).max() < 3
    angle = np.round(np.degrees(np.arctan2(row - 48, column - 64)) / 10)
    assert len(set(angle)) == 37  # all around
    blocks = contours[1:, 1:] + contours[1:, :-1] + contours[:-1, 1:] + contours[:-1, :-1]
    assert blocks.max() < 4
    assert 150 < contours.sum() < 260  # the circle has 188 pixels' length


def test_weak_lines_count_where_they_go_on_from_strong_ones(find: ContourFinder) -> None:
    whole, weak = find(ramp(55, 220)), find(ramp(55, 56))
    assert whole[40:56, 30:40].any()  # the left side, as weak as in the other picture
    assert not weak.any()


def test_a_greater_strength_leaves_weak_contours_out(find: ContourFinder) -> None:
    picture = ramp(90, 220)
    sums = [int(find(picture, strength=strength).sum()) for strength in (1.0, 5.0, 20.0)]
    assert sums[0] > sums[1] > sums[2] == 0


def test_the_mask_limits_them(find: ContourFinder) -> None:
    picture, mask = ramp(220, 250), np.zeros((96, 128), np.uint8)
    mask[:, :64] = 255
    contours = find(picture, mask)
    np.testing.assert_array_equal(contours, find(picture) * (mask > 0))
    assert contours.any()
    assert not find(picture, np.zeros((96, 128), np.uint8)).any()


def test_only_what_a_region_depends_on_is_looked_at(find: ContourFinder, opened: list[StructuredEdgeDetection]) -> None:
    picture = np.tile(ramp(220, 250), (4, 4, 1))
    mask = np.zeros((384, 512), np.uint8)
    mask[200:240, 300:340] = 1
    np.testing.assert_array_equal(find(picture, mask), find(picture) * mask)
    part, whole = opened[0].asked_px
    assert whole == (512, 384)
    assert part == (400 - 240, 288 - 144)  # 48 pixels around it, and from a multiple of 16 to another


def test_a_background_is_looked_at_once(find: ContourFinder, opened: list[StructuredEdgeDetection]) -> None:
    picture = ramp(220, 250)
    first = find(picture)
    find(picture.copy(), strength=2.0)
    find(picture, np.ones((96, 128), np.uint8))  # a frame between is not what is remembered
    find(picture)
    assert opened[0].asked_px == [(128, 96)] * 2
    picture[:] = 7
    assert find(picture).sum() == 0 < first.sum()


@pytest.mark.parametrize("size_px", [(32, 32), (33, 47), (320, 240)])
def test_any_size_will_do(find: ContourFinder, size_px: tuple[int, int]) -> None:
    width, height = size_px
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    assert find(noise[:, ::-1]).shape == (height, width)  # in whatever order it lies in memory


def test_without_opencv_contrib_one_line_says_what_to_do(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in (None, ModuleType("cv2.ximgproc")):
        monkeypatch.setattr(cv2, "ximgproc", library, raising=False)
        with pytest.raises(EdgeModelError) as refused:
            open_contour_finder(model)
        said = str(refused.value)
        assert said.startswith(f"the edge model {model} needs opencv-contrib, which OpenCV {cv2.__version__} here is ")
        assert said.endswith(
            "install opencv-contrib-python-headless of the same version, or leave edge_model empty for Canny"
        )
        assert "\n" not in said


def test_a_missing_file(opened: list[StructuredEdgeDetection], tmp_path: Path) -> None:
    with pytest.raises(EdgeModelError, match=r"nowhere\.yml\.gz cannot be read \(No such file or directory\); correct"):
        open_contour_finder(str(tmp_path / "nowhere.yml.gz"))
    assert not opened


def test_a_damaged_file_never_gets_to_opencv(opened: list[StructuredEdgeDetection], tmp_path: Path) -> None:
    with pytest.raises(EdgeModelError, match=r"is no whole structured forest of OpenCV \(its leaves are cut off\)"):
        open_contour_finder(str(write_forest(tmp_path / "model.yml", edgeBins=None)))
    assert not opened


def test_what_opencv_does_not_take(opened: list[StructuredEdgeDetection], tmp_path: Path) -> None:
    path = tmp_path / "model.yml"
    path.write_text(forest().replace("\n\n", "\n  x: [\n", 1))
    with pytest.raises(
        EdgeModelError, match=rf"^the edge model {path} cannot be used by OpenCV {cv2.__version__}; fetch"
    ):
        open_contour_finder(str(path))
    assert not opened


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, pantel_device.commands.send, pantel_device.observer\n"
        "sys.exit('pantel_device.observer.structured_edges' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.real
@pytest.mark.skipif(not _CONTRIB, reason="OpenCV here is without opencv-contrib (opencv-contrib-python-headless)")
@pytest.mark.parametrize("size_px", [(32, 32), (33, 47), (320, 240)])
def test_the_real_library_takes_what_the_check_lets_pass(model: str, size_px: tuple[int, int]) -> None:
    width, height = size_px
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    contours = open_contour_finder(model)(picture, strength=0.01)
    assert contours.shape == (height, width)
    assert contours.dtype == np.uint8
    assert contours.max() <= 1
