"""What a sketch takes and brings: a clip crosses a simulated line as nothing but contours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import contour_f1
from pantel_bench.rig.settings import RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.frame import Frame
from pantel_device.observer import Detector, MotionDetector, Observer

__all__ = ["SketchResult", "measure_sketch"]


@dataclass(frozen=True, slots=True)
class SketchResult:
    """A run.

    Attributes:
        clip: As given.
        seconds: Line time [s].
        bitrate_bps: Rate of the line [bit/s].
        playout_delay_s: From capture to show [s].
        gross_bps: Octets written to the port times 8, over the line time [bit/s].
        gross_bps_max_10s: The same over the 10 s with the most.
        packets_sent: IDENT packets included.
        bits_per_element: Payload by kind of element [bit/s].
        first_picture_s: When anything was on show first [s]; None if nothing ever was.
        contour_f1: Mean agreement of contours in the region of interest, over the instants at which there was one;
            None if there never was.
        region_share: Share of the instants at which there was one.
        whole_contour_f1: The same over the whole picture and all instants.
    """

    clip: str
    seconds: float
    bitrate_bps: int
    playout_delay_s: float
    gross_bps: float
    gross_bps_max_10s: float
    packets_sent: int
    bits_per_element: Mapping[str, float]
    first_picture_s: float | None
    contour_f1: float | None
    region_share: float
    whole_contour_f1: float


def measure_sketch(
    settings: RigSettings, source: ClipSource, detector: Detector | None, done: Callable[[str], None] = lambda _: None
) -> SketchResult:
    """Let a clip cross the line as a sketch and compare what is on show with the frame of a play-out delay before.

    Before the first picture mid-grey is on show.

    Args:
        settings: Of the run; camera, length and size are those of the source.
        source: The frames.
        detector: Of who says what the region of interest is, as the sender's.
        done: Called after each instant.
    """
    delay = round(settings.playout_delay_ns / FRAME_INTERVAL_NS)
    regions = _regions(source, detector)
    grey = np.full_like(source.frames[0], 128)
    whole, inside, first_picture_s = [], [], None
    with closing(VirtualRun(settings)) as run:
        for k, showing in enumerate(run.showings()):
            compared = max(k - delay, 0)
            frame, region = source.frames[compared], regions[compared]
            if showing.pixels is not None and first_picture_s is None:
                first_picture_s = k * FRAME_INTERVAL_NS / 1e9
            shown = grey if showing.pixels is None else showing.pixels
            whole.append(contour_f1(frame, shown))
            if region is not None:
                inside.append(contour_f1(frame, shown, region))
            done(f"{k * FRAME_INTERVAL_NS / 1e9:.1f} s")
        sender = run.findings().sender
    return SketchResult(
        clip=settings.camera.removeprefix("file:"),
        seconds=settings.seconds,
        bitrate_bps=settings.bitrate_bps,
        playout_delay_s=settings.playout_delay_ns / 1e9,
        gross_bps=8 * sender.meter.octets / settings.seconds,
        gross_bps_max_10s=sender.meter.max_bps(),
        packets_sent=sender.statistics.packets,
        bits_per_element={kind: bits / settings.seconds for kind, bits in sender.element_bits.items()},
        first_picture_s=first_picture_s,
        contour_f1=fmean(inside) if inside else None,
        region_share=len(inside) / len(whole),
        whole_contour_f1=fmean(whole),
    )


def _regions(source: ClipSource, detector: Detector | None) -> list[NDArray[np.bool_] | None]:
    """Return the region of interest (H, W) of each frame, as the observer sees it; None where no object is."""
    observer = Observer(MotionDetector(), detector)
    regions = []
    for k, pixels in enumerate(source.frames):
        observation = observer.observe(Frame(k, k * FRAME_INTERVAL_NS, pixels))
        regions.append(observation.mask.copy() if observation.tracks else None)
    return regions
