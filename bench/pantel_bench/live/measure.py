"""Lets a clip cross the line and measures what the receiver shows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.late_join import LateJoin, join_late
from pantel_bench.live.losses import LossRow, measure_losses
from pantel_bench.live.perceptual import with_lpips
from pantel_bench.live.recall import JudgedSource, object_recall, object_recall_ceiling, pose_recall
from pantel_bench.live.replay_check import PictureHashes, Replayed, replay_in_new_process
from pantel_bench.live.scoring import LiveScores, score_live, visible
from pantel_bench.live.shares import Span, spans_of
from pantel_bench.live.showings import replayed_showings
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import Lpips
from pantel_bench.metrics.recall import Recall
from pantel_bench.pages.parts import Still, make_still
from pantel_bench.pages.video import SideBySideVideo
from pantel_bench.rig.run import Findings
from pantel_bench.rig.settings import RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.atomic_file import replacing
from pantel_device.frame import Box
from pantel_device.progress import progress
from pantel_link.captures import CaptureHeader, CaptureWriter, read_capture
from pantel_models import View

__all__ = ["ClipResult", "Instruments", "Recalls", "measure_clip"]

_STILL_TIMES_S = (2, 5, 10, 20, 40)
_FRAMES_PER_S = 1_000_000_000 // FRAME_INTERVAL_NS


@dataclass(frozen=True, slots=True)
class Instruments:
    """What is measured besides the scores that need nothing.

    Attributes:
        lpips: The perceptual metric; None without weights.
        judged: The source with somebody who finds objects in it; None without.
        joins_s: When receivers join late [s].
        losses: Shares of packets to be lost of what was sent on a line without losses.
        patterns: How many patterns of each.
    """

    lpips: Lpips | None = None
    judged: JudgedSource | None = None
    joins_s: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    patterns: int = 6


@dataclass(frozen=True, slots=True)
class Recalls:
    """What of the objects in the source can be found again."""

    poses: Recall
    objects: Recall
    ceiling: Recall


@dataclass(frozen=True, slots=True, eq=False)
class ClipResult:
    """All that was measured with one clip.

    Attributes:
        settings: Of the run.
        findings: What both ends have measured.
        scores: Of the pictures on show.
        spans: What the bits were spent on.
        recalls: None without a judge.
        joins: Receivers that joined late.
        losses: What is left with packets lost.
        replayed_same: Whether a new process drew the same pictures from the capture.
        replayed: What that process had to say.
        stills: Pairs of pictures for the page.
        wall_s: Time that everything took [s].
    """

    settings: RigSettings
    findings: Findings
    scores: LiveScores
    spans: Sequence[Span]
    recalls: Recalls | None
    joins: tuple[LateJoin, ...]
    losses: tuple[LossRow, ...]
    replayed_same: bool
    replayed: Replayed
    stills: tuple[Still, ...]
    wall_s: float


def measure_clip(
    settings: RigSettings,
    source: ClipSource,
    instruments: Instruments,
    *,
    capture: Path | None = None,
    video: Path | None = None,
) -> ClipResult:
    """Let a clip cross the simulated line and measure everything but its peers.

    Args:
        settings: Of the run; camera, length and size are those of the source.
        source: The frames that it is compared with.
        instruments: What is measured.
        capture: Where to keep what the receiver heard; None if it is not wanted. An older file there is replaced.
        video: Where to write source and pictures side by side; None if it is not wanted.

    Raises:
        CameraError: The camera cannot be opened.
        DetectorError: The sender's detector cannot be used.
        VideoError: The video cannot be written.
        ReplayError: The process that replays the capture failed.
        OSError: The capture cannot be written.
    """
    started_ns = time.monotonic_ns()
    with ExitStack() as stack:
        recorded = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pantel-live-"))) / "line.pcapng"
        if capture is not None:
            recorded = stack.enter_context(replacing(capture))
        watch = _Watch(settings, source)
        hashes = PictureHashes()
        writer = CaptureWriter(recorded, CaptureHeader(settings.bitrate_bps, settings.receiver_delay_ns))
        with ExitStack() as running:
            running.callback(writer.close, (len(source) - 1) * FRAME_INTERVAL_NS)
            run = running.enter_context(closing(VirtualRun(settings, sinks=[hashes], listener=writer)))
            film = running.enter_context(_open_video(video, settings, running)) if video is not None else None
            scores = score_live(source, watch.showings(run, film), settings.playout_delay_s)
            findings, context = run.findings(), run.context
        events = list(read_capture(recorded))
        replayed = replay_in_new_process(recorded)
        looked_at: list[NDArray[np.uint8] | None] = []
        if instruments.lpips is not None or instruments.judged is not None:
            looked_at = replayed_showings(events, len(source), View.PERCEPTUAL)
        if instruments.lpips is not None:
            scores = with_lpips(scores, source, looked_at, settings.playout_delay_s, instruments.lpips)
        joins = [
            join_late(events, source, join_s, settings.playout_delay_s, context=known)
            for join_s in instruments.joins_s
            for known in (None, context)
        ]
        losses = tuple(
            measure_losses(events, source, settings.playout_delay_s, instruments.losses, instruments.patterns)
        )
    return ClipResult(
        settings=settings,
        findings=findings,
        scores=scores,
        spans=watch.spans(findings),
        recalls=_recalls(watch, looked_at, instruments.judged),
        joins=tuple(joins),
        losses=losses,
        replayed_same=replayed.hashes == hashes.by_time,
        replayed=replayed,
        stills=watch.stills(scores),
        wall_s=(time.monotonic_ns() - started_ns) / 1e9,
    )


@dataclass(slots=True)
class _Watch:
    """Watches the pictures on show, and keeps those that are looked at again."""

    settings: RigSettings
    source: ClipSource
    boxes: list[tuple[Box, ...]] = field(default_factory=list)
    shown: list[NDArray[np.uint8] | None] = field(default_factory=list)

    def showings(self, run: VirtualRun, film: SideBySideVideo | None) -> Iterator[NDArray[np.uint8] | None]:
        """Yield what is on show at each instant, as the run proceeds."""
        name = Path(self.settings.camera).stem
        with progress(len(self.source), f"live {name}", every_s=5) as done:
            for k, showing in enumerate(run.showings()):
                self.boxes.append(tuple(shown.box for shown in showing.objects))
                self.shown.append(showing.pixels)
                if film is not None:
                    frame = self.source.frames[self.source.delayed(k, self.settings.playout_delay_s)]
                    film.add_pair(frame, visible(showing.pixels, frame), f"{k / _FRAMES_PER_S:5.1f} s")
                yield showing.pixels
                done(f"{k / _FRAMES_PER_S:.1f} s")

    def spans(self, findings: Findings) -> list[Span]:
        """Return what the bits were spent on."""
        sender = findings.sender
        return spans_of(
            self.source, self.shown, sender.payloads, start_ns=sender.start_ns, delay_s=self.settings.playout_delay_s
        )

    def stills(self, scores: LiveScores) -> tuple[Still, ...]:
        """Return some pairs for the page, the last instant among them."""
        last = len(self.source) - 1
        instants = [*(k for k in (_FRAMES_PER_S * time_s for time_s in _STILL_TIMES_S) if k < last), last]
        stills = []
        for k in instants:
            frame = self.source.frames[self.source.delayed(k, self.settings.playout_delay_s)]
            stills.append(
                make_still(scores.series.t_s[k], scores.series.ms_ssim[k], frame, visible(self.shown[k], frame))
            )
        return tuple(stills)


def _open_video(path: Path, settings: RigSettings, stack: ExitStack) -> SideBySideVideo:
    headings = f"source, {settings.playout_delay_s:g} s ago", f"received over {settings.bitrate_bps} bit/s"
    return SideBySideVideo(stack.enter_context(replacing(path)), settings.size_px, _FRAMES_PER_S, headings)


def _recalls(
    watch: _Watch, looked_at: Sequence[NDArray[np.uint8] | None], judged: JudgedSource | None
) -> Recalls | None:
    if judged is None:
        return None
    return Recalls(
        poses=pose_recall(judged, watch.boxes, watch.settings.playout_delay_s),
        objects=object_recall(judged, looked_at, watch.settings.playout_delay_s),
        ceiling=object_recall_ceiling(judged, watch.settings.playout_delay_s),
    )
