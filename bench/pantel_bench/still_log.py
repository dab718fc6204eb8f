"""A log of still benchmarks as data: what each experiment reached, run after run, under the same rules."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pantel_bench.errors import LogError
from pantel_bench.metrics import METRICS
from pantel_bench.still_report import StillReport
from pantel_bench.summary import OURS, means

__all__ = ["LogEntry", "entries_of", "log_to_csv", "pictures_of", "read_log"]


class LogEntry(BaseModel):
    """The means of one codec of ours at one rate in one experiment.

    Attributes:
        date: Day of the run, ISO 8601.
        label: What was tried.
        model: Name of the artefact and the first digits of its hash.
        pictures: How the pictures were cut, and how many there were.
        codec: Whose means these are.
        target_bpp: Rate asked for [bit/pixel].
        bpp: Mean rate [bit/pixel].
        psnr_db, ms_ssim, lpips, haarpsi, gmsd, contour_f1, grid_ratio: See `Scores`; empty where not measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str
    label: str
    model: str
    pictures: str
    codec: str
    target_bpp: float
    bpp: float
    psnr_db: float | None
    ms_ssim: float | None
    lpips: float | None
    haarpsi: float | None
    gmsd: float | None
    contour_f1: float | None
    grid_ratio: float | None


_COLUMNS = tuple(LogEntry.model_fields)
_NUMBERS = frozenset(metric.key for metric in METRICS)


def entries_of(report: StillReport, label: str) -> list[LogEntry]:
    """Return what a report adds to a log."""
    day = datetime.now(UTC).date().isoformat()
    model = f"{report.models.name} {report.models.hash[:8]}"
    pictures = pictures_of(report)
    return [
        LogEntry(
            date=day,
            label=label,
            model=model,
            pictures=pictures,
            codec=mean.codec,
            target_bpp=mean.target_bpp,
            bpp=round(mean.bpp, 5),
            **{
                metric.key: None if (value := mean.scores.value(metric)) is None else round(value, metric.decimals + 1)
                for metric in METRICS
            },
        )
        for mean in means(report.rows)
        if mean.codec.startswith(OURS)
    ]


def pictures_of(report: StillReport) -> str:
    """Return how the log tells the pictures of a report: how many there were, and how they were cut."""
    return f"{len(report.images)} at {report.size}"


def read_log(path: Path) -> list[LogEntry]:
    """Return the entries of a log; none if there is no such file.

    Raises:
        LogError: The file cannot be read, or is something else.
    """
    try:
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        return [
            LogEntry.model_validate({key: None if key in _NUMBERS and not text else text for key, text in line.items()})
            for line in lines
        ]
    except OSError as error:
        raise LogError(f"cannot read the log {path}: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise LogError(f"{path} is no log of still benchmarks; name another file") from error


def log_to_csv(log: Sequence[LogEntry]) -> bytes:
    """Return a log as a file."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(["" if value is None else value for _, value in entry] for entry in log)
    return buffer.getvalue().encode()
