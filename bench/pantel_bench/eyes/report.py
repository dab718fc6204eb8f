"""The results of the eyes benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pantel_bench.eyes.clips import ClipScores
from pantel_bench.eyes.crossing import CrossingScores
from pantel_bench.eyes.pictures import DetectionScores

__all__ = ["EyesReport", "to_json", "to_table"]

_PACKAGES = ("pantel", "numpy", "onnxruntime", "opencv-python-headless")


@dataclass(frozen=True, slots=True)
class EyesReport:
    """All that a run found.

    Attributes:
        detector: Name of the detector, or none.
        detection: It on labelled pictures; None if there were none.
        clips: The observer on clips.
        crossing: The tracker among crossing objects, for each detector and seed; empty if that was not asked for.
    """

    detector: str
    detection: DetectionScores | None
    clips: Sequence[ClipScores]
    crossing: Sequence[CrossingScores]


def to_json(report: EyesReport) -> bytes:
    """Return the report as a JSON file."""
    detection = report.detection
    content: dict[str, Any] = {
        "benchmark": "eyes",
        "detector": report.detector,
        "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
        "machine": platform.machine(),
        **({} if detection is None else asdict(detection)),
        "clips": [asdict(clip) for clip in report.clips],
        "crossing": [asdict(run) for run in report.crossing],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def to_table(report: EyesReport) -> str:
    """Return the report as plain text."""
    lines = []
    if (found := report.detection) is not None:
        macs = "" if found.mac_per_frame is None else f", {found.mac_per_frame / 1e6:,.0f} MMAC"
        lines.append(
            f"{report.detector}: AP50 person {_share(found.ap50_person)} of {found.people}, "
            f"vehicle {_share(found.ap50_vehicle)} of {found.vehicles}, {found.pictures} pictures, "
            f"{found.ms_per_frame:.1f} ms each{macs}"
        )
    if report.clips:
        lines.append("clip                            matched  of    needless/picture  fragments  ms   p95")
    lines += [
        f"{clip.clip[:30]:30}  {_share(clip.matched):>7}  {clip.wanted:<5} {clip.needless:16.2f}  "
        f"{'-' if clip.fragments_per_object is None else f'{clip.fragments_per_object:.1f}':>9}  "
        f"{clip.observer_ms:4.1f} {clip.observer_p95_ms:4.1f}"
        for clip in report.clips
    ]
    lines += [
        f"crossing objects, {run.detector} every {run.detect_every}, seed {run.seed}, {run.seconds:g} s: "
        f"{run.switches} switches ({run.switches_per_minute:.2f} a minute), "
        f"followed {run.followed:.3f} of the time"
        for run in report.crossing
    ]
    lines += [
        f"crossing objects, {name}, mean of {len(means)} seeds: {sum(means) / len(means):.2f} switches a minute"
        for name, means in _switches(report).items()
    ]
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _switches(report: EyesReport) -> dict[str, list[float]]:
    """Return the switches a minute of each run, by detector."""
    found: dict[str, list[float]] = {}
    for run in report.crossing:
        found.setdefault(run.detector, []).append(run.switches_per_minute)
    return found
