"""The results of the archive benchmark: as JSON, whose keys stand in ``docs/reports.md``, as a table and as a page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

from pantel_bench.archive.measure import ArchiveRun, ArchiveSettings, MadeArchive
from pantel_bench.pages.parts import grid, page, quantity, table

__all__ = ["ArchiveReport", "to_html", "to_json", "to_table"]

_PACKAGES = ("pantel", "dask", "distributed", "numpy", "pyarrow")
_HEADINGS = (
    "way",
    "processes",
    "time",
    "speed-up",
    "start",
    "computing time",
    "overhead per capture",
    "done when killed",
    "done again",
)


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """All that was found.

    Attributes:
        settings: What was measured.
        made: The archive.
        runs: One for each way; the first is that of one process.
    """

    settings: ArchiveSettings
    made: MadeArchive
    runs: Sequence[ArchiveRun]

    @property
    def identical(self) -> bool:
        """Whether all ways have written the same tables, octet by octet."""
        return len({run.sha256 for run in self.runs}) == 1

    def speed_up(self, run: ArchiveRun) -> float:
        """Return how much sooner a way was done than one process."""
        return self.runs[0].took_s / run.took_s

    def overhead_ms(self, run: ArchiveRun) -> float | None:
        """Return the computing time that a capture took of all processes besides what it takes of one [ms].

        The start of the programs is part of it. None where it was not measured.
        """
        if run.cpu_s is None or self.runs[0].cpu_s is None:
            return None
        return 1000 * (run.cpu_s - self.runs[0].cpu_s) / self.settings.captures


def to_json(report: ArchiveReport) -> bytes:
    """Return the report as a JSON file."""
    content = {
        "benchmark": "archive",
        "settings": {"captures": report.settings.captures, "seconds": report.settings.seconds},
        "versions": {package: version(package) for package in _PACKAGES},
        "cores": len(os.sched_getaffinity(0)),
        "archive": {"octets": report.made.octets, "took_s": report.made.took_s},
        "identical": report.identical,
        "runs": [
            {**asdict(run), "speed_up": report.speed_up(run), "overhead_ms": report.overhead_ms(run)}
            for run in report.runs
        ],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def to_table(report: ArchiveReport) -> str:
    """Return the report as lines for a terminal."""
    rows = [_HEADINGS, *(_cells(report, run) for run in report.runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, _verdict(report)]) + "\n"


def to_html(report: ArchiveReport) -> bytes:
    """Return the report as a page."""
    parts = [
        "<h1>Replays of an archive</h1>",
        f"<p>{_verdict(report)}.</p>",
        grid(_HEADINGS, [_cells(report, run) for run in report.runs]),
        table(
            [
                ("captures", str(report.settings.captures)),
                ("length of each", f"{report.settings.seconds:g} s"),
                ("size of all", f"{report.made.octets / 1e6:.1f} MB"),
                ("time to make them", f"{report.made.took_s:.0f} s"),
                *((package, version(package)) for package in _PACKAGES),
            ]
        ),
    ]
    return page("pantel bench archive", parts)


def _verdict(report: ArchiveReport) -> str:
    return "All tables are the same, octet by octet" if report.identical else "THE TABLES DIFFER"


def _cells(report: ArchiveReport, run: ArchiveRun) -> tuple[str, ...]:
    return (
        run.way,
        str(run.processes),
        f"{run.took_s:.1f} s",
        f"{report.speed_up(run):.2f}",
        f"{run.start_s:.1f} s",
        quantity(run.cpu_s, 1, "s"),
        quantity(report.overhead_ms(run), 1, "ms"),
        "-" if run.done_before is None else str(run.done_before),
        "-" if run.replayed_again is None else str(run.replayed_again),
    )
