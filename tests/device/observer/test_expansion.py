"""Expansion: found where a camera moves forwards or backwards, and in no traffic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_device.observer.expansion import find_expansion

Points = NDArray[np.float64]


def _scattered(seed: int, count: int = 60) -> Points:
    return np.random.default_rng(seed).uniform((0, 0), (320, 240), (count, 2))


def _flows(points: Points, focus: tuple[float, float], seed: int) -> Points:
    """Return flows away from a focus of things near and far, with the errors of tracking."""
    rng = np.random.default_rng(seed)
    nearness = rng.uniform(0.02, 0.1, (len(points), 1))
    return (points - focus) * nearness + rng.normal(0, 0.1, points.shape)


@given(seed=st.integers(0, 50), x=st.floats(100, 220), y=st.floats(80, 160))
def test_forwards_and_backwards_are_told_by_the_sign(seed: int, x: float, y: float) -> None:
    points = _scattered(seed)
    flows = _flows(points, (x, y), seed)
    forwards, backwards = find_expansion(points, flows), find_expansion(points, -flows)
    assert forwards is not None
    assert backwards is not None
    assert (forwards.sign, backwards.sign) == (1, -1)
    assert forwards.focus_px == pytest.approx((x, y), abs=25)


def test_who_moves_otherwise_is_not_explained() -> None:
    points = _scattered(0)
    flows = _flows(points, (160, 110), 0)
    flows[:8] = -5 * flows[:8] / np.linalg.norm(flows[:8], axis=1, keepdims=True)  # inwards, as a car that overtakes
    expansion = find_expansion(points, flows)
    assert expansion is not None
    explained = expansion.explains(points, flows)
    assert not explained[:8].any()
    assert explained[8:].mean() > 0.9


@pytest.mark.parametrize(
    "sides",
    [
        [(1.0, 0.0)],  # one object
        [(1.0, 0.0), (-1.0, 0.0)],  # people who part
        [(0.3, 1.0), (-0.2, 1.0)],  # lanes that come nearer
    ],
)
def test_traffic_is_no_expansion(sides: list[tuple[float, float]]) -> None:
    rng = np.random.default_rng(3)
    points, flows = [], []
    for number, side in enumerate(sides):
        middle = np.array([80 + 160 * (side[0] > 0), 120])
        points.append(middle + rng.uniform(-30, 30, (20, 2)))
        flows.append(np.array(side) * (3 + number) + rng.normal(0, 0.2, (20, 2)))
    assert find_expansion(np.concatenate(points), np.concatenate(flows)) is None


def test_disorder_and_little_are_no_expansion() -> None:
    points = _scattered(1)
    assert find_expansion(points, np.random.default_rng(2).normal(0, 3, points.shape)) is None
    assert find_expansion(points[:7], _flows(points[:7], (160, 110), 0)) is None
    parallel = np.tile([2.0, 0.0], (60, 1))
    assert find_expansion(points, parallel) is None
