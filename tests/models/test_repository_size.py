"""What is shipped, and what trainings start from, stays small."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_MOST_SHIPPED_BYTES = 10_000_000
_MOST_WEIGHTS_BYTES = 4_000_000


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def test_the_shipped_models_take_less_than_10_mb_together() -> None:
    artefacts = Path(str(files("pantel_models"))) / "artefacts"
    assert 1_000_000 < _size_bytes(artefacts) < _MOST_SHIPPED_BYTES


def test_the_weights_that_trainings_start_from_take_less_than_4_mb_together() -> None:
    weights = Path(__file__).parents[2] / "export" / "weights"
    assert 1_000_000 < _size_bytes(weights) < _MOST_WEIGHTS_BYTES
