"""The background: a median of the past that learns nothing where something hides it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_device.frame import Frame, Observation
from pantel_device.observer import MotionDetector, Observer
from pantel_device.observer.background import Background, _median

_TENTH_NS = 100_000_000
_S = 1_000_000_000
_BLACK, _WHITE = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
_WIDTH, _HEIGHT = 160, 120
_STANDS_AT = 70
_FIGURE = np.s_[40:80, _STANDS_AT : _STANDS_AT + 20]


def test_it_is_the_median_and_forgets() -> None:
    background = Background(_BLACK, 0)
    for k in range(1, 11):
        background.learn(_WHITE if k == 5 else _BLACK, k * _TENTH_NS)
    assert not background.picture.any()
    for k in range(11, 400):
        background.learn(_WHITE, k * _TENTH_NS)
    assert np.array_equal(background.picture, _WHITE)


@given(count=st.integers(1, 15), seed=st.integers(0, 99))
def test_median_of_pictures(count: int, seed: int) -> None:
    pictures = list(np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 3), np.uint8))
    expected = np.sort(pictures, axis=0)[count // 2]
    assert np.array_equal(_median(pictures), expected)


def test_it_is_corrected_in_a_window_only() -> None:
    background = Background(_BLACK, 0)
    background.correct((slice(1, 3), slice(1, 3)), np.array([[True, False], [False, True]]), _WHITE)
    background.learn(_BLACK, _TENTH_NS)
    assert np.argwhere(background.picture[..., 0]).tolist() == [[1, 1], [2, 2]]
    assert not _BLACK.any()


def test_nothing_is_learned_where_something_hides_it() -> None:
    background = Background(_BLACK, 0)
    hidden = np.zeros((4, 4), np.bool_)
    hidden[:, :2] = True
    for k in range(1, 600):
        background.learn(_WHITE, k * _TENTH_NS, hidden)
    assert not background.picture[:, :2].any()
    assert (background.picture[:, 2:] == 255).all()
    for k in range(600, 1200):
        background.learn(_WHITE, k * _TENTH_NS)
    assert (background.picture == 255).all()


def test_it_is_another_array_only_when_it_may_have_changed() -> None:
    background = Background(_BLACK, 0)
    background.learn(_BLACK, 100 * _TENTH_NS)
    before = background.picture
    background.learn(_WHITE, 101 * _TENTH_NS)  # too soon for a sample
    assert background.picture is before
    assert not before.any()


def _scene(figure_at: int | None) -> NDArray[np.uint8]:
    """Return a textured street, with a figure at a column."""
    x, y = np.meshgrid(np.arange(_WIDTH), np.arange(_HEIGHT))
    street = 110 + 25 * np.sin(x / 9) + 25 * np.sin(y / 7 + x / 31)
    picture = np.repeat(street[..., None], 3, axis=2).astype(np.uint8)
    if figure_at is not None:
        # Dark and bright stripes, so that it is not taken for a shadow or for bare ground.
        picture[40:80, figure_at : figure_at + 20] = 200, 30, 30
        picture[40:80:8, figure_at : figure_at + 20] = 20, 30, 120
    return picture


class _Watch:
    """An observer, its time, and the noise of its camera."""

    def __init__(self) -> None:
        self.observer = Observer(MotionDetector())
        self._rng = np.random.default_rng(0)
        self._now_ns = 0

    def see(self, picture: NDArray[np.uint8], *, after_s: float = 0.2) -> Observation:
        noisy = np.clip(picture + self._rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        self._now_ns += round(after_s * _S)
        return self.observer.observe(Frame(self._now_ns // _TENTH_NS, self._now_ns, noisy))


def _difference(observation: Observation, expected: NDArray[np.uint8]) -> float:
    return float(cv2.absdiff(observation.background, expected)[_FIGURE].mean())


@pytest.fixture(scope="module")
def arrived() -> _Watch:
    """An observer that has seen somebody come in and stand still."""
    watch = _Watch()
    for _ in range(25):
        watch.see(_scene(None))
    for column in range(0, _STANDS_AT, 4):
        watch.see(_scene(column))
    return watch


def test_who_stands_still_does_not_enter_the_background(arrived: _Watch) -> None:
    bare, standing = _scene(None), _scene(_STANDS_AT)
    for _ in range(20 * 5):
        observation = arrived.see(standing)
        assert _difference(observation, bare) < 6
    assert len(observation.tracks) == 1
    assert observation.difference[_FIGURE].mean() > 40


def test_who_stands_for_minutes_belongs_to_it(arrived: _Watch) -> None:
    standing = _scene(_STANDS_AT)
    for _ in range(150):
        observation = arrived.see(standing, after_s=1)
    assert _difference(observation, standing) < 6
    assert not observation.motion[_FIGURE].any()


def test_the_background_keeps_its_exposure() -> None:
    watch = _Watch()
    bare = _scene(None)
    for _ in range(25):
        watch.see(bare)
    darker = (bare * 0.7).astype(np.uint8)
    for _ in range(60):
        observation = watch.see(darker)
    assert cv2.absdiff(observation.background, bare).mean() < 4
    assert observation.exposure == pytest.approx([np.log2(0.7)] * 3, abs=0.08)
    assert observation.difference.mean() < 4
    assert observation.tracks == ()
