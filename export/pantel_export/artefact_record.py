"""The record and the card of an artefact: how each part of it was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pantel_export.errors import ExportError

__all__ = ["note_part", "read_record", "scene_run_of", "shortened"]

_KEPT_HISTORY = 5
_RECORD, _CARD = "record.json", "CARD.md"


def shortened(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a training with only the end of its history."""
    return {**record, "history": record["history"][-_KEPT_HISTORY:]}


def read_record(artefacts: Path, name: str) -> dict[str, Any]:
    """Return the record of an artefact.

    Raises:
        ExportError: There is no such artefact.
    """
    path = artefacts / name / _RECORD
    if not path.exists():
        raise ExportError(f"there is no artefact {name} in {artefacts}")
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def scene_run_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells the run of the scene codec whose weights an artefact has: its last step and its settings."""
    run = record.get("context", record)
    return {key: run[key] for key in ("step", "settings")}


def note_part(
    artefacts: Path,
    name: str,
    part: str,
    record: Mapping[str, Any] | None,
    with_section: Callable[[str, Mapping[str, Any] | None], str],
) -> None:
    """Note in an artefact's record and card how a part of it was made.

    Args:
        artefacts: Folder that holds `manifest.json`.
        name: Of the artefact.
        part: Key of the part in the record.
        record: Of the part's training; only the end of its history is kept. None for a part that is no longer there.
        with_section: Returns the card with the section about the part, or without it.

    Raises:
        ExportError: There is no such artefact.
    """
    whole = read_record(artefacts, name)
    whole.pop(part, None)
    if record is not None:
        whole[part] = record = shortened(record)
    folder = artefacts / name
    (folder / _RECORD).write_text(json.dumps(whole, indent=1) + "\n")
    (folder / _CARD).write_text(with_section((folder / _CARD).read_text(), record))
