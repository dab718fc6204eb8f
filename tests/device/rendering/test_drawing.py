"""Boxes and text in pictures."""

from __future__ import annotations

import numpy as np

from pantel_device.frame import Box
from pantel_device.rendering.drawing import draw_boxes


def test_boxes_are_drawn_around_what_they_hold() -> None:
    pixels = np.full((480, 640, 3), 90, np.uint8)
    drawn = draw_boxes(pixels, [Box(100, 200, 300, 400, "person", 0.876, "detector")])
    assert drawn.shape == pixels.shape
    np.testing.assert_array_equal(drawn[300, 100], [120, 255, 120])
    np.testing.assert_array_equal(drawn[399, 200], [120, 255, 120])
    np.testing.assert_array_equal(drawn[203:397, 103:297], pixels[203:397, 103:297])
    assert (drawn[187:200, 101:170] != 90).any()  # the label
    assert (pixels == 90).all()


def test_small_pictures_are_enlarged_and_anything_can_be_drawn() -> None:
    for height, width in ((1, 1), (20, 30), (479, 640)):
        pixels = np.full((height, width, 3), 90, np.uint8)
        assert (draw_boxes(pixels, ()) == 90).all()
        boxes = [Box(0, 0, width, height, "Fußgänger " * 20, 1.0), Box(0.2, 0.2, 0.3, 0.3, "", 0.0)]
        assert draw_boxes(pixels, boxes).shape == (2 * height, 2 * width, 3)
