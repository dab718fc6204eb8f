"""How long a receiver that joins late waits for a picture that can be recognized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pantel_bench.live.scoring import RECOGNIZABLE_MS_SSIM
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource, ready_at
from pantel_bench.metrics import ms_ssim
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link import StreamContext
from pantel_link.captures import CapturedCodeword, CaptureEvent, CaptureHeader

__all__ = ["LateJoin", "join_late"]


@dataclass(frozen=True, slots=True)
class LateJoin:
    """One receiver that joined late.

    Attributes:
        join_s: When it began to listen [s since the first frame].
        known: Whether it knew the stream's context, so that it need not wait for an introduction.
        wait_s: Time until an MS-SSIM of 0.65 was on show [s]; None if that never came.
    """

    join_s: float
    known: bool
    wait_s: float | None


def join_late(
    events: Sequence[CaptureEvent],
    source: ClipSource,
    join_s: float,
    delay_s: float,
    *,
    context: StreamContext | None = None,
) -> LateJoin:
    """Let an empty receiver hear what arrived after a time.

    Args:
        events: The capture of one run, on a clock that began with the first frame.
        source: What was sent.
        join_s: When it begins to listen [s].
        delay_s: Play-out delay.
        context: The stream's context, if it is known beforehand.
    """
    eye = _Eye(source, delay_s)
    known = () if context is None else (context,)
    for _ in replay(_heard_after(events, round(join_s * 1e9), known, eye), [eye]):
        pass
    wait_s = None if eye.recognized_ns is None else eye.recognized_ns / 1e9 - join_s
    return LateJoin(join_s, context is not None, wait_s)


class _Eye:
    """A sink that waits for a picture that can be recognized.

    Attributes:
        recognized_ns: When it was on show; None until then.
    """

    def __init__(self, source: ClipSource, delay_s: float) -> None:
        self.recognized_ns: int | None = None
        self._source = source
        self._delay_s = delay_s

    def on_picture(self, picture: Picture) -> None:
        """Compare a picture at the display instant at which it will be ready."""
        k = ready_at(picture.time_ns)
        if self.recognized_ns is not None or k >= len(self._source):
            return
        frame = self._source.frames[self._source.delayed(k, self._delay_s)]
        if ms_ssim(frame, picture.pixels) >= RECOGNIZABLE_MS_SSIM:
            self.recognized_ns = k * FRAME_INTERVAL_NS

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""


def _heard_after(
    events: Sequence[CaptureEvent], join_ns: int, known: tuple[StreamContext, ...], eye: _Eye
) -> Iterator[CaptureEvent]:
    """Yield what a receiver hears that begins to listen at a time, until it has seen enough."""
    for event in events:
        if eye.recognized_ns is not None:
            return
        match event:
            case CaptureHeader():
                yield replace(event, contexts=known)
            case CapturedCodeword(_, arrival_ns) if arrival_ns <= join_ns:
                continue
            case _:
                yield event
