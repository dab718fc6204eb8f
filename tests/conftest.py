"""What the tests of several components share: a small entropy model that no training made, and models of two views."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_SHAPES, Base, EntropyModel, Step, ThumbnailModel
from pantel_codec.entropy import ALPHABET, RESIDUAL_LIMIT, SCALE_LEVELS
from pantel_codec.slices import ChannelSlices
from pantel_codec.stages import stages_of
from pantel_codec.thumbnail import THUMBNAIL_LIMIT
from pantel_models import Artefact, find_artefact

settings.register_profile("pantel", deadline=None)  # how long an example takes says more about the machine
settings.load_profile("pantel")

GROUPS = (2, 3, 4)
SLICES = (1, 1, 3, 4)
REACHES = (2, 1, 1, 2)
QUALITIES = 5
WIDTH = 8
COEFFICIENTS = 28
CORE, CODED = 16, 24  # of each shape: those of the core, and with those of the detail
THUMBNAIL_TABLES = 12


def scattered(count: int, low: int, high: int, *, seed: int) -> NDArray[np.int64]:
    """Return integers from low to high, scattered by a multiplicative hash: the same for ever, on every machine."""
    index = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed << 20)
    mixed = (index * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
    values: NDArray[np.int64] = (mixed % np.uint64(high - low + 1)).astype(np.int64) + low
    return values


def model_arrays() -> dict[str, NDArray[Any]]:
    """Return arrays of the shapes that the workshop writes, in integer arithmetic and exact fractions."""
    counts = _residual_counts()
    arrays = {"groups": np.array(GROUPS), "residual_counts": counts, "refinement_counts": counts[:, ::-1] + 5}
    slices = ChannelSlices.of(GROUPS, SLICES)
    arrays["slices"] = np.array(slices.sizes)
    networks = {}
    for index, channels in enumerate(slices.sizes):
        group = slices.groups[index]
        known = slices.sizes[: slices.of_group(group).stop]
        inputs = 2 * sum(known) + len(known)
        stages = stages_of(group)
        convolution = len({stage.dilation for stage in stages}), (2 * REACHES[index] + 1) ** 2 * inputs
        networks[f"context{index}"] = _layers(channels, convolution, len(stages))
    for group, channels in enumerate(GROUPS):
        inputs = 2 * sum(GROUPS[: group + 1]) + group + 1 + 2 * sum(GROUPS) + len(GROUPS)
        layers = _layers(channels, (1, 9 * inputs), 2)
        networks[f"refinement{group}"] = layers | {"base_bias": ((QUALITIES, WIDTH), 200_000)}
    for first, (network, layers) in enumerate(networks.items()):
        for number, (name, (shape, largest)) in enumerate(layers.items()):
            values = scattered(int(np.prod(shape)), -largest, largest, seed=10 * first + number)
            arrays[f"{network}_{name}"] = values.reshape(shape)
    steps = (16 + scattered(QUALITIES * sum(GROUPS), 0, 48, seed=205)).reshape(QUALITIES, -1) / 64
    return {name: array.astype(np.int32) for name, array in arrays.items()} | {"steps": steps.astype(np.float32)}


def _layers(channels: int, convolution: tuple[int, int], stages: int) -> dict[str, tuple[tuple[int, ...], int]]:
    """Return shape and largest magnitude of each layer of a network.

    Args:
        channels: Of the slice.
        convolution: Number of dilations, and of taps times inputs.
        stages: Their number.
    """
    return {
        "spatial": ((*convolution, WIDTH), 300),
        "bias": ((QUALITIES, stages, WIDTH), 400_000),
        "hidden": ((WIDTH, WIDTH), 700),
        "hidden_bias": ((WIDTH,), 100_000),
        "head": ((WIDTH, 2 * channels), 500),
        "head_bias": ((2 * channels,), 300_000),
    }


def _residual_counts() -> NDArray[np.int64]:
    """Return (tables, 33) counts of a bell that is as wide as the scale says."""
    distance = 16 * np.arange(-RESIDUAL_LIMIT, RESIDUAL_LIMIT + 1)
    width = 1 + np.arange(SCALE_LEVELS)[:, None] ** 2 // 8
    counts: NDArray[np.int64] = (width**2 << 22) // (width**2 + distance**2)
    assert counts.shape[1] == ALPHABET
    counts[counts == 0] = 1
    return counts


def thumbnail_arrays() -> dict[str, NDArray[np.int32]]:
    """Return the integer arrays of thumbnails, with fewer coefficients and tables than those of shipped models."""
    width = 1 + np.arange(THUMBNAIL_TABLES)[:, None] ** 2
    distance = 16 * np.arange(-THUMBNAIL_LIMIT, THUMBNAIL_LIMIT + 1)
    level = scattered(THUMBNAIL_SHAPES * COEFFICIENTS, -4, THUMBNAIL_TABLES, seed=201)
    mixed = scattered(THUMBNAIL_SHAPES * COEFFICIENTS, 0, 1 << 30, seed=203).reshape(THUMBNAIL_SHAPES, COEFFICIENTS)
    rank = mixed.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    arrays = {
        "counts": np.maximum((width**2 << 20) // (width**2 + distance**2), 1),
        "level": level.reshape(THUMBNAIL_SHAPES, COEFFICIENTS),
        "slope": scattered(COEFFICIENTS, 0, 2, seed=202),
        "part": (rank >= CORE) + (rank >= CODED).astype(np.int64),
    }
    return {f"thumbnail_{name}": array.astype(np.int32) for name, array in arrays.items()}


@pytest.fixture
def arrays() -> dict[str, NDArray[np.int32]]:
    """Return the arrays of `model` and `thumbnails`, to be spoilt."""
    return model_arrays() | thumbnail_arrays()


@pytest.fixture(scope="session")
def model() -> EntropyModel:
    return EntropyModel(model_arrays())


@pytest.fixture(scope="session")
def thumbnails() -> ThumbnailModel:
    return ThumbnailModel(thumbnail_arrays())


@pytest.fixture(scope="session")
def values_of(model: EntropyModel) -> Callable[..., NDArray[np.int64]]:
    """Return a function that makes values of residuals (channels, rows, columns), quality, levels and base."""

    def make(residuals: NDArray[np.int64], quality: int, levels: int, base: Base | None = None) -> NDArray[np.int64]:
        flat = residuals.reshape(len(residuals), -1)

        def name(step: Step) -> NDArray[np.int64]:
            return flat[step.channels, step.cells]

        _, rows, columns = residuals.shape
        return model.walk(rows, columns, quality, levels, name, base=base)

    return make


@pytest.fixture(scope="session")
def golden_values(model: EntropyModel, values_of: Callable[..., NDArray[np.int64]]) -> Callable[..., NDArray[np.int64]]:
    """Return a function that makes values of a block: many small residuals, some large ones."""

    def make(rows: int, columns: int, quality: int, levels: int, base: Base | None = None) -> NDArray[np.int64]:
        count = model.channels * rows * columns
        residuals = scattered(count, -2, 2, seed=101) * (scattered(count, 0, 40, seed=102) // 40 * 30 + 1)
        return values_of(residuals.reshape(model.channels, rows, columns), quality, levels, base)

    return make


@pytest.fixture(scope="session")
def two_views(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """Return the shipped models with a perceptual generator that is easily known: it paints the negative."""
    onnx = pytest.importorskip("onnx")
    artefact = find_artefact()
    model = onnx.load_from_string(artefact.read("faithful"))
    (painted,) = model.graph.output
    last = next(node for node in model.graph.node if painted.name in node.output)
    last.output[0] = "positive"
    model.graph.initializer.append(onnx.helper.make_tensor("white", onnx.TensorProto.FLOAT, (), [1.0]))
    model.graph.node.append(onnx.helper.make_node("Sub", ["white", "positive"], [painted.name]))
    path = tmp_path_factory.mktemp("views") / "perceptual.onnx"
    onnx.save(model, str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(
        artefact,
        files={**artefact.files, "perceptual": str(path)},
        sha256={**artefact.sha256, "perceptual": digest},
    )


@pytest.fixture(scope="session")
def one_view() -> Artefact:
    """Return the shipped models with no generator but the faithful one."""
    artefact = find_artefact()
    return replace(artefact, files={role: name for role, name in artefact.files.items() if role != "perceptual"})
