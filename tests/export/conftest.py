"""What the workshop's tests share. Those that need PyTorch skip without it; `make setup-export` installs it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.export.graphs import Graph

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
        context_slices=(1, 1, 3),
        context_width=(8, 8, 8),
        context_reach=(2, 1, 1),
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
def toy_artefacts(photos: PhotoSet, scene_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of artefacts with that of the run, `toy`, small in all, and its 16-bit weights; to be copied."""
    from pantel_export import build

    folder = tmp_path_factory.mktemp("artefacts") / "models"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "_FIT_PICTURES", 50)
        patch.setattr(build, "_FIT_CROP_PX", 96)
        patch.setattr(build, "_CALIBRATION_PICTURES", 4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
            build.build_artefact(scene_run, "toy", photos, folder, folder / "weights")
        yield folder


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


def _write_yolox(path: Path) -> Path:
    """Write a graph with everything that a YOLOX export is made of, of 32x32 cells."""
    graph = Graph("images")
    parts = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x = graph.input
        for axis, start in ((2, row), (3, column)):
            x = graph.add("Slice", x, *(graph.constant([value]) for value in (start, 2**31, axis, 2)))
        parts.append(x)
    x = graph.add("Mul", graph.add("Concat", *parts, axis=1), graph.constant(1 / 255, np.float32))
    x = graph.convolved(x, 12, 8)
    x = graph.add("Mul", x, graph.add("Sigmoid", x))
    pooled = graph.add("MaxPool", x, kernel_shape=[5, 5], strides=[1, 1], pads=[2, 2, 2, 2], ceil_mode=0)
    x = graph.add("Concat", x, pooled, axis=1)
    coarse = graph.convolved(x, 16, 16, stride=4)
    scales = graph.constant([1, 1, 2, 2], np.float32)
    coarse = graph.add("Resize", coarse, graph.constant([], np.float32), scales, mode="nearest",
                       nearest_mode="floor", coordinate_transformation_mode="asymmetric")  # fmt: skip
    x = graph.add("Add", graph.convolved(x, 16, 16, stride=2), coarse)
    box = graph.convolved(x, 16, 4, kernel=1)
    sure = [graph.add("Sigmoid", graph.convolved(x, 16, outputs, kernel=1)) for outputs in (1, 80)]
    x = graph.add("Concat", box, *sure, axis=1)
    x = graph.add("Reshape", x, graph.constant([1, 85, -1]))
    return graph.save(path, graph.add("Transpose", x, perm=[0, 2, 1]), [1, 1024, 85])


def _write_fastest_det(path: Path) -> Path:
    """Write a graph with everything that FastestDet is made of, of 16x16 cells."""
    graph = Graph("input.1")
    x = graph.add("Relu", graph.convolved(graph.input, 3, 8, stride=2))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=0)
    pairs = graph.add("Reshape", x, graph.constant([4, 2, 32 * 32]))
    pairs = graph.add("Transpose", pairs, perm=[1, 0, 2])
    pairs = graph.add("Reshape", pairs, graph.constant([2, -1, 4, 32, 32]))
    halves = [graph.add("Gather", pairs, graph.constant(index), axis=0) for index in (0, 1)]
    x = graph.add("Concat", *halves, axis=1)
    x = graph.add("Pad", x, graph.constant([0, 0, 1, 0, 0, 0, 0, 1]), mode="constant")
    x = graph.add("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 0, 0], ceil_mode=0)
    x = graph.add("Add", x, graph.convolved(x, 8, 8, group=8))
    sure = graph.add("Sigmoid", graph.convolved(x, 8, 1, kernel=1))
    box = graph.convolved(x, 8, 4, kernel=1)
    classes = graph.add("Transpose", graph.convolved(x, 8, 80, kernel=1), perm=[0, 3, 2, 1])
    classes = graph.add("Transpose", graph.add("Softmax", classes, axis=3), perm=[0, 3, 2, 1])
    return graph.save(path, graph.add("Concat", sure, box, classes, axis=1), [1, 85, 16, 16])


@pytest.fixture(scope="session")
def detector_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Detectors of every layout that is known, of 128x128 pixels, whose weights mean nothing."""
    folder = tmp_path_factory.mktemp("detectors")
    return {
        "yolox": _write_yolox(folder / "yolox.onnx"),
        "fastest_det": _write_fastest_det(folder / "fastest_det.onnx"),
    }
