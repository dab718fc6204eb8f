"""The report of a loopback test as JSON and as lines on a terminal; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version

from pantel_device.hil.cases import Case, Limits, Outcome
from pantel_device.hil.measurements import Measurements

__all__ = ["HilReport", "RigSettings", "to_json", "to_table"]

_DIGITS = 6
_PACKAGES = ("pantel", "pyserial", "reedsolo")


@dataclass(frozen=True, slots=True)
class RigSettings:
    """What was tested, and how.

    Attributes:
        port: URL of the end that sends.
        peer: URL of the end that receives; None where the port's output returns to its input.
        kind: `"stream"` or `"packet"`: what travels.
        seconds: Length of the payload phase [s].
        baud_rate: Line rate of serial devices [Bd].
        bitrate_bps: Of the link [bit/s].
        preset: Error protection; None where packets travel whole.
        callsign: Of the operator.
        security: `"checked"` or `"authenticated"`.
        seed: Of payloads and still.
        break_command: What broke the line; None if the test closed and opened its own ports.
        mend_command: What mended it.
    """

    port: str
    peer: str | None
    kind: str
    seconds: float
    baud_rate: int
    bitrate_bps: int
    preset: str | None
    callsign: str
    security: str
    seed: int
    break_command: str | None
    mend_command: str | None


@dataclass(frozen=True, slots=True)
class HilReport:
    """All of a test.

    Attributes:
        settings: What was tested.
        limits: What was asked for.
        measured: What was measured.
        cases: What follows.
        began: UTC of the start.
    """

    settings: RigSettings
    limits: Limits
    measured: Measurements
    cases: tuple[Case, ...]
    began: datetime

    @property
    def passed(self) -> bool:
        """Whether no case failed."""
        return all(case.outcome is not Outcome.FAILED for case in self.cases)

    def count(self, outcome: Outcome) -> int:
        """Return how many cases ended so."""
        return sum(case.outcome is outcome for case in self.cases)

    @property
    def summary(self) -> str:
        """How many cases ended how, in words."""
        return ", ".join(f"{self.count(outcome)} {outcome}" for outcome in Outcome if self.count(outcome))


def to_json(report: HilReport) -> bytes:
    """Return the report as a JSON file."""
    measured = asdict(report.measured)
    content = {
        "benchmark": "hil",
        "versions": {package: version(package) for package in _PACKAGES},
        "began_utc": report.began.isoformat(timespec="seconds"),
        "passed": report.passed,
        "settings": asdict(report.settings),
        "limits": asdict(report.limits),
        "cases": [asdict(case) for case in report.cases],
        **{key: measured[key] for key in ("line", "still", "recovery", "series", "wall_s")},
    }
    return (json.dumps(_rounded(content), indent=1, allow_nan=False) + "\n").encode()


def to_table(report: HilReport) -> str:
    """Return a line for each case, another for what to check, and one for all."""
    width = max(len(case.name) for case in report.cases)
    lines = []
    for case in report.cases:
        lines.append(f"{case.outcome:<7}  {case.name:<{width}}  {case.text}")
        if case.advice:
            lines.append(f"{'':<7}  {'':<{width}}  {case.advice}")
    lines.append(f"{report.settings.port}: {report.summary}, in {report.measured.wall_s:.0f} s")
    return "\n".join(lines) + "\n"


def _rounded(value: object) -> object:
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
        case _:
            return value
