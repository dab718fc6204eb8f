"""The lapped transform that the linear paths begin as."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.lapped import lapped_transform
from pantel_export.networks import CELL_PX, SceneNetworks
from pantel_export.settings import NetworkSettings

_SIDE_PX = 96


def _crops(count: int, seed: int) -> NDArray[np.float32]:
    """Return crops (count, 96, 96, 3) in 0..1 with the spectrum of photographs."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(2 * _SIDE_PX)[:, None], np.fft.fftfreq(2 * _SIDE_PX))
    frequency[0, 0] = 1
    white = np.fft.fft2(rng.standard_normal((count, 3, 2 * _SIDE_PX, 2 * _SIDE_PX)))
    pixels = np.fft.ifft2(white / frequency).real[..., :_SIDE_PX, :_SIDE_PX]  # cut, so that it does not wrap around
    return np.asarray((0.5 + 0.15 * pixels / pixels.std()).transpose(0, 2, 3, 1), np.float32)


@pytest.fixture(scope="module")
def crops() -> NDArray[np.float32]:
    return _crops(12, seed=1)


@pytest.fixture(scope="module")
def networks(crops: NDArray[np.float32]) -> SceneNetworks:
    torch.manual_seed(0)
    networks = SceneNetworks(NetworkSettings(groups=(6, 42)))
    networks.start_from_lapped_transform(torch.from_numpy(crops).permute(0, 3, 1, 2))
    return networks


def _through_linear_paths(networks: SceneNetworks, crops: NDArray[np.float32], kept: int) -> NDArray[np.float32]:
    x = torch.from_numpy(crops).permute(0, 3, 1, 2)
    overlap = (CELL_PX // 2,) * 4
    with torch.no_grad():
        y = networks.encoder.linear(torch.nn.functional.pad(x, overlap, mode="reflect"))
        y[:, kept:] = 0
        return np.asarray(networks.generator.linear(y).permute(0, 2, 3, 1).numpy())


def test_all_channels_restore_the_picture(crops: NDArray[np.float32]) -> None:
    """With as many channels as values, analysis and synthesis are inverse to each other."""
    n = 4
    small = crops[:, :32, :32]
    transform = lapped_transform(small, n, 3 * n * n)
    padded = np.pad(small - transform.mean, ((0, 0), (n // 2, n // 2), (n // 2, n // 2), (0, 0)), mode="symmetric")
    cells = small.shape[1] // n
    restored = np.zeros_like(padded, np.float64)
    for row in range(cells):
        for column in range(cells):
            window = np.s_[:, n * row : n * row + 2 * n, n * column : n * column + 2 * n]
            latents = np.einsum("ctij,bijt->bc", transform.analysis, padded[window])
            restored[window] += np.einsum("ctij,bc->bijt", transform.synthesis, latents)
    inner = np.s_[:, n : 32 - n, n : 32 - n]  # the cells outside the picture are left out here
    shifted = restored[:, n // 2 : -n // 2, n // 2 : -n // 2] + transform.mean
    np.testing.assert_allclose(shifted[inner], small[inner], atol=1e-6)


def test_the_networks_begin_as_the_transform(networks: SceneNetworks) -> None:
    crops = _crops(4, seed=2)
    error = (_through_linear_paths(networks, crops, kept=48) - crops) ** 2
    assert -10 * np.log10(error.mean()) > 20
    border, inner = error[:, :8].mean(), error[:, 16:-16, 16:-16].mean()
    assert border < 1.5 * inner  # mirrored at the border, as the encoder saw it


def test_coarse_channels_make_no_stairs(networks: SceneNetworks) -> None:
    crops = _crops(4, seed=3)
    picture = _through_linear_paths(networks, crops, kept=6).mean(3)
    steps = np.abs(np.diff(picture, axis=2)).mean((0, 1))  # between neighbouring columns
    borders = np.zeros(len(steps), bool)
    borders[CELL_PX - 1 :: CELL_PX] = True
    assert steps[borders].mean() < 1.3 * steps[~borders].mean()


def test_mirrored_cells_have_mirrored_latents(crops: NDArray[np.float32]) -> None:
    transform = lapped_transform(crops, CELL_PX, 12)
    for axis, parity in ((2, transform.parity[0]), (3, transform.parity[1])):
        flipped = np.flip(transform.synthesis, axis)
        np.testing.assert_allclose(flipped, parity[:, None, None, None] * transform.synthesis, atol=1e-6)
