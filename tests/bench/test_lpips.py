from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.errors import MetricError, WeightsError
from pantel_bench.metrics import Lpips
from pantel_bench.peers import PEER_FORMATS, candidates
from pantel_bench.pictures import read_picture

_FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128),
          9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}  # fmt: skip
_TAPS = (64, 128, 256, 384, 384, 512, 512)


def random_weights() -> dict[str, NDArray[np.float32]]:
    """Return weights of the right shapes that mean nothing."""
    rng = np.random.default_rng(5)

    def normal(*shape: int) -> NDArray[np.float32]:
        return np.asarray(rng.normal(size=shape) / np.sqrt(np.prod(shape[1:])), np.float32)

    weights = {"backbone.0.weight": normal(64, 3, 3, 3), "backbone.0.bias": normal(64)}
    for number, (inputs, squeezed, expanded) in _FIRES.items():
        for name, outputs, depth, kernel in (
            ("squeeze", squeezed, inputs, 1),
            ("expand1x1", expanded, squeezed, 1),
            ("expand3x3", expanded, squeezed, 3),
        ):
            weights[f"backbone.{number}.{name}.weight"] = normal(outputs, depth, kernel, kernel)
            weights[f"backbone.{number}.{name}.bias"] = normal(outputs)
    for tap, channels in enumerate(_TAPS):
        weights[f"lin{tap}"] = np.abs(normal(channels))
    return weights


@pytest.mark.parametrize("side", [32, 33, 34, 35, 64])
def test_any_size_is_measured(side: int) -> None:
    lpips = Lpips(random_weights())
    rng = np.random.default_rng(1)
    source = rng.integers(0, 256, (side, side + 5, 3), np.uint8)
    other = rng.integers(0, 256, (side, side + 5, 3), np.uint8)
    assert lpips.distance(source, source) == 0.0
    assert lpips.distance(source, other) > 0.0
    assert lpips.distance(source, other) == pytest.approx(lpips.distance(other, source))


def test_a_changed_source_is_noticed() -> None:
    lpips = Lpips(random_weights())
    source = np.zeros((32, 32, 3), np.uint8)
    assert lpips.distance(source, source) == 0.0
    source[:] = 200
    assert lpips.distance(source, source) == 0.0


def test_pictures_of_other_sizes_are_refused() -> None:
    with pytest.raises(MetricError):
        Lpips(random_weights()).distance(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 48, 3), np.uint8))


@pytest.mark.parametrize("name", ["lin6", "backbone.0.bias", "backbone.12.expand3x3.weight"])
def test_a_missing_array_is_named(name: str, tmp_path: Path) -> None:
    weights = random_weights()
    del weights[name]
    np.savez(tmp_path / "weights.npz", allow_pickle=False, **weights)
    with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
        Lpips.from_file(tmp_path / "weights.npz")


def test_weights_of_another_backbone_are_refused() -> None:
    weights = random_weights() | {"lin1": np.zeros(192, np.float32)}
    with pytest.raises(WeightsError):
        Lpips(weights)


@pytest.mark.parametrize("content", [None, b"", b"noise", b"PK\x03\x04 noise"])
def test_a_file_that_holds_no_arrays(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError):
        Lpips.from_file(path)


def test_a_single_array_is_no_weights_file(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(WeightsError):
        Lpips.from_file(tmp_path / "one.npy")


def test_published_values(kodak: Path, lpips_weights: Path) -> None:
    """WebP at 0.05 bpp, whose files are the same everywhere: the values of docs/anchors."""
    lpips = Lpips.from_file(lpips_weights)
    webp = next(peer for peer in PEER_FORMATS if peer.name == "webp")
    for name, published in (("kodim03", 0.4285), ("kodim07", 0.6500)):
        source = read_picture(kodak / f"{name}.png", "256").pixels
        found = min(lpips.distance(source, entrant.pixels) for entrant in candidates(webp, source, [409])[409])
        assert found == pytest.approx(published, abs=1e-3)
