"""What the workshop's tests share. Those that need PyTorch skip without it; `make setup-export` installs it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_export.data import PhotoSet
from pantel_export.settings import NetworkSettings, TrainSettings

# Of each fire module of SqueezeNet 1.1: channels that come in, are squeezed to, and are expanded to by each kernel.
_FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128),
          9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}  # fmt: skip
_TAPS = (64, 128, 256, 384, 384, 512, 512)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Sums over several threads depend on how these share the work; runs that are compared need the same sums."""
    if find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six smooth random pictures of 96x112 pixels."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(5)
    for number in range(6):
        noise = rng.integers(0, 256, (12, 14, 3), dtype=np.uint8)
        picture = cv2.resize(noise, (112, 96), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="session")
def photos(photo_folder: Path) -> PhotoSet:
    return PhotoSet([photo_folder], minimum_px=96)


@pytest.fixture(scope="session")
def settings() -> TrainSettings:
    """A network that trains in moments."""
    network = NetworkSettings(
        groups=(2, 3),
        anchors=2,
        encoder_width=(8, 8, 8),
        generator_width=(12, 12, 8, 4),
        context_width=8,
    )
    return TrainSettings(steps=4, batch=2, crop_px=96, ms_ssim_weight=0.0, network=network)


@pytest.fixture(scope="session")
def scene_run(photos: PhotoSet, settings: TrainSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the scene codec."""
    from pantel_export.train import Trainer

    folder = tmp_path_factory.mktemp("runs") / "scene"
    Trainer(settings, photos, folder).run()
    return folder


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
    """Weights for LPIPS of the right shapes that mean nothing."""
    path = tmp_path_factory.mktemp("weights") / "lpips.npz"
    np.savez(path, **lpips_arrays)  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="session")
def paint() -> Callable[..., None]:
    """Return a function that paints a photograph of 240x160 pixels and writes where its objects are."""

    def write(folder: Path, name: str, lines: list[str], *ellipses: tuple[float, float, float, float]) -> None:
        """Paint red ellipses, given by centre and size, before green hills.

        Args:
            folder: Gets `photos`, `boxes` and `masks`.
            name: Of the photograph, of its file of boxes and of its mask.
            lines: The boxes.
            ellipses: The objects, white in the mask.
        """
        y, x = np.mgrid[:160, :240]
        hills = np.stack([60 + 20 * np.sin(x / 17), 120 + 30 * np.cos(y / 11), 70 + 0 * x], axis=2)
        mask = np.zeros((160, 240), np.uint8)
        for centre_x, centre_y, width, height in ellipses:
            inside = np.hypot((x - centre_x) / width, (y - centre_y) / height) <= 0.5
            hills[inside] = np.stack([40 + 0 * x, 30 + 20 * np.sin(y / 5), 210 + 0 * x], axis=2)[inside]
            mask[inside] = 255
        for kind in ("photos", "boxes", "masks"):
            (folder / kind).mkdir(exist_ok=True)
        assert cv2.imwrite(str(folder / "photos" / f"{name}.png"), hills.astype(np.uint8))
        assert cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
        (folder / "boxes" / f"{name}.txt").write_text("\n".join(lines))

    return write


@pytest.fixture(scope="session")
def rounded_to_half() -> Callable[[Any], Any]:
    """Return a function that rounds a network's weights as `with_half_weights` keeps them, and returns the network."""

    def rounded(network: Any) -> Any:
        for weight in network.parameters():
            if weight.numel() >= 64:
                weight.data = weight.data.half().float()
        return network

    return rounded
