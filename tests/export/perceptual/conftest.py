"""Weights for LPIPS of the right shapes that mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

# Of each fire module of SqueezeNet 1.1: channels that come in, are squeezed to, and are expanded to by each kernel.
_FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128),
          9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}  # fmt: skip
_TAPS = (64, 128, 256, 384, 384, 512, 512)


@pytest.fixture(scope="session")
def lpips_arrays() -> dict[str, NDArray[np.float32]]:
    """The arrays of a weights file, to be spoilt as a copy."""
    rng = np.random.default_rng(5)

    def normal(*shape: int) -> NDArray[np.float32]:
        return np.asarray(rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])), np.float32)

    arrays = {"backbone.0.weight": normal(64, 3, 3, 3), "backbone.0.bias": normal(64)}
    for layer, (inputs, squeezed, expanded) in _FIRES.items():
        parts = {
            "squeeze": (squeezed, inputs, 1),
            "expand1x1": (expanded, squeezed, 1),
            "expand3x3": (expanded, squeezed, 3),
        }
        for name, (outputs, depth, kernel) in parts.items():
            arrays[f"backbone.{layer}.{name}.weight"] = normal(outputs, depth, kernel, kernel)
            arrays[f"backbone.{layer}.{name}.bias"] = 0.1 * normal(outputs)
    return arrays | {f"lin{tap}": abs(normal(channels)) for tap, channels in enumerate(_TAPS)}


@pytest.fixture(scope="session")
def lpips_file(lpips_arrays: dict[str, NDArray[np.float32]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "lpips.npz"
    np.savez(path, **lpips_arrays)  # type: ignore[arg-type]
    return path
