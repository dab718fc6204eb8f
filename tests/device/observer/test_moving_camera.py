"""Movers before a camera that moves: told apart from what stands nearer than the ground behind it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import View, frames

from pantel_device.frame import Box
from pantel_device.observer import moving_camera
from pantel_device.observer.difference import Part, working_picture
from pantel_device.observer.moving_camera import MovingCamera

_STEPS = 22
_FOCUS = (160.0, 120.0)  # what a View zooms into


def _ahead(box: Box, nearness: float, step: int) -> Box:
    """Return where a box at rest is after so many steps forwards, which enlarge what is as near by a share each."""
    growth = (1 + nearness) ** step
    x0, x1 = (_FOCUS[0] + growth * (x - _FOCUS[0]) for x in (box.x0, box.x1))
    y0, y1 = (_FOCUS[1] + growth * (y - _FOCUS[1]) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)


def _followed(*pictures: NDArray[np.uint8]) -> tuple[MovingCamera, list[Part]]:
    first, *rest = frames(*pictures)
    camera = MovingCamera(working_picture(first.pixels), first.time_ns)
    for frame in rest:
        found = camera.see(working_picture(frame.pixels), frame.time_ns)
    return camera, found


def _drive(step: int, *objects: Box) -> NDArray[np.uint8]:
    return View(y=250, zoom=1.1 * 1.008**step).picture(*objects)


def test_what_stands_beside_the_way_is_no_mover(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = [Box(x - 7, y - 12, x + 7, y + 12) for x, y in ((225, 150), (85, 150), (130, 60), (230, 70))]
    pictures = [_drive(step, *(_ahead(post, 0.018, step) for post in posts)) for step in range(_STEPS)]
    camera, found = _followed(*pictures)
    assert found == []
    assert not camera.stands
    # They do move over the ground behind them; only that everything flows from one point explains it.
    monkeypatch.setattr(moving_camera, "find_expansion", lambda *_: None)
    assert len(_followed(*pictures)[1]) == len(posts)


def test_who_overtakes_is_a_mover() -> None:
    def overtaking(step: int) -> Box:
        return Box(230 - 2 * step, 150 - step / 2, 270 - 2 * step, 200 - step / 2)

    _, found = _followed(*(_drive(step, overtaking(step)) for step in range(_STEPS)))
    assert len(found) == 1
    assert found[0].box.iou(overtaking(_STEPS - 1)) > 0.5


def test_the_motion_of_the_camera_is_that_from_frame_to_frame() -> None:
    camera, _ = _followed(*(View(x=220 + 3 * step, y=200 + step).picture() for step in range(6)))
    assert camera.motion is not None
    assert camera.motion.matrix[:, 2] == pytest.approx([-3, -1], abs=0.2)


@pytest.mark.parametrize("steps", [3, 9])
def test_it_stands_when_it_has_rested_for_a_while(steps: int) -> None:
    moving = [View(x=220 + 3 * step).picture() for step in range(10)]
    camera, _ = _followed(*moving, *[moving[-1]] * steps)
    assert camera.stands == (steps > 7)


def test_trembling_is_rest() -> None:
    trembling = [View(x=220 + dx).picture() for dx in (0, 1, -1, 1, 0, -1, 1, -1, 0, 1, -1, 0)]
    camera, _ = _followed(*trembling)
    assert camera.stands
