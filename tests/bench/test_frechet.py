from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.metrics import Moments, frechet_distance


def normal(mean: NDArray[np.float64], deviations: NDArray[np.float64], seed: int) -> Moments:
    """Return the moments of a feature map of samples with exactly these means and deviations, uncorrelated."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(len(mean), 900))
    samples -= samples.mean(axis=1, keepdims=True)
    white = np.linalg.inv(np.linalg.cholesky(np.cov(samples, bias=True))) @ samples
    return Moments.of((white * deviations[:, None] + mean[:, None]).reshape(-1, 30, 30).astype(np.float32))


def test_the_distance_of_known_distributions() -> None:
    one = normal(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.5]), seed=1)
    other = normal(np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.5]), seed=2)
    # Of independent components it is the sum of squared differences of means and of deviations.
    assert frechet_distance(one, other) == pytest.approx(1 + 4 + 1 + 1, rel=1e-4)
    assert frechet_distance(other, one) == pytest.approx(7, rel=1e-4)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_sets_add_up() -> None:
    rng = np.random.default_rng(3)
    maps = rng.normal(size=(2, 4, 5, 6)).astype(np.float32)
    both = Moments.of(np.concatenate(list(maps), axis=1))
    added = Moments.of(maps[0]) + Moments.of(maps[1])
    assert added.count == both.count == 60
    np.testing.assert_allclose(added.covariance, both.covariance, atol=1e-6)
    assert np.linalg.matrix_rank(Moments.of(maps[0][:, :1, :2]).covariance) < 4  # fewer samples than features
    assert frechet_distance(Moments.of(maps[0][:, :1, :2]), both) > 0
