"""Counting multiply-accumulates: by hand on small graphs, and the limits of the shipped ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pantel_models import ManifestError, detector_macs, list_artefacts, macs_per_pixel
from pantel_models.thumbnails import RASTER_PX

onnx = pytest.importorskip("onnx")


def save(path: Path, nodes: list[Any], weights: Mapping[str, tuple[int, ...]], channels: int = 3) -> Path:
    """Write a model from `x` (1, channels, h, w) to `z`, with weights of zeros."""
    helper, tensor = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", tensor.FLOAT, (1, channels, "h", "w"))],
        [helper.make_tensor_value_info("z", tensor.FLOAT, None)],
        [
            helper.make_tensor(name, tensor.FLOAT, shape, bytes(4 * _product(shape)), raw=True)
            for name, shape in weights.items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), str(path))
    return path


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs, [output], **attributes)


def test_a_convolution_counts_its_products(tmp_path: Path) -> None:
    conv = node("Conv", ["x", "w"], "z", pads=[1, 1, 1, 1])
    assert macs_per_pixel(save(tmp_path / "m.onnx", [conv], {"w": (8, 3, 3, 3)})) == 8 * 3 * 9


def test_groups_and_strides_count_less(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], "y", kernel_shape=[4, 4], strides=[4, 4]),
        node("Conv", ["y", "v"], "z", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=16),
    ]
    weights = {"w": (16, 3, 4, 4), "v": (16, 1, 3, 3)}
    assert macs_per_pixel(save(tmp_path / "m.onnx", nodes, weights)) == (16 * 3 * 16 + 16 * 9) / 16


def test_a_transposed_convolution_counts_its_products(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], "y", kernel_shape=[2, 2], strides=[2, 2]),
        node("ConvTranspose", ["y", "v"], "z", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    weights = {"w": (4, 3, 2, 2), "v": (4, 5, 2, 2)}
    assert macs_per_pixel(save(tmp_path / "m.onnx", nodes, weights)) == (4 * 3 * 4 + 4 * 5 * 4) / 4


def test_arithmetic_counts_and_moving_does_not(tmp_path: Path) -> None:
    nodes = [
        node("Mul", ["x", "x"], "a"),
        node("Relu", ["a"], "b"),
        node("Concat", ["b", "x"], "c", axis=1),
        node("Add", ["c", "c"], "z"),
    ]
    assert macs_per_pixel(save(tmp_path / "m.onnx", nodes, {})) == 3 + 6


def test_a_sum_over_a_picture_counts_what_it_adds(tmp_path: Path) -> None:
    nodes = [node("ReduceSum", ["x"], "y", keepdims=1), node("Max", ["y", "y"], "z")]
    assert macs_per_pixel(save(tmp_path / "m.onnx", nodes, {})) == 3


def test_a_network_of_thumbnails_counts_for_one_of_them_by_its_raster(tmp_path: Path) -> None:
    helper, tensor = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [node("Gemm", ["condition", "w"], "z")],
        "graph",
        [helper.make_tensor_value_info("condition", tensor.FLOAT, ("thumbnails", 8))],
        [helper.make_tensor_value_info("z", tensor.FLOAT, ("thumbnails", 512))],
        [helper.make_tensor("w", tensor.FLOAT, (8, 512), bytes(4 * 8 * 512), raw=True)],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), str(path))
    assert macs_per_pixel(path) == 8 * 512 / RASTER_PX**2


def test_an_unknown_kind_of_node_is_not_overlooked(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [node("Erf", ["x"], "z")], {})
    with pytest.raises(ManifestError, match="Erf"):
        macs_per_pixel(path)


@pytest.mark.parametrize("data", [None, b"", b"no model", bytes(100)])
def test_a_file_that_is_no_model(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "m.onnx"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ManifestError, match=r"m\.onnx is no ONNX model"):
        macs_per_pixel(path)


def test_shipped_models_keep_their_limits() -> None:
    for artefact in list_artefacts():
        assert 500 < macs_per_pixel(artefact.folder / artefact.files["faithful"]) <= 2_000
        assert 500 < macs_per_pixel(artefact.folder / artefact.files["encoder"]) <= 10_000
        enlarger = macs_per_pixel(artefact.folder / artefact.files["enlarger"])
        # What is enlarged was painted by a generator at half the resolution.
        assert enlarger + macs_per_pixel(artefact.folder / artefact.files["faithful"]) / 4 <= 2_000
        for role in ("thumbnail_encoder", "thumbnail_generator"):
            assert 100 < macs_per_pixel(artefact.folder / artefact.files[role]) <= 10_000


def test_a_detector_counts_its_products_at_the_size_it_is_run(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], "y", kernel_shape=[4, 4], strides=[4, 4]),
        node("HardSwish", ["y"], "a"),  # of a kind that no shipped network has
        node("Conv", ["a", "v"], "z", kernel_shape=[1, 1]),
    ]
    path = save(tmp_path / "m.onnx", nodes, {"w": (16, 3, 4, 4), "v": (8, 16, 1, 1)})
    assert detector_macs(path, (64, 32)) == 16 * 8 * (16 * 3 * 16 + 8 * 16)
    with pytest.raises(ManifestError, match="cannot be counted"):
        macs_per_pixel(path)


def test_a_detector_whose_sizes_are_not_known_is_not_counted(tmp_path: Path) -> None:
    nodes = [node("NonZero", ["x"], "n"), node("Cast", ["n"], "f", to=1), node("MatMul", ["w", "f"], "z")]
    path = save(tmp_path / "m.onnx", nodes, {"w": (2, 4)})
    with pytest.raises(ManifestError, match="not known before it runs"):
        detector_macs(path, (64, 32))
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    with pytest.raises(ManifestError, match="is no ONNX model that can be counted"):
        detector_macs(tmp_path / "noise.onnx", (64, 32))
