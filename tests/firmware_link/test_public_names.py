from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import pantel_link

MODULES = [name for _, name, _ in pkgutil.walk_packages(pantel_link.__path__, "pantel_link.")]


@pytest.mark.parametrize("name", ["pantel_link", *MODULES])
def test_all_is_true(name: str) -> None:
    module = importlib.import_module(name)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    assert all(hasattr(module, each) for each in module.__all__)


def test_importing_the_link_loads_no_driver_and_no_codec() -> None:
    program = "import sys, pantel_link; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"serial", "reedsolo", "numpy", "pantel_codec"}.isdisjoint(loaded.stdout.split())
