"""What the doctor has found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Section", "Status", "note", "ok", "problem", "split_advice", "warning", "worst"]


class Status(StrEnum):
    """How much a finding matters, the least first."""

    OK = "ok"
    NOTE = "note"  # worth knowing, nothing need be done
    WARNING = "warning"  # it works, but not well or not for long
    PROBLEM = "problem"  # it does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was looked at, a word or two.
        status: How much it matters.
        found: What was found, without a full stop.
        advice: What to do; empty where nothing need be done.
    """

    check: str
    status: Status
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """All findings of one subject.

    Attributes:
        subject: ``machine``, or the name of a sender or receiver.
        file: Its configuration file; empty if it has none.
        findings: In the order in which they are shown.
    """

    subject: str
    file: str
    findings: tuple[Finding, ...]


def ok(check: str, found: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, Status.OK, found)


def note(check: str, found: str, advice: str = "") -> Finding:
    """Return a finding that is worth knowing."""
    return Finding(check, Status.NOTE, found, advice)


def warning(check: str, found: str, advice: str) -> Finding:
    """Return a finding of what does not work well, or not for long."""
    return Finding(check, Status.WARNING, found, advice)


def problem(check: str, found: str, advice: str) -> Finding:
    """Return a finding of what does not work."""
    return Finding(check, Status.PROBLEM, found, advice)


def worst(findings: Iterable[Finding]) -> Status:
    """Return the status that matters most, `Status.OK` where nothing was found."""
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.OK)


def split_advice(line: str) -> tuple[str, str]:
    """Return what is wrong and what to do, of the line of an error; no advice where it has none."""
    found, separator, advice = line.partition("; ")
    if not separator:
        found, separator, advice = line.rpartition(": ")
    return (found, advice) if separator else (line, "")
