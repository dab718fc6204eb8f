"""Pictures become inputs as the detectors' own tools make them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.device.observer import references

from pantel_device.observer.detectors.layouts import FastestDet, NanoDet, NanoDetPlus, Yolov8, Yolox
from pantel_device.observer.detectors.placement import Fit, place, size_for


def _picture(width: int, height: int) -> np.typing.NDArray[np.uint8]:
    noise = np.random.default_rng(width).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (768, 432), (100, 31), (416, 416)])
def test_yolox_and_fastest_det_are_shown_what_their_projects_show_them(size: tuple[int, int]) -> None:
    pixels = _picture(*size)
    for layout, shown in ((Yolox(80), references.yolox_input), (FastestDet(80), references.fastest_det_input)):
        placement = place(size, (416, 352), layout.input_format.fit)
        x = placement.to_input(pixels, layout.input_format, np.float32)
        np.testing.assert_array_equal(x, shown(pixels, (416, 352)))


def test_ultralytics_letterbox_is_rgb_in_the_middle() -> None:
    pixels = np.zeros((32, 128, 3), np.uint8)
    pixels[:] = 10, 20, 30
    placement = place((128, 32), (64, 64), Fit.CENTRED)
    x = placement.to_input(pixels, Yolov8(80).input_format, np.float32)
    assert x.shape == (1, 3, 64, 64)
    assert (255 * x[0, :, 24, 0]).tolist() == pytest.approx([10, 20, 30])
    assert (255 * x[0, :, 39, 63]).tolist() == pytest.approx([10, 20, 30])
    for row in (23, 40):
        assert (255 * x[0, :, row, 30]).tolist() == pytest.approx([114] * 3)


def test_nanodet_normalizes_each_channel_on_black() -> None:
    pixels = np.full((32, 64, 3), (123, 116, 104), np.uint8)
    for layout in (NanoDet(80), NanoDetPlus(80)):
        placement = place((64, 32), (64, 64), layout.input_format.fit)
        x = placement.to_input(pixels, layout.input_format, np.float32)
        wanted = [(104 - 103.53) / 57.375, (116 - 116.28) / 57.12, (123 - 123.675) / 58.395]
        assert x[0, :, 32, 32].tolist() == pytest.approx(wanted, abs=1e-5)
        ground = [-103.53 / 57.375, -116.28 / 57.12, -123.675 / 58.395] if type(layout) is NanoDet else wanted
        assert x[0, :, 0, 0].tolist() == pytest.approx(ground, abs=1e-5)


def test_inputs_of_eight_bits_are_not_normalized() -> None:
    pixels = _picture(64, 64)
    x = place((64, 64), (64, 64), Fit.STRETCHED).to_input(pixels, Yolov8(80).input_format, np.uint8)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[0].transpose(1, 2, 0), pixels)


@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("size", [(320, 240), (99, 201), (7, 500), (1, 1)])
def test_places_find_their_way_back(size: tuple[int, int], fit: Fit) -> None:
    placement = place(size, (320, 256), fit)
    (left, top), (width, height) = placement.offset_px, placement.scaled_px
    assert left >= 0 <= top
    assert left + width <= 320
    assert top + height <= 256
    corners = np.array([[left, top, left + width, top + height]], np.float32)
    x0, y0, x1, y1 = placement.to_picture(corners)[0].tolist()
    assert (x0, y0) == pytest.approx((0, 0))
    # Sides are whole pixels in the input, so they may be up to one pixel of it off; no side has less than one.
    assert x1 == pytest.approx(size[0], abs=1 / placement.scale[0])
    assert y1 == pytest.approx(size[1], abs=1 / placement.scale[1])


@pytest.mark.parametrize(
    ("picture", "long_side", "stride", "size"),
    [
        ((320, 240), 320, 32, (320, 256)),
        ((240, 320), 320, 32, (256, 320)),
        ((640, 480), 320, 32, (320, 256)),
        ((160, 90), 640, 32, (640, 384)),
        ((100, 100), 300, 64, (320, 320)),
        ((1000, 1), 320, 32, (320, 32)),
    ],
)
def test_graphs_of_any_size_are_run_at_the_smallest_that_holds_the_picture(
    picture: tuple[int, int], long_side: int, stride: int, size: tuple[int, int]
) -> None:
    assert size_for(picture, long_side, stride) == size
