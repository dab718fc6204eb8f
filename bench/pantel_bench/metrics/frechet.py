"""How far the statistics of decoded pictures lie from those of their sources: a Frechet distance.

After M. Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium" (2017), but
on features of SqueezeNet, every place of a feature map a sample: sets of a dozen pictures are enough to compare codecs
with each other, and values compare with those of no other network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "frechet_distance"]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums over samples of a set; those of several sets add up.

    Attributes:
        count: Number of samples.
        total: (C,) float64, their sum.
        products: (C, C) float64, the sum of their products.
    """

    count: int
    total: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Moments:
        """Return the moments of a feature map (C, h, w): each place is a sample."""
        samples = features.reshape(len(features), -1).astype(np.float64)
        return cls(samples.shape[1], samples.sum(axis=1), samples @ samples.T)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the samples, (C,)."""
        return self.total / self.count

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Their covariance, (C, C)."""
        return self.products / self.count - np.outer(self.mean, self.mean)


def frechet_distance(one: Moments, other: Moments) -> float:
    """Return the squared Frechet distance of two normal distributions with these moments; 0 for the same."""
    distance = float(((one.mean - other.mean) ** 2).sum())
    root = _root(one.covariance)
    shared = np.linalg.eigvalsh(root @ other.covariance @ root)
    spread = float(np.trace(one.covariance) + np.trace(other.covariance) - 2 * np.sqrt(shared.clip(0)).sum())
    return max(0.0, distance + spread)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the symmetric square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(values.clip(0))) @ vectors.T, np.float64)
