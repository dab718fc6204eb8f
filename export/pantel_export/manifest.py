"""The manifest of the shipped artefacts: reading an entry, and adding files to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from pantel_export.errors import ExportError

__all__ = ["add_files", "enter_artefact"]


def enter_artefact(
    artefacts: Path, name: str, files: Mapping[str, tuple[str, bytes]], *, kind: str = "artefacts"
) -> None:
    """Write the files of an artefact and enter it as the default one; an older one of that name is replaced.

    Args:
        artefacts: Folder that holds `manifest.json`.
        name: Of the artefact; its files lie in a folder of that name.
        files: Name and content of each file by role.
        kind: `artefacts` for scene codecs, `detectors` for detectors.
    """
    manifest = artefacts / "manifest.json"
    content = json.loads(manifest.read_text()) if manifest.exists() else {}
    entry = {"name": name, "files": _written(artefacts / name, files)}
    content[kind] = [entry, *(e for e in content.get(kind, []) if e["name"] != name)]
    manifest.write_text(json.dumps(content, indent=1) + "\n")


def add_files(
    artefacts: Path, name: str, files: Mapping[str, tuple[str, bytes]], *, without: Collection[str] = ()
) -> None:
    """Write files of an artefact that there is already, in place of those that had the same roles.

    Args:
        artefacts: Folder that holds `manifest.json`.
        name: Of the artefact.
        files: Name and content of each file by role.
        without: Roles whose files no longer belong to it.

    Raises:
        ExportError: There is no such artefact.
    """
    manifest = artefacts / "manifest.json"
    try:
        content = json.loads(manifest.read_text())
    except OSError as error:
        raise ExportError(f"cannot read the manifest of {artefacts}: {error.strerror}") from error
    entry = next((entry for entry in content["artefacts"] if entry["name"] == name), None)
    if entry is None:
        raise ExportError(f"there is no artefact {name} in {artefacts}")
    for role in without:
        if role in entry["files"]:
            (artefacts / name / entry["files"].pop(role)["name"]).unlink(missing_ok=True)
    entry["files"] |= _written(artefacts / name, files)
    manifest.write_text(json.dumps(content, indent=1) + "\n")


def _written(folder: Path, files: Mapping[str, tuple[str, bytes]]) -> dict[str, dict[str, object]]:
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.values():
        (folder / file).write_bytes(data)
    return {
        role: {"name": file, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for role, (file, data) in files.items()
    }
