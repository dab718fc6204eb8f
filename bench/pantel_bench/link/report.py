"""The results of the link benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pantel_bench.link.cases import PUBLISHED, PublishedGoodput
from pantel_bench.link.line import Line
from pantel_bench.link.measure import LinkRow
from pantel_bench.link.traffic import CONTENT_SYMBOLS
from pantel_link import LengthClass
from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["Condition", "LinkReport", "to_json"]

_PACKAGES = ("pantel", "numpy", "reedsolo")


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows that differ in nothing but the preset.

    Attributes:
        profile: `stream` or `packet`.
        length: Live packets or stills.
        line: How bad it is.
        rows: By preset.
    """

    profile: str
    length: LengthClass
    line: Line
    rows: tuple[LinkRow, ...]

    @property
    def best(self) -> LinkRow:
        """The row with the highest goodput."""
        return max(self.rows, key=lambda row: row.goodput_bps)


@dataclass(frozen=True, slots=True)
class LinkReport:
    """All that a run found.

    Attributes:
        rows: The measured rows.
        seed: Of content and errors.
        cpu_s: Computing time.
    """

    rows: Sequence[LinkRow]
    seed: int
    cpu_s: float

    @property
    def conditions(self) -> list[Condition]:
        """The rows by condition, in their order."""
        groups: dict[tuple[str, LengthClass, Line], list[LinkRow]] = {}
        for row in self.rows:
            groups.setdefault((row.case.profile_name, row.case.length, row.case.line), []).append(row)
        return [Condition(*key, tuple(group)) for key, group in groups.items()]


def to_json(report: LinkReport) -> bytes:
    """Return the report as a JSON file."""
    best = {id(condition.best) for condition in report.conditions}
    content = {
        "benchmark": "link",
        "settings": {
            "bitrate_bps": DEFAULT_BITRATE_BPS,
            "content_symbols": CONTENT_SYMBOLS,
            "seed": report.seed,
        },
        "versions": {package: _version(package) for package in _PACKAGES},
        "cpu_s": report.cpu_s,
        "rows": [_row(row, best=id(row) in best) for row in report.rows],
        "published": [_published(each) for each in PUBLISHED],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _row(row: LinkRow, *, best: bool) -> dict[str, Any]:
    return {
        "profile": row.case.profile_name,
        "preset": row.case.preset_name,
        "length": str(row.case.length),
        **_line(row.case.line),
        "packets": row.packets,
        "packets_delivered": row.packets_delivered,
        "wire_octets": row.wire_octets,
        "symbols": row.symbols,
        "stills": row.stills,
        "stills_complete": row.stills_complete,
        "content_octets": row.content_octets,
        "goodput_bps": row.goodput_bps,
        "capacity_bps": row.capacity_bps,
        "ratio": row.ratio,
        "best": best,
        "undetected_errors": row.undetected_errors,
    }


def _published(each: PublishedGoodput) -> dict[str, Any]:
    return {
        "name": each.name,
        **_line(each.line),
        "goodput_bps": each.goodput_bps,
        "capacity_bps": each.capacity_bps,
        "ratio": each.ratio,
        "source": each.source,
    }


def _line(line: Line) -> dict[str, Any]:
    return {"ber": line.bit_error_rate, "erasure": line.erasure, "burst": line.burst}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
