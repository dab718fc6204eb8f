"""One object as the sender sees it: what belongs to it, what hides it, and how wrong a sprite would be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import MARGINS
from pantel_device.composition import raster_box
from pantel_device.frame import Box, Observation, Track
from pantel_device.object_view import ObjectView
from pantel_models import SceneCodec
from pantel_models.thumbnails import Look

_BOX = Box(40, 40, 56, 72)
_NEXT = Box(48, 48, 64, 80)  # stands lower, so it is nearer
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
    assert view.error(None, None) == pytest.approx(expected, rel=1e-3)
    assert ObjectView(observe(street, street, 0, [track]), track, [_BOX]).error(None, None) == 0


def test_a_sprite_in_its_place_is_less_wrong_than_none_and_than_one_beside_it(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk, codec: SceneCodec
) -> None:
    track = _stands(walk, _BOX)
    raster = raster_box(_BOX, (0, 0, 0, 0))
    beside = Box(raster.x0 + 6, raster.y0, raster.x1 + 6, raster.y1)
    view = ObjectView(observe(paint(street, _BOX), street, 0, [track]), track, [_BOX, beside])
    look = _look(view, raster, codec)
    bare = view.error(None, None)
    assert view.error(look, raster) < 0.3 * bare
    assert view.error(look, raster) < 0.7 * view.error(look, beside)


def _look(view: ObjectView, raster: Box, codec: SceneCodec) -> Look:
    """Return the sprite that is made of what lies in a raster."""
    cutting = view.cut(raster)
    assert cutting is not None
    return codec.thumbnails.decode(codec.thumbnails.encode(cutting, 0, 5, 0), None, 0)


def test_nearer_objects_hide(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    far, near = _stands(walk, _BOX), _stands(walk, _NEXT, 2)
    observation = observe(paint(street, _BOX, _NEXT), street, 0, [far, near])
    views = [ObjectView(observation, track, [track.box]) for track in (far, near)]
    hidden, whole = (view.cut(track.box) for view, track in zip(views, (far, near), strict=True))
    assert hidden is not None
    assert whole is not None
    assert whole.known.all()
    # The nearer one covers the right half of the lower three quarters.
    assert not hidden.known[12:, 18:].any()
    assert hidden.known[:6].all()
    assert hidden.known[:, :14].all()


def test_what_is_hidden_is_no_error(street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk) -> None:
    far, near = _stands(walk, _BOX), _stands(walk, _NEXT, 2)
    alone = ObjectView(observe(paint(street, _NEXT), street, 0, [far]), far, [_BOX])
    behind = ObjectView(observe(paint(street, _NEXT), street, 0, [far, near]), far, [_BOX])
    assert behind.error(None, None) < 0.4 * alone.error(None, None)


def test_an_object_at_the_border_is_cut_out_with_repeated_pixels(
    street: NDArray[np.uint8], paint: _Paint, observe: _Observe, walk: _Walk
) -> None:
    box = Box(-8, 40, 8, 72)
    track = _stands(walk, box)
    cutting = ObjectView(observe(paint(street, box), street, 0, [track]), track, [box]).cut(box)
    assert cutting is not None
    assert not cutting.known[:, :14].any()
    assert cutting.known[:, 18:].all()


@pytest.mark.parametrize("box", [Box(-40, 40, -20, 72), Box(200, 40, 216, 72), Box(40, 300, 56, 332)])
def test_what_lies_outside_is_empty_and_makes_no_trouble(
    box: Box, street: NDArray[np.uint8], observe: _Observe, walk: _Walk
) -> None:
    track = _stands(walk, box)
    view = ObjectView(observe(street, street, 0, [track]), track, [box])
    assert view.error(None, None) == 0
    assert view.cut(box) is None
    assert view.margins(box) == (0, 0, 0, 0)
