"""The summary of an archive as one page for people, which needs no other file."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from pantel_device.archives.summary import ArchiveSummary
from pantel_device.report_page import figure, report_page, tile

__all__ = ["to_html"]

_COLUMNS = (
    ("availability", "available", ".1%"),
    ("content_age_mean_s", "age, mean [s]", ".1f"),
    ("content_age_p95_max_s", "age, 95 % [s]", ".1f"),
    ("bit_error_rate", "bit errors", ".1e"),
    ("packet_loss", "loss", ".1%"),
    ("packets_good", "packets", "d"),
    ("payloads_damaged", "damaged", "d"),
    ("cells_known_share", "cells known", ".1%"),
    ("cells_fine_share", "cells fine", ".1%"),
    ("objects_mean", "objects", ".1f"),
    ("alarms", "alarms", "d"),
    ("captures", "captures", "d"),
    ("seconds", "listened [h]", ".1f"),
)


def to_html(summary: ArchiveSummary) -> bytes:
    """Return the page."""
    days = list(summary.days())
    senders = {(callsign, sender) for callsign, sender, *_ in days}
    heading = "".join(f"<th scope='col'>{escape(title)}</th>" for _, title, _ in _COLUMNS)
    rows = "".join(_row(f"{callsign}-{sender}", day, figures) for callsign, sender, day, figures in days)
    errors = "".join(
        f"<tr><th scope='row'>{escape(kind)}</th><td>{count}</td></tr>"
        for kind, count in sorted(summary.errors.items())
    )
    parts = [
        "<h1>What was received</h1>",
        "<div class='tiles'>",
        tile(str(summary.captures), "", "captures"),
        tile(f"{summary.runs_s / 3600:.1f}", "h", "that receivers listened"),
        tile(str(len(senders)), "", "senders"),
        tile(str(len(days)), "", "days of senders"),
        tile(str(sum(each.alarms for each in summary.senders.values())), "", "alarms"),
        tile(str(summary.failures), "", "errors"),
        "</div>",
        "<h2>Senders and days (UTC)</h2>",
        f"<div class='wide'><table class='cases'><tr><th>sender</th><th>day</th>{heading}</tr>{rows}</table></div>",
        "<h2>Errors</h2>",
        f"<table class='figures'>{errors}</table>" if errors else "<p>None.</p>",
        _listed(summary) if summary.listed else "",
        "<p class='note'>docs/archives.md says what each figure is.</p>",
    ]
    return report_page("pantel replay: what was received", parts)


def _listed(summary: ArchiveSummary) -> str:
    """Return what is wrong with which capture."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(str(row['capture']))}</th><td>{escape(str(row['message']))}</td></tr>"
        for row in summary.listed
    )
    more = summary.failures - len(summary.listed)
    rest = f"<p class='note'>{more} more in errors.parquet.</p>" if more else ""
    return f"<div class='wide'><table class='cases'>{rows}</table></div>{rest}"


def _row(sender: str, day: str | None, figures: Mapping[str, int | float | None]) -> str:
    shown = {**figures, "seconds": (figures["seconds"] or 0) / 3600}
    cells = "".join(f"<td>{figure(shown[key], form)}</td>" for key, _, form in _COLUMNS)
    return f"<tr><th scope='row'>{escape(sender)}</th><td>{day or '-'}</td>{cells}</tr>"
