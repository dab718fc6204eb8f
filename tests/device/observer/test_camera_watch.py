"""The watch over a camera that stands still: what moves it, and what does not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import TENTH_NS, View, frames, paint

from pantel_device.frame import Box
from pantel_device.observer.camera_watch import CameraWatch
from pantel_device.observer.difference import working_picture

_WIND_PX = (0.0, 1.6, -1.2, 0.8, -1.8, 1.1, -0.5, 1.9, -1.5, 0.3, -1.9, 1.4, -0.2, 0.9)


def _watched(pictures: Iterable[NDArray[np.uint8]]) -> list[CameraWatch]:
    """Return the watch that was kept over pictures, ten a second, once for each."""
    kept: list[CameraWatch] = []
    for frame in frames(*pictures):
        luma = np.ascontiguousarray(working_picture(frame.pixels)[..., 0])
        if not kept:
            kept.append(CameraWatch(luma, frame.time_ns))
            continue
        watch = kept[-1]
        if watch.due(frame.time_ns):
            watch.look(luma, frame.time_ns)
        kept.append(watch)
        if watch.moves or watch.knocked:
            break
    return kept


def _disturbance(watch: CameraWatch) -> list[str]:
    return [name for name in ("moves", "knocked", "trembles") if getattr(watch, name)]


def _jitter(amplitude_px: float, count: int) -> list[View]:
    shares = np.interp(np.arange(count) / 1.7, np.arange(14), _WIND_PX, period=14) / 2
    return [View(x=260 + amplitude_px * dx, y=210 - amplitude_px * dx / 2) for dx in shares.tolist()]


def test_noise_is_no_motion() -> None:
    *_, watch = _watched([View().picture()] * 60)
    assert _disturbance(watch) == []


@pytest.mark.parametrize("step_px", [0.6, 1.5, 4.0, 9.0])
def test_a_pan_is_noticed(step_px: float) -> None:
    kept = _watched(View(x=200 + step_px * max(k - 10, 0)).picture() for k in range(60))
    assert kept[-1].moves
    assert 10 < len(kept) < 10 + 10 + 12 / step_px  # within a second after a thirtieth of the picture


@pytest.mark.parametrize("rate", [1.01, 1 / 1.01])
def test_driving_forwards_or_backwards_is_noticed(rate: float) -> None:
    kept = _watched(View(zoom=1.2 * rate**k).picture() for k in range(30))
    assert kept[-1].moves


@pytest.mark.parametrize(("amplitude_px", "trembles"), [(0.2, False), (1.0, True), (2.0, True)])
def test_a_mast_in_the_wind_trembles_and_stays(amplitude_px: float, trembles: bool) -> None:
    kept = _watched(view.picture() for view in _jitter(amplitude_px, 80))
    assert len(kept) == 80
    assert not kept[-1].moves
    assert kept[-1].trembles == trembles


def test_a_camera_in_a_hand_moves_though_it_never_goes_far() -> None:
    sway = (View(x=220 + 3.5 * np.sin(k / 9) + 2 * np.sin(k / 4), y=200 + 2 * np.cos(k / 7)) for k in range(60))
    kept = _watched(view.picture() for view in sway)
    assert kept[-1].moves
    assert len(kept) < 40


def test_calm_after_the_wind() -> None:
    *_, watch = _watched([*(view.picture() for view in _jitter(1.0, 60)), *[View().picture()] * 70])
    assert _disturbance(watch) == []


@pytest.mark.parametrize("shift_px", [3, 8, 60, 120])
def test_a_knock_is_noticed_when_the_camera_rests_again(shift_px: int) -> None:
    kept = _watched(View(x=220 + shift_px * (k >= 20)).picture() for k in range(60))
    assert kept[-1].knocked
    assert 20 < len(kept) < 20 + 25


def test_a_large_mover_does_not_move_the_camera() -> None:
    boxes = [Box(8 * k - 80, 100, 8 * k, 220) for k in range(60)]
    *_, watch = _watched(View().picture(box) for box in boxes)
    assert _disturbance(watch) == []


def test_who_comes_nearer_before_a_bare_wall_does_not_move_the_camera() -> None:
    def near(step: int) -> NDArray[np.uint8]:
        half_width, half_height = 15 * 1.01**step, 25 * 1.01**step
        wall = np.full((240, 320, 3), 120, np.uint8)
        paint(wall, Box(160 - half_width, 120 - half_height, 160 + half_width, 120 + half_height))
        return wall

    *_, watch = _watched(near(min(step, 50)) for step in range(90))
    assert _disturbance(watch) == []


def test_a_lamp_switched_off_and_on_is_no_motion() -> None:
    bright, dark = View().picture(), (View().picture() * 0.3).astype(np.uint8)
    *_, watch = _watched([bright] * 15 + [dark] * 15 + [bright] * 30)
    assert _disturbance(watch) == []


def test_it_looks_twice_a_second() -> None:
    luma = np.zeros((240, 320), np.uint8)
    watch = CameraWatch(luma, 0)
    assert not watch.due(4 * TENTH_NS)
    assert watch.due(5 * TENTH_NS)
