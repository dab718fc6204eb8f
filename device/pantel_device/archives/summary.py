"""What the tables say of each sender and UTC day, and of the archive as a whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from pantel_device.archives.census import Row
from pantel_device.archives.job import SCHEMA, Problem

__all__ = ["MOST_LISTED", "ArchiveSummary", "SenderDay", "to_json"]

MOST_LISTED = 100
"""Errors that a summary lists; the table has all."""


@dataclass(slots=True)
class SenderDay:
    """One sender on one day, all captures together.

    Attributes:
        captures: In which it was heard.
        seconds: That receivers listened, all together [s].
        seconds_fresh: Of these, with content that was fresh [s].
        alarms: That began.
    """

    captures: int = 0
    seconds: int = 0
    seconds_fresh: int = 0
    seconds_with_content: int = 0
    age_s: float = 0.0
    content_age_p95_max_s: float | None = None
    packets_good: int = 0
    packets_lost: int = 0
    packets_duplicate: int = 0
    good_bits: int = 0
    corrected_bits: int = 0
    payloads_damaged: int = 0
    payloads_cut: int = 0
    pictures: int = 0
    alarms: int = 0
    quality_samples: int = 0
    known_share: float = 0.0
    fine_share: float = 0.0
    objects: float = 0.0
    _newest: object = None

    def take(self, row: Row) -> None:
        """Take a row of the table of senders."""
        self.captures += row["capture"] != self._newest
        self._newest = row["capture"]
        for key in _ADDED:
            setattr(self, key, getattr(self, key) + row[key])
        self.age_s += _weighted(row, "content_age_mean_s", "seconds_with_content")
        self.known_share += _weighted(row, "cells_known_share", "quality_samples")
        self.fine_share += _weighted(row, "cells_fine_share", "quality_samples")
        self.objects += _weighted(row, "objects_mean", "quality_samples")
        p95_s = row["content_age_p95_s"]
        if isinstance(p95_s, float):
            self.content_age_p95_max_s = max(self.content_age_p95_max_s or 0.0, p95_s)

    def figures(self) -> Mapping[str, int | float | None]:
        """Return what a report says; the keys are described in docs/archives.md."""
        return {
            "captures": self.captures,
            "seconds": self.seconds,
            "seconds_fresh": self.seconds_fresh,
            "availability": _ratio(self.seconds_fresh, self.seconds),
            "content_age_mean_s": _ratio(self.age_s, self.seconds_with_content),
            "content_age_p95_max_s": self.content_age_p95_max_s,
            "bit_error_rate": _ratio(self.corrected_bits, self.good_bits),
            "packet_loss": _ratio(self.packets_lost, self.packets_good + self.packets_lost),
            **{key: getattr(self, key) for key in ("packets_good", "packets_lost", "packets_duplicate")},
            **{key: getattr(self, key) for key in ("payloads_damaged", "payloads_cut", "pictures", "alarms")},
            "cells_known_share": _ratio(self.known_share, self.quality_samples),
            "cells_fine_share": _ratio(self.fine_share, self.quality_samples),
            "objects_mean": _ratio(self.objects, self.quality_samples),
        }


_ADDED = (
    "seconds",
    "seconds_fresh",
    "seconds_with_content",
    "packets_good",
    "packets_lost",
    "packets_duplicate",
    "good_bits",
    "corrected_bits",
    "payloads_damaged",
    "payloads_cut",
    "pictures",
    "quality_samples",
)


@dataclass(slots=True)
class ArchiveSummary:
    """What the tables say.

    Attributes:
        captures: How many there are.
        runs_s: How long receivers listened, all together [s].
        errors: Rows of the table of errors, by kind.
        listed: The first of these rows that something should be done about.
        senders: By callsign, number and day, None where the receiver's clock was not set.
    """

    captures: int = 0
    runs_s: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    listed: list[Row] = field(default_factory=list)
    senders: dict[tuple[str, int, str | None], SenderDay] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """Errors that something should be done about: that a sender's captures cannot be replayed is none."""
        return self.errors.total() - self.errors[Problem.ONLY_SENT]

    def take(self, tables: Mapping[str, list[Row]]) -> None:
        """Take the rows of a capture."""
        self.captures += 1
        self.runs_s += sum(float(row["seconds"] or 0) for row in tables.get("runs", ()))
        self.errors.update(str(row["kind"]) for row in tables["errors"])
        failures = [row for row in tables["errors"] if row["kind"] != Problem.ONLY_SENT]
        self.listed += failures[: MOST_LISTED - len(self.listed)]
        for row in tables.get("senders", ()):
            self._day(row).take(row)
        for row in tables.get("alarms", ()):
            self._day(row).alarms += row["phase"] == "began"

    def days(self) -> Iterator[tuple[str, int, str | None, Mapping[str, int | float | None]]]:
        """Yield callsign, number, day and figures of each sender and day, in their order."""
        for key in sorted(self.senders, key=lambda key: (key[0], key[1], key[2] or "")):
            yield *key, self.senders[key].figures()

    def _day(self, row: Row) -> SenderDay:
        day = row["day"]
        key = str(row["callsign"]), int(row["sender"] or 0), None if day is None else str(day)
        return self.senders.setdefault(key, SenderDay())


def to_json(summary: ArchiveSummary) -> bytes:
    """Return the report as a JSON file."""
    content = {
        "report": "archive",
        "schema": SCHEMA,
        "versions": {"pantel": version("pantel")},
        "captures": summary.captures,
        "runs_s": summary.runs_s,
        "errors": dict(sorted(summary.errors.items())),
        "errors_listed": summary.listed,
        "errors_not_listed": summary.failures - len(summary.listed),
        "days": [
            {"callsign": callsign, "sender": sender, "day": day, **figures}
            for callsign, sender, day, figures in summary.days()
        ],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _weighted(row: Row, mean: str, count: str) -> float:
    return float(row[mean] or 0.0) * int(row[count] or 0)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
