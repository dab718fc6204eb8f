"""Lines of a drawing: what is joined, what covers what, where it is placed, and what an object encloses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, ContourPatch, Drawing
from pantel_device.frame import Box
from pantel_device.rendering.line_drawing import draw_lines, lines_of, outline_area, placed, silhouette

STEP = 1  # of 2 pixels


def drawing_of(*rows: str, step: int = STEP) -> Drawing:
    """Return a drawing of 24x16 pixels with one patch, in the corner."""
    drawing = Drawing(24, 16)
    drawing.add(patch_of(*rows, step=step), 0)
    return drawing


def patch_of(*rows: str, step: int = STEP, column: int = 0, row: int = 0) -> ContourPatch:
    samples = np.array([[sample == "#" for sample in line] for line in rows])
    return ContourPatch(step, Block(column, row, samples.shape[1], samples.shape[0]), samples)


def ends(lines: NDArray[np.float32]) -> set[tuple[tuple[float, ...], ...]]:
    """Return lines in a form that compares without regard to order and direction."""
    return {tuple(sorted((round(x, 3), round(y, 3)) for x, y in line)) for line in lines.tolist()}


def test_neighbours_are_joined_from_centre_to_centre() -> None:
    assert ends(lines_of(drawing_of("##", ".."))) == {((1.0, 1.0), (3.0, 1.0))}
    assert ends(lines_of(drawing_of("#.", ".#"))) == {((1.0, 1.0), (3.0, 3.0))}
    assert ends(lines_of(drawing_of(".#", "#."))) == {((1.0, 3.0), (3.0, 1.0))}


def test_a_corner_is_not_cut_where_there_is_another_way() -> None:
    lines = lines_of(drawing_of("#.", "##"))
    assert len(lines) == 2  # and the point between them is drawn back to the mean of all three
    assert ends(lines) == {((1.0, 1.0), (1.667, 2.333)), ((1.667, 2.333), (3.0, 3.0))}


def test_straight_lines_stay_straight() -> None:
    lines = lines_of(drawing_of("#####"))
    assert (lines[..., 1] == 1).all()
    assert lines[..., 0].min() == 1
    assert lines[..., 0].max() == 9


def test_of_what_is_dense_only_the_rim_is_drawn() -> None:
    lines = lines_of(drawing_of("####", "####", "####", "####"))
    assert len(lines) == 12
    ladder = lines_of(drawing_of("#####", "#####"))
    assert len(ladder) == 2 * 4 + 2  # without the rungs but the outer ones


def test_a_lone_sample_is_no_line() -> None:
    assert lines_of(drawing_of("#..")).shape == (0, 2, 2)
    assert lines_of(Drawing(24, 16)).shape == (0, 2, 2)


def test_newer_patches_cover_older_ones_of_any_raster() -> None:
    drawing = drawing_of("########", "........")
    drawing.add(patch_of("..", "##", step=0, column=2), 1)  # from pixel 3 to 6, which hides centres at 3 and 5
    assert ends(lines_of(drawing)) == {
        ((3.75, 2.25), (5.25, 2.25)),
        *(((x, 1.0), (x + 2.0, 1.0)) for x in (7.0, 9.0, 11.0, 13.0)),
    }


def test_patches_of_one_raster_join() -> None:
    drawing = drawing_of("##")
    drawing.add(patch_of("##", column=2), 1)
    assert len(lines_of(drawing)) == 3


def test_lines_are_placed_with_the_area() -> None:
    drawing = drawing_of("##")
    lines = placed(lines_of(drawing), drawing, Box(10, 20, 34, 52))
    np.testing.assert_allclose(lines, [[[11, 22], [13, 22]]])


def test_the_area_of_an_outline_is_wider_than_its_box() -> None:
    assert outline_area(Box(0, 0, 16, 32)) == Box(-1, -2, 17, 34)


def test_lines_are_as_dark_as_one_pixel() -> None:
    canvas = np.full((9, 30), 250, np.uint8)
    draw_lines(canvas, np.array([[[2, 4.5], [28, 4.5]]], np.float32), (10,))
    assert (canvas[4, 4:26] < 40).all()
    assert (canvas[[2, 6]] == 250).all()
    between = np.full((9, 30), 250, np.uint8)
    draw_lines(between, np.array([[[2, 4], [28, 4]]], np.float32), (10,))
    assert (between[[3, 4], 10] > 60).all()
    assert (between[[3, 4], 10] < 200).all()


def square(low: float, high: float) -> NDArray[np.float32]:
    corners = [(low, low), (high, low), (high, high), (low, high)]
    return np.array(list(zip(corners, [*corners[1:], corners[0]], strict=True)), np.float32)


def test_an_object_encloses_what_has_its_lines_on_all_sides() -> None:
    window, enclosed = silhouette(square(3.5, 9.5), (20, 16))
    mask = np.zeros((16, 20), np.bool_)
    mask[window] = enclosed
    expected = np.zeros((16, 20), np.bool_)
    expected[3:10, 3:10] = True
    np.testing.assert_array_equal(mask, expected)


def test_what_reaches_beyond_the_picture_encloses_as_well() -> None:
    window, enclosed = silhouette(square(-4.5, 5.5), (20, 16))
    mask = np.zeros((16, 20), np.bool_)
    mask[window] = enclosed
    assert mask[:6, :6].all()
    assert mask.sum() == 36


def test_nothing_encloses_nothing() -> None:
    for lines in (np.zeros((0, 2, 2), np.float32), square(100.5, 110.5)):
        window, enclosed = silhouette(lines, (20, 16))
        assert enclosed.size == 0
        assert np.zeros((16, 20))[window].size == 0
