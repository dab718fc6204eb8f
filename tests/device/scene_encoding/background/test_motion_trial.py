"""Whether the camera's motion explains how pictures change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tests.device.observer.views import View

from pantel_device.frame import CameraPlace, Observation
from pantel_device.scene_encoding.background.motion_trial import MotionTrial

_STEP_NS = 400_000_000

_Observe = Callable[..., Observation]


def _explains(observe: _Observe, view: Callable[[int], View], place: Callable[[int], View], steps: int = 6) -> bool:
    """Return whether a camera's place explains what is seen in a view after some steps."""
    trial = MotionTrial()
    for step in range(steps):
        pixels = view(step).picture()
        middle = np.array([[1.0, 0.0, 160.0], [0.0, 1.0, 120.0], [0.0, 0.0, 1.0]])
        since = np.vstack([place(step).since(place(0)), [0, 0, 1]])
        camera = CameraPlace(0, np.linalg.inv(middle) @ since @ middle)
        explained = trial.explains(observe(pixels, pixels, step * _STEP_NS, camera=camera))
    return explained


def _pan(step: int) -> View:
    return View(x=220 + 6 * step)


def _zoom(step: int) -> View:
    return View(zoom=1 + 0.02 * step, turn=0.5 * step)


def _rest(step: int) -> View:
    del step
    return View()


def test_a_pan_and_a_zoom_explain_what_is_seen(observe: _Observe) -> None:
    assert _explains(observe, _pan, _pan)
    assert _explains(observe, _zoom, _zoom)


def test_motion_that_is_not_seen_explains_nothing(observe: _Observe) -> None:
    assert not _explains(observe, _rest, _pan)
    assert not _explains(observe, _pan, lambda step: View(x=220 - 6 * step))


def test_a_camera_that_stands_still_needs_no_explanation(observe: _Observe) -> None:
    assert _explains(observe, _pan, _rest)


def test_of_what_has_left_the_picture_nothing_can_be_said(observe: _Observe) -> None:
    assert _explains(observe, _rest, lambda step: View(x=150 + 70 * step))
