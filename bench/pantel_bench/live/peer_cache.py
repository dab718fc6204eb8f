"""Keeps the results of peers in a file: they take minutes and do not change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pantel_bench.errors import CacheError
from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.scoring import LiveSeries
from pantel_bench.live.source import ClipSource
from pantel_device.atomic_file import write_atomically

__all__ = ["PeerCache"]

_VERSION = 1  # changes whenever peers or scores are measured in another way


class PeerCache:
    """Rows of peers by what they depend on.

    Args:
        path: A JSON file; None keeps nothing beyond the run.

    Raises:
        CacheError: The file is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[str, list[PeerRow]] = _read(path) if path is not None and path.exists() else {}

    def key(self, source: ClipSource, bitrate_bps: int, delay_s: float, weights: tuple[Path | None, ...]) -> str:
        """Return what the rows of a clip depend on, as a hash.

        Args:
            source: The frames.
            bitrate_bps: Rate at which peers are delivered.
            delay_s: Play-out delay.
            weights: Files of the metrics; None for one that is not used.

        Raises:
            OSError: A file cannot be read.
        """
        digest = hashlib.sha256(f"{_VERSION} {source.frames.shape} {bitrate_bps} {delay_s}".encode())
        digest.update(source.frames.data)
        for path in weights:
            digest.update(hashlib.sha256(path.read_bytes() if path is not None else b"").digest())
        return digest.hexdigest()

    def get(self, key: str) -> list[PeerRow] | None:
        """Return the rows that were kept; None if there are none."""
        return self._rows.get(key)

    def put(self, key: str, rows: Sequence[PeerRow]) -> None:
        """Keep rows, in the file at once.

        Raises:
            OSError: The file cannot be written.
        """
        self._rows[key] = list(rows)
        if self._path is not None:
            kept = {key: [asdict(row) for row in rows] for key, rows in self._rows.items()}
            content = {"pantel_peers": _VERSION, "rows": kept}
            write_atomically(self._path, (json.dumps(content, allow_nan=False) + "\n").encode())


def _read(path: Path) -> dict[str, list[PeerRow]]:
    try:
        content = json.loads(path.read_bytes())
        if content["pantel_peers"] != _VERSION:
            return {}
        return {key: [_row(values) for values in rows] for key, rows in content["rows"].items()}
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CacheError(f"{path} holds no results of peers; name another file with --peers-cache") from error


def _row(values: dict[str, Any]) -> PeerRow:
    return PeerRow(**{**values, "series": LiveSeries(**values["series"])})
