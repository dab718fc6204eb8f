"""LPIPS as a loss is LPIPS as the benchmarks measure it, which numpy computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor

from pantel_bench import metrics
from pantel_export.errors import DataError
from pantel_export.perceptual.lpips import Lpips

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "weights" / "lpips_squeeze_v01.npz"
Arrays = dict[str, NDArray[np.float32]]


@pytest.fixture(params=["random", "published"])
def weights(request: pytest.FixtureRequest, lpips_file: Path) -> Path:
    if request.param == "random":
        return lpips_file
    if not PUBLISHED.is_file():
        pytest.skip("the published weights of LPIPS are not here")
    return PUBLISHED


def pictures(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return pictures (count, height, width, 3) with bars and noise."""
    rng = np.random.default_rng(height * width)
    bars = 60 * np.sin(np.arange(width) / rng.uniform(2, 9, (count, 1)))[:, None, :, None]
    return np.clip(128 + bars + rng.normal(0, 40, (count, height, width, 3)), 0, 255).astype(np.uint8)


def tensor(values: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(values).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize(("height", "width"), [(64, 64), (97, 70), (33, 48), (92, 93)])
def test_it_is_what_the_benchmarks_measure(weights: Path, height: int, width: int) -> None:
    """Sides of any remainder: pooling counts windows that hang over the far edge."""
    loss, measure = Lpips(weights), metrics.Lpips.from_file(weights)
    sources = pictures(3, height, width)
    decoded = np.stack([sources[0] // 2, sources[1][:, ::-1], np.clip(sources[2].astype(int) + 9, 0, 255)])
    expected = [measure.distance(a, b.astype(np.uint8)) for a, b in zip(sources, decoded, strict=True)]
    found = loss(tensor(sources), tensor(decoded.astype(np.uint8)))
    assert found.shape == (3,)
    assert min(expected) > 1e-3
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_equal_pictures_have_no_distance_and_both_ways_are_as_far(lpips_file: Path) -> None:
    loss = Lpips(lpips_file)
    a, b = tensor(pictures(2, 64, 64)), tensor(pictures(2, 64, 65)[:, :, 1:])
    assert loss(a, a).tolist() == [0, 0]
    assert torch.allclose(loss(a, b), loss(b, a))
    assert loss(a, b).min() > 0


def test_it_pulls_pictures_towards_each_other_and_leaves_its_weights_alone(lpips_file: Path) -> None:
    loss = Lpips(lpips_file)
    assert list(loss.parameters()) == []
    wanted = tensor(pictures(1, 64, 64))
    x = tensor(pictures(1, 64, 65)[:, :, 1:]).requires_grad_()
    distance = loss(wanted, x).sum()
    distance.backward()
    assert x.grad is not None
    nearer = x.detach() - 0.5 * x.grad / x.grad.norm()
    assert loss(wanted, nearer).sum() < distance
    loss(wanted, wanted.clone().requires_grad_()).sum().backward()  # no division by zero where both are alike


def test_flat_pictures_have_slopes(lpips_file: Path) -> None:
    x = torch.zeros(1, 3, 64, 64, requires_grad=True)
    Lpips(lpips_file)(torch.full((1, 3, 64, 64), 0.5), x).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("name", ["lin6", "backbone.0.bias", "backbone.12.expand3x3.weight"])
def test_a_missing_array_is_named(name: str, lpips_arrays: Arrays, tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", **{key: value for key, value in lpips_arrays.items() if key != name})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=rf"weights\.npz does not hold the weights of LPIPS .*{name.replace('.', '_')}"):
        Lpips(tmp_path / "weights.npz")


@pytest.mark.parametrize(
    "other", [{"lin1": np.zeros(192)}, {"backbone.0.weight": np.zeros((64, 4, 3, 3))}, {"training": np.zeros(1)}]
)
def test_other_arrays_are_refused(other: Arrays, lpips_arrays: Arrays, tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", **(lpips_arrays | other))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="does not hold the weights of LPIPS"):
        Lpips(tmp_path / "weights.npz")


@pytest.mark.parametrize("content", [None, b"", b"noise", b"PK\x03\x04 noise"])
def test_a_file_that_holds_no_arrays_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"weights\.npz"):
        Lpips(path)


def test_a_single_array_is_no_weights_file(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"one\.npy"):
        Lpips(tmp_path / "one.npy")
