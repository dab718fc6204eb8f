"""The tables as Parquet files, the same octets whoever did the work; docs/archives.md says what each column is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pantel_device.archives.census import Row
from pantel_device.archives.job import SCHEMA
from pantel_device.atomic_file import replacing
from pantel_device.command import CommandError
from pantel_link import ReceiverStatistics, StreamStatistics

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "SCHEMA_KEY", "TABLES", "check_parquet", "write_tables"]

SCHEMA_KEY = "pantel.archive.schema"
"""In the metadata of each file: the version of the tables."""

TABLES = ("runs", "senders", "alarms", "errors")
"""That are always written; `pictures` besides, if pictures were hashed."""

_ROWS_AT_ONCE = 65_536  # of a row group: bounds the memory, and is the same in every run

_PLACE = {"capture": "string", "run": "int32"}
_DAY = {"day": "date"}
_WHO = {"callsign": "string", "sender": "int32"}
_PAYLOADS = {"payloads_damaged": "int64", "payloads_cut": "int64"}
_RATES = {"bit_error_rate": "float64", "packet_loss": "float64"}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "runs": {
        **_PLACE,
        **_DAY,
        "files": "int32",
        "begin_utc": "utc",
        "seconds": "float64",
        "bitrate_bps": "int64",
        "codewords": "int64",
        **_PAYLOADS,
        **{each.name: "int64" for each in fields(ReceiverStatistics)},
        **_RATES,
    },
    "senders": {
        **_PLACE,
        **_DAY,
        **_WHO,
        "streams": "int32",
        "model": "string",
        "width_px": "int32",
        "height_px": "int32",
        **_PAYLOADS,
        **{each.name: "int64" for each in fields(StreamStatistics)},
        **_RATES,
        "pictures": "int64",
        "first_picture_s": "float64",
        "seconds": "int64",
        "seconds_with_content": "int64",
        "seconds_fresh": "int64",
        "availability": "float64",
        "content_age_mean_s": "float64",
        "content_age_p50_s": "float64",
        "content_age_p95_s": "float64",
        "content_age_max_s": "float64",
        "quality_samples": "int64",
        "cells_known_share": "float64",
        "cells_fine_share": "float64",
        "cell_levels_mean": "float64",
        "cell_age_mean_s": "float64",
        "objects_mean": "float64",
    },
    "alarms": {
        **_PLACE,
        **_DAY,
        "told_utc": "utc",
        **_WHO,
        "number": "int32",
        "phase": "string",
        "class": "string",
        "zone": "string",
        "left_px": "float64",
        "top_px": "float64",
        "right_px": "float64",
        "bottom_px": "float64",
        "age_s": "float64",
    },
    "pictures": {**_PLACE, "time_ns": "int64", **_WHO, "sha256": "string"},
    "errors": {"capture": "string", "kind": "string", "message": "string"},
}
"""The columns of each table and their types."""


def check_parquet() -> None:
    """Check before the work that its result can be written.

    Raises:
        CommandError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise CommandError(
            "Parquet files need pyarrow; install it with: pip install '.[archive]' in Pantel's folder"
        ) from error


def write_tables(folder: Path, names: Iterable[str], captures: Iterable[Mapping[str, list[Row]]]) -> None:
    """Write tables as `FOLDER/NAME.parquet`; all of them appear when all are complete.

    Args:
        folder: Exists.
        names: Of the tables.
        captures: The rows of each capture by table, in the order in which they shall stand.

    Raises:
        OSError: There is no room; older files stay as they are.
    """
    with ExitStack() as stack:
        tables = {name: _Table(name, stack.enter_context(replacing(folder / f"{name}.parquet"))) for name in names}
        for rows in captures:
            for name, table in tables.items():
                table.add(rows.get(name, ()))
        for table in tables.values():
            table.close()


class _Table:
    """Writes rows in groups of the same size, so that the file depends on nothing but them."""

    def __init__(self, name: str, path: Path) -> None:
        import pyarrow.parquet as pq

        self._schema = _schema(name)
        self._waiting: list[Row] = []
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", version="2.6")

    def add(self, rows: Iterable[Row]) -> None:
        self._waiting += rows
        while len(self._waiting) >= _ROWS_AT_ONCE:
            self._write(self._waiting[:_ROWS_AT_ONCE])
            del self._waiting[:_ROWS_AT_ONCE]

    def close(self) -> None:
        if self._waiting:
            self._write(self._waiting)
        self._writer.close()

    def _write(self, rows: list[Row]) -> None:
        import pyarrow as pa

        days = {"day"} & set(self._schema.names)
        typed = [row | {name: _date(row[name]) for name in days} for row in rows]
        self._writer.write_table(pa.Table.from_pylist(typed, schema=self._schema), row_group_size=_ROWS_AT_ONCE)


def _schema(name: str) -> pa.Schema:
    import pyarrow as pa

    types: Mapping[str, Any] = {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "date": pa.date32(),
        "utc": pa.timestamp("ns", tz="UTC"),
    }
    columns = [pa.field(column, types[kind]) for column, kind in COLUMNS[name].items()]
    return pa.schema(columns, metadata={SCHEMA_KEY: str(SCHEMA)})


def _date(day: object) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else None
