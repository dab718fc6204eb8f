from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_bench.errors import PictureError
from pantel_bench.pictures import kodak_256, list_pictures, native, read_picture


def write_png(path: Path, height: int, width: int) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)
    assert cv2.imwrite(str(path), picture)


def test_large_pictures_are_averaged_over_the_centre_512() -> None:
    picture = np.zeros((514, 768, 3), np.uint8)
    picture[1:513, 128:640] = 100
    picture[1, 128] = (104, 101, 0)
    small = kodak_256(picture)
    assert small.shape == (256, 256, 3)
    assert small[0, 0].tolist() == [101, 101, 75]  # (104 + 3 * 100) / 4 = 101; halves are rounded up, twice
    assert (small[1:] == 100).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((511, 900), (256, 256)), ((100, 70), (96, 64)), ((33, 300), (32, 256)), ((512, 512), (256, 256))],
)
def test_smaller_pictures_keep_their_centre(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert kodak_256(np.zeros((*shape, 3), np.uint8)).shape[:2] == expected


def test_native_pictures_fit_the_codec() -> None:
    assert native(np.zeros((1100, 519, 3), np.uint8)).shape == (1024, 512, 3)


def test_pictures_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in list_pictures(tmp_path)] == ["a.PNG", "b.png"]


def test_a_picture_is_read_as_rgb(tmp_path: Path) -> None:
    red = np.zeros((40, 50, 3), np.uint8)
    red[..., 2] = 200  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    picture = read_picture(tmp_path / "red.png", "256")
    assert picture.name == "red"
    assert picture.pixels.shape == (32, 48, 3)
    assert picture.pixels[0, 0].tolist() == [200, 0, 0]


def test_grey_pictures_become_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((32, 32), 77, np.uint8))
    assert (read_picture(tmp_path / "grey.png", "native").pixels == 77).all()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_picture(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"broken\.png"):
        read_picture(path, "256")


def test_a_picture_that_is_too_small(tmp_path: Path) -> None:
    write_png(tmp_path / "tiny.png", 31, 64)
    with pytest.raises(PictureError, match="32x32"):
        read_picture(tmp_path / "tiny.png", "256")


def test_folders_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures"):
        list_pictures(tmp_path)
    with pytest.raises(PictureError, match="cannot read the folder"):
        list_pictures(tmp_path / "missing")


def test_names_must_tell_pictures_apart(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "a.jpg").touch()
    with pytest.raises(PictureError, match="same name"):
        list_pictures(tmp_path)
