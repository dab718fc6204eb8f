"""Runs a demo, scores it as it goes, and writes its three files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from pantel_bench.demo.page import to_html
from pantel_bench.demo.real_time_run import RealTimeRun
from pantel_bench.demo.report import DemoReport, make_report, to_json
from pantel_bench.demo.source import Source
from pantel_bench.live.scoring import ScoreKeeper
from pantel_bench.pages.parts import Still, make_still
from pantel_bench.pages.video import SideBySideVideo
from pantel_bench.rig.run import RigRun
from pantel_bench.rig.settings import DISPLAY_INTERVAL_NS, PLAYOUT_DELAY_NS, RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.atomic_file import check_writable, replacing, write_atomically
from pantel_device.command import UsageError
from pantel_device.progress import progress

__all__ = ["DATA_FILE", "PAGE_FILE", "VIDEO_FILE", "produce"]

DATA_FILE = "report.json"
PAGE_FILE = "report.html"
VIDEO_FILE = "demo.mp4"

_STILL_TIMES_S = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800)
_FRAMES_PER_S = 1_000_000_000 // DISPLAY_INTERVAL_NS


def produce(settings: RigSettings, folder: Path) -> DemoReport:
    """Run a demo and write its page, its figures and its video.

    Args:
        settings: What to do.
        folder: Where to write; made if it is missing.

    Raises:
        UsageError: The folder cannot be made or written to.
        VideoError: The video cannot be written.
        OSError: Another file cannot be written; none is left half done.
        DemoError: A process of a real-time run failed.
        CameraError: The camera cannot be opened or broke down.
        LinkError: The line cannot be made, or the callsign must not go on the air.
        ManifestError: The model is damaged.
    """
    started_ns = time.monotonic_ns()
    with ExitStack() as stack:
        source = stack.enter_context(closing(Source(settings)))
        _make_folder(folder)
        run = stack.enter_context(closing(_open_run(settings)))
        video_file = stack.enter_context(replacing(folder / VIDEO_FILE))
        video = stack.enter_context(SideBySideVideo(video_file, settings.size_px, _FRAMES_PER_S, _headings(settings)))
        keeper, stills = _record(settings, run, source, video)
        report = make_report(
            settings,
            run.findings(),
            keeper,
            moving_region=source.moving_rule,
            wall_s=(time.monotonic_ns() - started_ns) / 1e9,
        )
    write_atomically(folder / DATA_FILE, to_json(report))
    write_atomically(folder / PAGE_FILE, to_html(report, stills, video=VIDEO_FILE, data=DATA_FILE))
    return report


def _record(
    settings: RigSettings, run: RigRun, source: Source, video: SideBySideVideo
) -> tuple[ScoreKeeper, list[Still]]:
    """Take a run instant by instant: score it, film it, and keep some pairs for the page."""
    keeper = ScoreKeeper()
    stills = []
    still_times_ns = set(_still_times_ns(settings))
    with progress(settings.instants, "demo", every_s=5) as done:
        for showing in run.showings():
            pixels, moving = source.at(showing.time_ns - PLAYOUT_DELAY_NS)
            received = keeper.take(showing.time_ns, pixels, moving, showing.pixels)
            score = keeper.scores[-1]
            video.add_pair(
                pixels, received, f"{score.time_s:5.1f} s    MS-SSIM {score.ms_ssim:.3f}    PSNR {score.psnr_db:.1f} dB"
            )
            if showing.time_ns in still_times_ns:
                stills.append(make_still(score.time_s, score.ms_ssim, pixels, received))
            done(f"{score.time_s:.1f} s, MS-SSIM {score.ms_ssim:.3f}")
    return keeper, stills


def _open_run(settings: RigSettings) -> RigRun:
    return RealTimeRun(settings) if settings.real_time else VirtualRun(settings)


def _headings(settings: RigSettings) -> tuple[str, str]:
    return f"source, {PLAYOUT_DELAY_NS / 1e9:g} s ago", f"received over {settings.bitrate_bps} bit/s"


def _still_times_ns(settings: RigSettings) -> Iterator[int]:
    """Yield the instants that the page shows: some early ones, and the last."""
    last_ns = (settings.instants - 1) * DISPLAY_INTERVAL_NS
    yield from (time_s * 1_000_000_000 for time_s in _STILL_TIMES_S if time_s * 1_000_000_000 < last_ns)
    yield last_ns


def _make_folder(folder: Path) -> None:
    """Make the folder if it is missing, and see before the run that the files will have their place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}; name another with --out") from error
    for name in (DATA_FILE, PAGE_FILE, VIDEO_FILE):
        check_writable(folder / name)
