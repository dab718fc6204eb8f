"""The eyes benchmark as a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_bench.eyes.report import EyesReport
from pantel_bench.pages.parts import grid, page, quantity, tile

__all__ = ["to_html"]


def to_html(report: EyesReport) -> bytes:
    """Return the report as a page that needs no other file."""
    headings: Sequence[str]
    rows: list[Sequence[str]]
    parts = ["<h1>What the sender sees</h1>", f"<p>Detector: {escape(report.detector)}</p>"]
    if (found := report.detection) is not None:
        macs = None if found.mac_per_frame is None else found.mac_per_frame / 1e6
        tiles = [
            tile(found.ap50_person, 3, "", f"average precision of {found.people} people at an IoU of 0.5"),
            tile(found.ap50_vehicle, 3, "", f"of {found.vehicles} vehicles"),
            tile(found.ms_per_frame, 1, "ms", f"for a picture, median of {found.pictures}"),
            tile(macs, 0, "million", "multiply-accumulates for a picture of 4:3"),
        ]
        parts.append(f"<div class='tiles'>{''.join(tiles)}</div>")
    if report.clips:
        headings = ("clip", "matched", "movers", "needless regions", "tracks per object", "observer", "95 %")
        rows = [
            (
                clip.clip,
                quantity(clip.matched, 3),
                str(clip.wanted),
                quantity(clip.needless, 2, "a picture"),
                quantity(clip.fragments_per_object, 1),
                quantity(clip.observer_ms, 1, "ms"),
                quantity(clip.observer_p95_ms, 1, "ms"),
            )
            for clip in report.clips
        ]
        parts += ["<h2>The observer on clips</h2>", grid(headings, rows)]
    if report.crossing:
        headings = ("detector", "every", "seed", "seconds", "switches", "a minute", "followed")
        rows = [
            (
                run.detector,
                str(run.detect_every),
                str(run.seed),
                f"{run.seconds:g}",
                str(run.switches),
                f"{run.switches_per_minute:.2f}",
                f"{run.followed:.3f}",
            )
            for run in report.crossing
        ]
        parts += ["<h2>Eight crossing objects of the test camera</h2>", grid(headings, rows)]
    return page("What the sender sees", parts)
