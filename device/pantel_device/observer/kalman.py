"""Kalman filters that tell a box's place, size and velocity from measurements with errors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoxFilter"]

_SMOOTHED_FRAMES = 6

# Standard deviations, as shares of the object's size (of its sides' geometric mean).
_FIRST_NOISE = 0.03
_FIRST_VELOCITY = 1.5  # per s
_ACCELERATION = 0.5  # per s²
_SIZE_ACCELERATION = 0.7
_GROWTH_LASTS_S = 0.5  # without a measurement a size settles within that time


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One step of a filter.

    Attributes:
        state: (4, 2) before the step.
        gain: (4, 2, 2), by which a later correction changes the state before the step.
        predicted: (4, 2) after the step, before any correction.
    """

    state: NDArray[np.float64]
    gain: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(slots=True, eq=False)
class BoxFilter:
    """Kalman filters of centre x, centre y, width and height, each of constant velocity.

    Attributes:
        state: (4, 2) values and their change per second.
        covariance: (4, 2, 2).
        past: What smoothing needs of some frames, the newest last.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    past: deque[_Step] = field(default_factory=lambda: deque(maxlen=_SMOOTHED_FRAMES))

    @classmethod
    def at(cls, values: NDArray[np.float64], size: float) -> BoxFilter:
        """Begin at values (4,) of an object of a size [px], with no velocity known."""
        spread = np.array([_FIRST_NOISE * size, _FIRST_VELOCITY * size])
        return cls(np.stack([values, np.zeros(4)], axis=1), np.tile(np.diag(spread**2), (4, 1, 1)))

    def predict(self, elapsed_s: float, size: float) -> None:
        """Go on by a time [s], for an object of a size [px]: larger ones on the picture move and grow faster."""
        step = np.array([[1.0, elapsed_s], [0.0, 1.0]])
        noise = np.array([[elapsed_s**3 / 3, elapsed_s**2 / 2], [elapsed_s**2 / 2, elapsed_s]])
        strength = size * np.array([_ACCELERATION, _ACCELERATION, _SIZE_ACCELERATION, _SIZE_ACCELERATION])
        before = self.state, self.covariance
        self.state = self.state @ step.T
        self.state[2:, 1] *= np.exp(-elapsed_s / _GROWTH_LASTS_S)
        self.covariance = step @ self.covariance @ step.T + noise * (strength**2)[:, None, None]
        gain = before[1] @ step.T @ np.linalg.inv(self.covariance)
        self.past.append(_Step(before[0], gain, self.state))

    def carry(self, matrix: NDArray[np.float64], scale: float) -> None:
        """Take the picture's own motion into account.

        Args:
            matrix: (2, 3), takes (x, y, 1) of the frame before to the same ground in this frame [px].
            scale: By how much things have grown.
        """
        state = self.state.copy()
        state[:2, 0] = matrix[:, :2] @ state[:2, 0] + matrix[:, 2]
        state[:2, 1] = matrix[:, :2] @ state[:2, 1]
        state[2:] *= scale
        self.state = state
        self.past.clear()  # places in another picture

    def smoothed(self) -> Iterator[NDArray[np.float64]]:
        """Yield values (4,) of the last frames in the light of what came after, the newest frame first.

        Rauch, Tung, Striebel: "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 1965.
        """
        later = self.state
        yield later[:, 0]
        for step in reversed(self.past):
            later = step.state + np.einsum("aij,aj->ai", step.gain, later - step.predicted)
            yield later[:, 0]

    def correct(self, values: NDArray[np.float64], spread: NDArray[np.float64]) -> None:
        """Take in measured values (4,) of given standard deviations (4,)."""
        total = self.covariance[:, 0, 0] + spread**2
        gain = self.covariance[:, :, 0] / total[:, None]
        self.state = self.state + gain * (values - self.state[:, 0])[:, None]
        self.covariance = self.covariance - gain[:, :, None] * self.covariance[:, None, 0, :]
