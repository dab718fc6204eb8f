"""The path of the camera: places against now, and what is forgotten."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_device.observer.camera_motion import CameraMotion
from pantel_device.observer.camera_path import CameraPath

_S = 1_000_000_000


def _shift(dx: float, dy: float) -> CameraMotion:
    return CameraMotion(np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]]), 1.0)


def test_places_are_told_against_now() -> None:
    path = CameraPath(10.0, (320, 240), 0)
    assert path.places_px().tolist() == [[[0.0, 0.0]] * 4]
    assert path.span_s == 0.0
    path.add(1 * _S, _shift(3, 0))
    path.add(2 * _S, _shift(-1, 2))
    assert path.span_s == 2.0
    assert path.places_px()[:, 0].tolist() == [[2, 2], [-1, 2], [0, 0]]


def test_a_zoom_moves_the_corners_apart() -> None:
    path = CameraPath(10.0, (320, 240), 0)
    path.add(_S, CameraMotion(np.array([[1.1, 0.0, -16.0], [0.0, 1.1, -12.0]]), 1.0))
    assert path.places_px()[0].ravel() == pytest.approx([-16, -12, 16, -12, -16, 12, 16, 12])


def test_what_is_old_is_forgotten_but_not_all() -> None:
    path = CameraPath(1.5, (320, 240), 0)
    for second in range(1, 8):
        path.add(second * _S, _shift(1, 0))
    assert len(path.places_px()) == 4
    assert path.span_s == 3.0
    path.restart(8 * _S)
    assert len(path.places_px()) == 1
    assert path.span_s == 0.0
