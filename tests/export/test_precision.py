"""Half the precision only where the machine computes faster with it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.precision import mixed_precision


@pytest.mark.parametrize(("capability", "dtype"), [("AVX512", "bfloat16"), ("AVX2", "float32")])
def test_emulated_numbers_are_left_alone(capability: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    with mixed_precision(torch.device("cpu")):
        product = torch.ones(2, 3) @ torch.ones(3, 2)
    assert str(product.dtype) == f"torch.{dtype}"
