"""The findings as text for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version

from pantel_device.doctor.finding import Finding, Section, Status, worst

__all__ = ["as_json", "as_text"]

_COLOURS = {Status.OK: "32", Status.NOTE: "36", Status.WARNING: "33", Status.PROBLEM: "31;1"}
_STATUS_WIDTH = max(len(status) for status in Status)
_LEAST_TEXT = 30


def as_text(sections: Sequence[Section], *, colour: bool = False, width: int | None = None) -> str:
    """Return lines in columns: what matters how much, what was looked at, what was found, and below it what to do.

    Args:
        sections: What was found.
        colour: Whether to colour what matters, as terminals do.
        width: Characters in a line; None for lines of any length.
    """
    findings = [finding for section in sections for finding in section.findings]
    check_width = max((len(finding.check) for finding in findings), default=0)
    lines: list[str] = []
    for section in sections:
        lines.append(f"{section.subject} ({section.file})" if section.file else section.subject)
        for finding in section.findings:
            lines += _lines(finding, check_width, colour=colour, width=width)
        lines.append("")
    return "\n".join([*lines, _summary(findings), ""])


def as_json(sections: Sequence[Section]) -> str:
    """Return what `docs/reports.md` describes."""
    findings = [(section, finding) for section in sections for finding in section.findings]
    counts = {status.value: sum(finding.status is status for _, finding in findings) for status in Status}
    report = {
        "report": "doctor",
        "version": version("pantel"),
        "status": worst(finding for _, finding in findings).value,
        "counts": counts,
        "findings": [
            {
                "subject": section.subject,
                "file": section.file or None,
                "check": finding.check,
                "status": finding.status.value,
                "found": finding.found,
                "advice": finding.advice or None,
            }
            for section, finding in findings
        ],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _lines(finding: Finding, check_width: int, *, colour: bool, width: int | None) -> Iterator[str]:
    status = finding.status.value.ljust(_STATUS_WIDTH)
    if colour:
        status = f"\x1b[{_COLOURS[finding.status]}m{status}\x1b[0m"
    margin = " " * (2 + _STATUS_WIDTH + 2 + check_width + 2)
    room = None if width is None else max(width - len(margin), _LEAST_TEXT)
    head = f"  {status}  {finding.check.ljust(check_width)}  "
    for number, line in enumerate(_wrapped(finding.found, room)):
        yield f"{head if number == 0 else margin}{line}"
    for number, line in enumerate(_wrapped(finding.advice, room and room - 3)):
        yield f"{margin}{'-> ' if number == 0 else '   '}{line}"


def _wrapped(text: str, room: int | None) -> list[str]:
    if not text:
        return []
    return [text] if room is None else textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _summary(findings: Iterable[Finding]) -> str:
    statuses = [finding.status for finding in findings]
    problems, warnings = statuses.count(Status.PROBLEM), statuses.count(Status.WARNING)
    words = [_counted(problems, "problem")] if problems else ["no problems"]
    if warnings:
        words.append(_counted(warnings, "warning"))
    return ", ".join(words)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
