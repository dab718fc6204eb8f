"""Puts the mender of a training run into an artefact."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pantel_export.artefact_record import note_part, read_record
from pantel_export.composition.card import with_mender
from pantel_export.composition.network import weakened
from pantel_export.composition.train import load_mender
from pantel_export.errors import ExportError
from pantel_export.manifest import add_files
from pantel_export.onnx_export import export_mender

__all__ = ["add_mender"]

_ROLE = "mender"


def add_mender(run: Path, name: str, artefacts: Path, *, strength: float = 1.0) -> None:
    """Put the mender of a run into the artefact that painted the pictures which it learned from.

    Nothing of the bitstream changes, nor the artefact's hash.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.
        strength: Factor on what is added to pictures.

    Raises:
        ExportError: There is no such run or artefact, or the run learned from pictures of another one.
    """
    read_record(artefacts, name)
    mender, record = load_mender(run)
    painters = {(role, sha256) for each in record["composed"] for role, sha256 in each["painters_sha256"].items()}
    if any(_sha256(artefacts / name / f"{role}.onnx") != sha256 for role, sha256 in painters):
        raise ExportError(f"{run} was trained with pictures that {name} does not paint; make some with that one")
    add_files(artefacts, name, {_ROLE: (f"{_ROLE}.onnx", export_mender(weakened(mender, strength)))})
    note_part(artefacts, name, _ROLE, record | {"strength": strength}, with_mender)


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
