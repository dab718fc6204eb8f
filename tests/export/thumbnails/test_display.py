"""Objects as they are shown while generators are trained, against how the product shows them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_device.frame import Box
from pantel_device.rendering.composition import paste, place
from pantel_export.thumbnails.display import Spot, draw_spots, shown_at
from pantel_models.thumbnails import RASTER_PX, Look

SIDE_PX = 208


def test_spots_lie_in_the_picture_and_apart() -> None:
    rng = np.random.default_rng(4)
    aspects = torch.tensor(np.exp(rng.normal(0, 0.8, 20)), dtype=torch.float32)
    counts, sides = set(), []
    for _ in range(40):
        spots = draw_spots(aspects, SIDE_PX, rng)
        counts.add(len(spots))
        taken = np.zeros((SIDE_PX, SIDE_PX), int)
        for spot, aspect in zip(spots, aspects.tolist(), strict=False):
            assert min(spot.x, spot.y) >= 0
            assert max(spot.x + spot.width, spot.y + spot.height) <= SIDE_PX
            assert abs(np.log(spot.width / spot.height / aspect)) < 0.5 / min(spot.width, spot.height) * 2
            taken[spot.rows, spot.columns] += 1
            sides.append(max(spot.width, spot.height))
        assert taken.max() == 1
    assert counts == {4, 16}
    assert min(sides) < 24
    assert max(sides) > 90


def test_fewer_objects_than_there_is_room_for_are_all_shown() -> None:
    assert len(draw_spots(torch.ones(3), SIDE_PX, np.random.default_rng(1))) == 3


@pytest.mark.parametrize(
    "spot", [Spot(10, 20, 9, 31), Spot(0, 0, 64, 64), Spot(5, 3, 120, 150), Spot(30, 40, 40, 100), Spot(7, 9, 100, 20)]
)
def test_objects_are_shown_as_a_receiver_shows_them(spot: Spot) -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    colour, alpha = rng.random((RASTER_PX, RASTER_PX, 3)), rng.random((RASTER_PX, RASTER_PX))
    look = Look((255 * colour).astype(np.float32), alpha.astype(np.float32))
    expected = picture.copy()
    box = Box(spot.x, spot.y, spot.x + spot.width, spot.y + spot.height)
    paste(expected, place(look, box, (SIDE_PX, SIDE_PX)))

    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    colours = torch.from_numpy(colour).permute(2, 0, 1)[None].float()
    shown = shown_at(planes, [spot], colours, torch.from_numpy(alpha)[None, None].float())
    found = 255 * shown[0].permute(1, 2, 0).numpy()
    assert abs(expected.astype(float) - picture).mean() > 0.2
    np.testing.assert_allclose(found, expected, atol=0.6)


def test_gradients_reach_what_is_shown_and_nothing_else() -> None:
    colour = torch.rand(3, 3, RASTER_PX, RASTER_PX, requires_grad=True)
    alpha = torch.full((3, 1, RASTER_PX, RASTER_PX), 0.5)
    spots = [Spot(0, 0, 20, 20), Spot(50, 60, 30, 90)]
    shown_at(torch.zeros(1, 3, SIDE_PX, SIDE_PX), spots, colour, alpha).sum().backward()
    assert colour.grad is not None
    assert colour.grad[:2].abs().flatten(1).amin(1).min() > 0
    assert colour.grad[2].abs().max() == 0
