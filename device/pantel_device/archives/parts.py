"""What has been done of an archive: a small file for each capture, which appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType

from pantel_device.archives.census import Row
from pantel_device.archives.job import CaptureRows
from pantel_device.archives.tables import COLUMNS
from pantel_device.atomic_file import remove_leftovers, write_atomically

__all__ = ["Parts"]

# Of the values of a column; what may be unknown may be None. Counts are always known.
_TYPES: Mapping[str, tuple[type[object], ...]] = {
    "string": (str, NoneType),
    "date": (str, NoneType),
    "int32": (int,),
    "int64": (int,),
    "utc": (int, NoneType),
    "float64": (int, float, NoneType),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The folder of the parts.

    Attributes:
        folder: Made when something is written.
    """

    folder: Path

    def clean(self) -> None:
        """Remove what a run that was killed has left half-written."""
        remove_leftovers(*self.folder.glob("??"))

    def write(self, name: str, rows: CaptureRows) -> None:
        """Keep the rows of a capture.

        Raises:
            OSError: There is no room.
        """
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"digest": rows.digest, "tables": rows.tables}).encode())

    def read(self, name: str) -> CaptureRows | None:
        """Return the rows of a capture; None if it has none, or its file is damaged."""
        try:
            content = json.loads(self._path(name).read_bytes())
            digest, tables = content["digest"], content["tables"]
            return CaptureRows(digest, tables) if _is_whole(tables) else None
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def of_others(self, names: Iterable[str]) -> tuple[int, int]:
        """Return how many parts are those of other captures than these, and how many there are."""
        own = {self._path(name) for name in names}
        found = set(self.folder.glob("??/*.json"))
        return len(found - own), len(found)

    def _path(self, name: str) -> Path:
        key = hashlib.sha256(name.encode()).hexdigest()[:32]
        return self.folder / key[:2] / f"{key}.json"


def _is_whole(tables: Mapping[str, list[Row]]) -> bool:
    """Whether tables have all that is read of them: a disk, or a Pantel of another day, may have written others.

    Raises:
        LookupError: They have not.
        AttributeError: They are something else.
        TypeError: They are something else.
    """
    return "errors" in tables and all(
        isinstance(row[column], _TYPES[kind])
        for name, rows in tables.items()
        for row in rows
        for column, kind in COLUMNS[name].items()
    )
