"""What is done to an exported graph before it is shipped."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import nn

from pantel_export.onnx_export import export_module, with_half_weights


def test_weights_in_16_bits_halve_the_file_and_paint_what_rounded_weights_do(
    rounded_to_half: Callable[[Any], Any],
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3))
    x = torch.randn(1, 3, 12, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        plain = export_module(network, (x,), names=(["x"], ["y"]), dynamic={})
    halved = with_half_weights(plain)
    assert len(halved) < 0.52 * len(plain)
    onnx.checker.check_model(onnx.load_from_string(halved), full_check=True)

    (painted,) = onnxruntime.InferenceSession(halved).run(None, {"x": x.numpy()})
    exact = network(x).detach()
    rounded = rounded_to_half(network)(x).detach()
    torch.testing.assert_close(torch.from_numpy(painted), rounded, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(rounded, exact, atol=1e-5, rtol=1e-5)
