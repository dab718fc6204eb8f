"""What programs may rely on is what docs/api.md and docs/api-signatures.txt say, and does not change by accident."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.api.page import PAGE

import pantel_codec
import pantel_device
import pantel_link
import pantel_models
from pantel_device.reference import public_signatures, with_public_names

_SIGNATURES = PAGE.with_name("api-signatures.txt")
_PACKAGES = (pantel_codec, pantel_link, pantel_models, pantel_device)
_MODULES = [
    name
    for package in _PACKAGES
    for name in (
        package.__name__,
        *(module for _, module, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")),
    )
    if not name.endswith("__main__")
]


@pytest.mark.parametrize("name", _MODULES)
def test_all_is_true(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert sorted(set(names)) == sorted(names)
    assert all(hasattr(module, each) for each in names)


@pytest.mark.parametrize(
    ("package", "heavy"),
    [
        ("pantel_link", {"serial", "reedsolo", "numpy", "pantel_codec"}),
        ("pantel_device", {"numpy", "cv2", "pydantic", "pantel_link", "pantel_models", "pantel_device.cameras"}),
    ],
)
def test_importing_a_package_loads_nothing_heavy(package: str, heavy: set[str]) -> None:
    program = f"import sys, {package}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(loaded.stdout.split())


def test_every_public_name_has_a_line_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_public_names(page) == page, "run make reference"
    assert not [row for row in page.splitlines() if re.match(r"\| `\w+` \| *\|$", row)]


def test_nothing_changes_by_accident() -> None:
    promised = set(_SIGNATURES.read_text(encoding="utf-8").splitlines())
    today = set(public_signatures().splitlines())
    changes = [f"- {line}" for line in sorted(promised - today)] + [f"+ {line}" for line in sorted(today - promised)]
    assert not changes, "\n".join(
        [
            "what programs rely on has changed:",
            *changes,
            "if it must, say so in CHANGELOG.md, keep to docs/stability.md, and run make reference",
        ]
    )


def test_the_names_of_the_device_are_the_same_for_programs_and_for_type_checkers() -> None:
    tree = ast.parse(Path(pantel_device.__file__).read_text(encoding="utf-8"))
    checked = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    typed = {
        (alias.asname, node.module)
        for node in checked
        for alias in node.names
        if str(node.module).startswith("pantel_device.")
    }
    assert typed == {(name, module) for module, names in pantel_device._HOMES.items() for name in names}
    modules = {module.name for module in pkgutil.iter_modules(pantel_device.__path__)}
    assert modules.isdisjoint(pantel_device.__all__), "a module hides the name once it is imported"


def test_a_wrong_name_is_told_as_such() -> None:
    with pytest.raises(AttributeError, match=r"module 'pantel_device' has no attribute 'Recevier'"):
        _ = pantel_device.Recevier  # type: ignore[attr-defined]
    assert set(dir(pantel_device)) == set(pantel_device.__all__)


@pytest.mark.parametrize(
    "package", ["pantel_bench", "pantel_codec", "pantel_device", "pantel_export", "pantel_link", "pantel_models"]
)
def test_type_checkers_believe_the_package(package: str) -> None:
    (spec,) = importlib.import_module(package).__path__
    assert (Path(spec) / "py.typed").is_file()
