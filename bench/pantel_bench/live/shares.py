"""What the bits of a run were spent on, ten seconds at a time, beside what there was to tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import PooledPsnr
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.rig.ends import PayloadNote

__all__ = ["SPAN_S", "Span", "spans_of"]

SPAN_S = 10
_INSTANTS = SPAN_S * 1_000_000_000 // FRAME_INTERVAL_NS


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a run.

    Attributes:
        begin_s: Since the capture of the first frame [s].
        end_s: Likewise.
        objects: Mean number of objects that the sender followed, over the payloads; None without any.
        moving_share: Share of the pixels that move, mean over the frames captured, 0 to 1.
        background_psnr_db: PSNR over the pixels that do not move of all pictures on show together [dB]; None without
            any.
        bits_per_element: Payload by kind of element [bit/s].
    """

    begin_s: float
    end_s: float
    objects: float | None
    moving_share: float
    background_psnr_db: float | None
    bits_per_element: Mapping[str, float]


def spans_of(
    source: ClipSource,
    shown: Sequence[NDArray[np.uint8] | None],
    payloads: Sequence[PayloadNote],
    *,
    start_ns: int,
    delay_s: float,
) -> list[Span]:
    """Return the parts of a run, the last of them as long as what is left.

    Args:
        source: The frames.
        shown: For each frame what was on show at its time, (H, W, 3) uint8; None before the first picture.
        payloads: What was sent, in the order of time.
        start_ns: When the first frame was captured, on the clock of the payloads.
        delay_s: From the capture of a frame until it should be on show.
    """
    count = -(-len(source) // _INSTANTS)
    notes: list[list[PayloadNote]] = [[] for _ in range(count)]
    for note in payloads:
        notes[min((note.time_ns - start_ns) // (SPAN_S * 1_000_000_000), count - 1)].append(note)
    return [
        _span(source, shown, range(k * _INSTANTS, min((k + 1) * _INSTANTS, len(source))), notes[k], delay_s)
        for k in range(count)
    ]


def _span(
    source: ClipSource,
    shown: Sequence[NDArray[np.uint8] | None],
    instants: range,
    notes: Sequence[PayloadNote],
    delay_s: float,
) -> Span:
    background = PooledPsnr()
    for k in instants:
        picture, compared = shown[k], source.delayed(k, delay_s)
        if picture is not None:
            background.add(~source.moving(compared), source.frames[compared], picture)
    begin_s, end_s = (k * FRAME_INTERVAL_NS / 1e9 for k in (instants.start, instants.stop))
    bits: defaultdict[str, float] = defaultdict(float)
    for note in notes:
        for kind, taken in note.element_bits.items():
            bits[kind] += taken
    return Span(
        begin_s=begin_s,
        end_s=end_s,
        objects=fmean(note.objects for note in notes) if notes else None,
        moving_share=fmean(float(source.moving(k).mean()) for k in instants),
        background_psnr_db=background.db,
        bits_per_element={kind: taken / (end_s - begin_s) for kind, taken in sorted(bits.items())},
    )
