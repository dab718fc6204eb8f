"""Adds thumbnails to an artefact: their arrays join those of its tables."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import ExportError
from pantel_export.model_card import with_thumbnails
from pantel_export.object_crops import object_crops
from pantel_export.thumbnail_tables import thumbnail_arrays

__all__ = ["add_thumbnails", "thumbnails_of"]

_PREFIX = "thumbnail_"


def add_thumbnails(name: str, objects: Sequence[tuple[Path, Path]], artefacts: Path) -> int:
    """Fit thumbnails to objects and put them into an artefact in place of those it has.

    Args:
        name: Name of the artefact.
        objects: Folders of photographs, each with the folder of its boxes.
        artefacts: Folder that holds `manifest.json`.

    Returns:
        How many objects there were.

    Raises:
        ExportError: There is no such artefact, or there are no objects.
        DataError: A file of boxes holds something else.
    """
    try:
        manifest = json.loads((artefacts / "manifest.json").read_text())
    except OSError as error:
        raise ExportError(f"cannot read the manifest of {artefacts}: {error.strerror}") from error
    entry = next((entry for entry in manifest["artefacts"] if entry["name"] == name), None)
    if entry is None:
        raise ExportError(f"there is no artefact {name} in {artefacts}")
    sets = [list(object_crops(photos, boxes)) for photos, boxes in objects]
    crops = list(chain.from_iterable(sets))
    if not crops:
        raise ExportError("no object could be cut out; name folders of photographs and of their boxes")
    path = artefacts / name / entry["files"]["tables"]["name"]
    arrays: dict[str, Any] = {key: array for key, array in np.load(path).items() if not key.startswith(_PREFIX)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(arrays | thumbnail_arrays(crops)))
    data = buffer.getvalue()
    path.write_bytes(data)
    entry["files"]["tables"] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (artefacts / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    _note(
        artefacts / name,
        [
            {"photos": photos.name, "boxes": boxes.name, "objects": len(found)}
            for (photos, boxes), found in zip(objects, sets, strict=True)
        ],
    )
    return len(crops)


def _note(folder: Path, material: list[dict[str, Any]]) -> None:
    """Note in the artefact's record and card what the thumbnails were fitted to."""
    record = json.loads((folder / "record.json").read_text())
    record["thumbnails"] = material
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    card = (folder / "CARD.md").read_text()
    (folder / "CARD.md").write_text(with_thumbnails(card, material))


def thumbnails_of(tables: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield names and arrays of the thumbnails in the tables of an artefact, nothing if there is no such file."""
    if tables.exists():
        yield from ((key, array) for key, array in np.load(tables).items() if key.startswith(_PREFIX))
