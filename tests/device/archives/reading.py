"""What a replay of an archive has written, read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from pantel_device.archives.tables import TABLES

Rows = list[dict[str, object]]
Replay = Callable[..., tuple[int, str, str]]


def rows(tmp_path: Path, table: str, results: str = "results") -> Rows:
    found: Rows = pq.read_table(tmp_path / results / f"{table}.parquet").to_pylist()
    return found


def octets(tmp_path: Path, results: str = "results") -> list[bytes]:
    return [(tmp_path / results / f"{table}.parquet").read_bytes() for table in TABLES]
