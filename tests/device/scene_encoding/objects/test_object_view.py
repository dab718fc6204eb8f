"""One object as the sender sees it: what belongs to it, what hides it, and how wrong a sprite would be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import MARGINS
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import raster_box
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models.thumbnails import RASTER_PX, Look

_BOX = Box(40, 40, 56, 72)
_NEXT = Box(48, 48, 64, 80)  # stands lower, so it is nearer
_TIGHT = (0, 0, 0, 0)  # margins
_Paint = Callable[..., NDArray[np.uint8]]
_Observe = Callable[..., Observation]
_Walk = Callable[..., Track]


def _stands(walk: _Walk, box: Box, track_id: int = 1) -> Track:
    centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return walk(lambda _: centre, 0, track_id=track_id, size_px=(round(box.x1 - box.x0), round(box.y1 - box.y0)))


def _shaded(pixels: NDArray[np.uint8], *window: slice) -> NDArray[np.uint8]:
    shaded = pixels.copy()
    shaded[window] = (shaded[window] * 0.6).astype(np.uint8)
    return shaded


@pytest.mark.parametrize(
    "case",
    [
        (np.s_[64:72, 56:66], 2),
        (np.s_[64:72, 30:40], 0),
        (np.s_[72:90, 40:56], 3),
        (np.s_[22:40, 40:56], 1),
    ],
)
def test_the_raster_reaches_for_the_shadow(
    case: tuple[tuple[slice, slice], int],
    street: NDArray[np.uint8],
    paint: _Paint,
    observe: _Observe,
    walk: _Walk,
) -> None:
    shadow, side = case
    pixels = paint(_shaded(street, *shadow), _BOX)
    track = _stands(walk, _BOX)
    margins = ObjectView(observe(pixels, street, 0, [track]), track, [_BOX]).margins(_BOX)
    assert margins[side] > 0
    assert [margin for other, margin in enumerate(margins) if other != side] == [0, 0, 0]


@pytest.mark.parametrize(("scale", "reaches"), [(1.0, True), (2.0, False)])
def test_a_large_raster_reaches_for_more_than_a_trace(
    scale: float, street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk, *, reaches: bool
) -> None:
    box = Box(40, 10, 40 + 20 * scale, 10 + 40 * scale)
    width, height = 20 * scale, 40 * scale
    share = 0.2  # of the first strip on the right, which begins 8 % of the width beside the box
    beside = slice(round(box.x1), round(box.x1 + 0.3 * width) + 1)
    shadow = np.s_[10 : 10 + round(share * height), beside]
    pixels = paint(_shaded(street, *shadow), box)
    track = _stands(walk, box)
    margins = ObjectView(observe(pixels, street, 0, [track]), track, [box]).margins(box)
    assert (margins[2] > 0) is reaches


def test_without_shadow_the_raster_is_tight(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, _BOX)
    view = ObjectView(observe(paint(street, _BOX), street, 0, [track]), track, [_BOX])
    assert view.margins(_BOX) == (0, 0, 0, 0)
    assert MARGINS[0] < 0.2


def test_a_neighbour_is_no_shadow(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    beside = Box(57, 40, 73, 72)
    tracks = [_stands(walk, _BOX), _stands(walk, beside, 2)]
    view = ObjectView(observe(paint(street, _BOX, beside), street, 0, tracks), tracks[0], [_BOX])
    assert view.margins(_BOX) == (0, 0, 0, 0)


def test_the_background_is_wrong_where_the_object_is(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, _BOX)
    pixels = paint(street, _BOX)
    view = ObjectView(observe(pixels, street, 0, [track]), track, [_BOX])
    expected = ((pixels.astype(float) - street) ** 2).sum() / 255**2
    unseen = ObjectView(observe(street, street, 0, [track]), track, [_BOX])
    assert view.bare_error() - unseen.bare_error() == pytest.approx(expected, rel=1e-3)
    assert ObjectView(observe(street, street, 0, []), None, [_BOX]).bare_error() == 0


def test_a_sprite_in_its_place_is_less_wrong_than_none_and_than_one_beside_it(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, _BOX)
    beside = Box(_BOX.x0 + 6, _BOX.y0, _BOX.x1 + 6, _BOX.y1)
    view = ObjectView(observe(paint(street, _BOX), street, 0, [track]), track, [_BOX, beside])
    cutting = view.cut(raster_box(_BOX, _TIGHT))
    assert cutting is not None
    look = Look(cutting.pixels * np.float32(255), cutting.mask)
    assert view.error(look, _BOX, _TIGHT) < 0.1 * view.bare_error()
    assert view.error(look, _BOX, _TIGHT) < 0.2 * view.error(look, beside, _TIGHT)


def test_an_object_that_can_hardly_be_seen_is_to_be_shown_all_the_same(
    street: NDArray[np.uint8], observe: _Observe, walk: _Walk
) -> None:
    """Not to be shown where it is costs something, whatever it looks like, and so does being shown where it is not."""
    invisible = Look(np.zeros((RASTER_PX, RASTER_PX, 3), np.float32), np.zeros((RASTER_PX, RASTER_PX), np.float32))
    track = _stands(walk, _BOX)
    near, far = (Box(_BOX.x0 + by, _BOX.y0, _BOX.x1 + by, _BOX.y1) for by in (5, 50))
    observation = observe(street, street, 0, [track])
    view = ObjectView(observation, track, [_BOX, far])
    assert view.error(invisible, _BOX, _TIGHT) == 0
    assert 0 < view.error(invisible, near, _TIGHT) < view.error(invisible, far, _TIGHT)
    assert view.error(invisible, far, _TIGHT) == view.bare_error()
    left = ObjectView(observation, None, [_BOX])
    assert left.error(invisible, _BOX, _TIGHT) > left.bare_error() == 0


def test_nearer_objects_hide(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    far, near = _stands(walk, _BOX), _stands(walk, _NEXT, 2)
    observation = observe(paint(street, _BOX, _NEXT), street, 0, [far, near])
    views = [ObjectView(observation, track, [track.box]) for track in (far, near)]
    hidden, whole = (view.cut(track.box) for view, track in zip(views, (far, near), strict=True))
    assert hidden is not None
    assert whole is not None
    assert whole.known.all()
    # The nearer one covers the right half of the lower three quarters.
    right, lower = RASTER_PX // 2, RASTER_PX // 4
    assert not hidden.known[lower + 4 :, right + 4 :].any()
    assert hidden.known[: lower - 4].all()
    assert hidden.known[:, : right - 4].all()


def test_what_is_hidden_is_no_error(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    far, near = _stands(walk, _BOX), _stands(walk, _NEXT, 2)
    alone = ObjectView(observe(paint(street, _NEXT), street, 0, [far]), far, [_BOX])
    behind = ObjectView(observe(paint(street, _NEXT), street, 0, [far, near]), far, [_BOX])
    unseen = ObjectView(observe(street, street, 0, [far]), far, [_BOX]).bare_error()
    assert behind.bare_error() - unseen < 0.4 * (alone.bare_error() - unseen)


def test_who_has_left_is_missed_nowhere_that_another_stands(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk, figure: Look
) -> None:
    """A sprite that still stands there looks more like who is there now than the bare background does."""
    other = _stands(walk, raster_box(_NEXT, _TIGHT), 2)
    observation = observe(paint(street, other.box), street, 0, [other])
    ghost = ObjectView(observation, None, [other.box], weight=3.0)
    assert ghost.error(figure, _NEXT, _TIGHT) > ghost.bare_error()


def test_an_object_at_the_border_is_cut_out_with_repeated_pixels(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    box = Box(-8, 40, 8, 72)
    track = _stands(walk, box)
    cutting = ObjectView(observe(paint(street, box), street, 0, [track]), track, [box]).cut(box)
    assert cutting is not None
    assert not cutting.known[:, : RASTER_PX // 2 - 4].any()
    assert cutting.known[:, RASTER_PX // 2 + 4 :].all()


@pytest.mark.parametrize("box", [Box(-40, 40, -20, 72), Box(200, 40, 216, 72), Box(40, 300, 56, 332)])
def test_what_lies_outside_is_empty_and_makes_no_trouble(
    box: Box, street: NDArray[np.uint8], observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, box)
    observation = observe(street, street, 0, [track])
    view = ObjectView(observation, track, [box])
    assert ObjectView(observation, None, [box]).bare_error() == 0
    assert view.cut(box) is None
    assert view.margins(box) == (0, 0, 0, 0)


def test_what_moves_weighs_more(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    track = _stands(walk, _BOX)
    observation = observe(paint(street, _BOX), street, 0, [track])
    light, heavy = (ObjectView(observation, track, [_BOX], weight=weight) for weight in (1.0, 4.0))
    assert heavy.bare_error() == pytest.approx(4 * light.bare_error(), rel=0.02)  # all that is wrong moves
    clear = Look(np.zeros((RASTER_PX, RASTER_PX, 3), np.float32), np.zeros((RASTER_PX, RASTER_PX), np.float32))
    residual = heavy.residual(clear, raster_box(_BOX, _TIGHT))
    assert 0 < float(residual @ residual) < heavy.bare_error()  # which knows that an object is missing besides
    assert heavy.error(clear, _BOX, _TIGHT) == pytest.approx(float(residual @ residual), rel=1e-4)


def test_samples_on_a_raster_tell_the_error_beneath_it(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, _BOX)
    view = ObjectView(observe(paint(street, _BOX), street, 0, [track]), track, [_BOX], weight=4.0)
    raster = raster_box(_BOX, _TIGHT)
    clear = Look(np.zeros((RASTER_PX, RASTER_PX, 3), np.float32), np.zeros((RASTER_PX, RASTER_PX), np.float32))
    frame, background, weight = view.on_raster(raster, (16, 16))
    assert frame.shape == background.shape == (16, 16, 3)
    sampled = float((((background - frame) * weight) ** 2).sum())
    exact = view.residual(clear, raster)
    assert sampled == pytest.approx(float(exact @ exact), rel=0.1)
    _, _, away = view.on_raster(Box(-400, 0, -380, 40), (16, 16))
    assert not away.any()
