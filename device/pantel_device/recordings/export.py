"""A part of the time out of the recordings of one sender, as one video, without encoding it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from pantel_device.errors import VideoError
from pantel_device.recordings.names import Recording

__all__ = ["Span", "export", "length_s", "parts_between"]

if TYPE_CHECKING:
    _Shown = tuple[datetime, av.Packet[av.VideoStream]]

_TICK = Fraction(1, 1000)
_MS = timedelta(milliseconds=1)
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, in UTC; None where there is no end to it."""

    begins: datetime | None = None
    ends: datetime | None = None

    def __str__(self) -> str:
        return f"from {self.begins or 'the beginning'} to {self.ends or 'the end'}"


def length_s(recording: Recording) -> float | None:
    """Return how long a recording is [s]; None if it cannot be read."""
    try:
        with av.open(str(recording.path), "r") as container:
            return None if container.duration is None else container.duration / av.time_base
    except (av.FFmpegError, OSError):
        return None


def parts_between(recordings: Sequence[Recording], span: Span) -> list[Recording]:
    """Return which recordings of one sender may hold something of a span, in order.

    Args:
        recordings: Of one sender, in order; those whose time is not known are left out.
        span: What is wanted.
    """
    dated = [(each, each.begins_utc) for each in recordings]
    known = [(each, begins) for each, begins in dated if begins is not None]
    followed = zip(known, [begins for _, begins in known[1:]] + [_FOR_EVER], strict=True)
    return [
        each
        for (each, begins), until in followed
        if begins < (span.ends or _FOR_EVER) and until > (span.begins or _ALWAYS)
    ]


def export(parts: Sequence[Recording], span: Span, out: Path) -> float:
    """Write what recordings hold of a span into one video, from the key picture before its begin on.

    Args:
        parts: Of one sender, in order, each with a known time.
        span: What is wanted.
        out: The video, which browsers play; made anew.

    Returns:
        How long it is [s]; 0 if there was nothing, and then nothing was written.

    Raises:
        VideoError: A recording cannot be read, the video cannot be written, or the size of the pictures changes.
    """
    film = _Film()
    try:
        with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            for part in parts:
                with _opened(part) as source:
                    film.append(container, source, part, span)
            film.end(container, span)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot export to {out}: {error.strerror}; make room or name another place") from error
    return film.length_ms / 1000


@contextmanager
def _opened(part: Recording) -> Iterator[av.container.InputContainer]:
    try:
        source = av.open(str(part.path), "r")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot read {part.path}: {error.strerror}; remove it") from error
    with source:
        yield source


class _Film:
    """A video that grows by parts.

    A picture is shown until the next comes, so each waits for that one, and the last is told how long.

    Attributes:
        length_ms: How long it is so far, without the picture that waits.
    """

    def __init__(self) -> None:
        self.length_ms = 0
        self._waits: av.Packet[av.VideoStream] | None = None
        self._first: datetime | None = None
        self._stream: av.VideoStream | None = None

    def append(
        self,
        container: av.container.OutputContainer,
        source: av.container.InputContainer,
        part: Recording,
        span: Span,
    ) -> None:
        """Append what a part holds of a span."""
        theirs = source.streams.video[0]
        if self._stream is None:
            self._stream = container.add_stream_from_template(theirs)
        if (theirs.width, theirs.height) != (self._stream.width, self._stream.height):
            raise VideoError(f"the pictures have another size from {part.path.name} on; export until there")
        for shown, packet in _within(_packets(source, theirs, part), span):
            self._first = self._first or shown
            self._show_until(container, (shown - self._first) // _MS)
            length_ms = round((packet.duration or 0) * (packet.time_base or 0) / _TICK)
            packet.pts = packet.dts = self.length_ms
            packet.time_base, packet.stream, packet.duration = _TICK, self._stream, length_ms
            self._waits = packet

    def end(self, container: av.container.OutputContainer, span: Span) -> None:
        """Append the last picture: as long as it was shown, but not beyond the span."""
        if self._waits is None or self._first is None:
            return
        until_ms = self.length_ms + (self._waits.duration or 0)
        if span.ends is not None:
            until_ms = min(until_ms, (span.ends - self._first) // _MS)
        self._show_until(container, until_ms)

    def _show_until(self, container: av.container.OutputContainer, time_ms: int) -> None:
        """Append the picture that waits; for a moment at least, because names tell whole seconds: parts may overlap."""
        if self._waits is None:
            return
        time_ms = max(time_ms, self.length_ms + 1)
        self._waits.duration = time_ms - self.length_ms
        container.mux(self._waits)
        self._waits, self.length_ms = None, time_ms


def _packets(source: av.container.InputContainer, stream: av.VideoStream, part: Recording) -> Iterator[_Shown]:
    """Yield when each picture was shown, and what holds it."""
    begins = part.begins_utc or _ALWAYS
    for packet in source.demux(stream):
        if packet.pts is not None and packet.time_base is not None:
            yield begins + timedelta(seconds=float(packet.pts * packet.time_base)), packet


def _within(packets: Iterator[_Shown], span: Span) -> Iterator[_Shown]:
    """Yield those of a span, and those before it down to the next key picture."""
    before: list[_Shown] = []
    for shown, packet in packets:
        if shown >= (span.ends or _FOR_EVER):
            return
        if shown < (span.begins or _ALWAYS):
            before = [] if packet.is_keyframe else before
            before.append((shown, packet))
            continue
        yield from () if packet.is_keyframe else before
        before = []
        yield shown, packet
