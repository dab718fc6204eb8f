"""The search for an encoder's best settings at a rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.peers import display
from pantel_bench.live.peers.encoders import Knobs, VideoEncoder
from pantel_bench.live.peers.ffmpeg import Ffmpeg
from pantel_bench.live.peers.planes import enlarge, shrink
from pantel_bench.live.peers.stream import CodedVideo, decode
from pantel_bench.live.peers.worth import Appraiser, Worth
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource

__all__ = ["Coded", "Found", "Setting", "VideoSearch"]

_SHRINKS = (2, 4)
_IDEAL_STEPS = (5, 3, 2, 1)  # instants between two pictures: 2 to 10 pictures a second
_DELIVERED_STEPS = (10, *_IDEAL_STEPS)  # fewer pictures arrive sooner
_INSTANTS_PER_S = 1_000_000_000 // FRAME_INTERVAL_NS
_LOG_SIZE_PER_QUALITY = 0.1  # roughly, for all of them
_STRIDES = 11  # qualities tried for a delivered stream, about


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to encode.

    Attributes:
        shrink: By which the pictures are made smaller, each way.
        blur_px: Blur before they are made smaller.
        step: Instants between two pictures.
        knobs: Of the encoder.
    """

    shrink: int
    blur_px: float
    step: int
    knobs: Knobs

    def described(self, quality: int) -> dict[str, float]:
        """Return it for a report."""
        own = {"shrink": self.shrink, "fps": round(_INSTANTS_PER_S / self.step, 2), "blur_px": self.blur_px}
        return {**own, "quality": quality, **self.knobs}


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A stream and how it was made.

    Attributes:
        setting: Everything but the quality.
        quality: Of the encoder's.
        video: The stream.
    """

    setting: Setting
    quality: int
    video: CodedVideo


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A stream and what is on show of it.

    Attributes:
        coded: The stream.
        shown: Number of its picture on show at each instant; None before the first.
        worth: How good that is.
    """

    coded: Coded
    shown: Sequence[int | None]
    worth: Worth

    def pictures(self, size_px: tuple[int, int]) -> list[NDArray[np.uint8] | None]:
        """Return what is on show at each instant: (H, W, 3) uint8, the same object for as long as it stays."""
        numbers = {number for number in self.shown if number is not None}
        large = {number: enlarge(self.coded.video.planes[number], size_px) for number in numbers}
        return [None if number is None else large[number] for number in self.shown]


@dataclass(frozen=True, slots=True)
class _Line:
    bitrate_bps: int
    delay_s: float


_Merit = Callable[[Found], float]


class VideoSearch:
    """Searches for one source.

    Args:
        source: The frames; sides at least 8.
        ffmpeg: The program.
    """

    def __init__(self, source: ClipSource, ffmpeg: Ffmpeg) -> None:
        self._source = source
        self._ffmpeg = ffmpeg
        self._appraiser = Appraiser(source)
        self._small: dict[tuple[int, float], Sequence[NDArray[np.uint8]]] = {}

    def ideal(self, encoder: VideoEncoder, bitrate_bps: float) -> tuple[Found, Found] | None:
        """Find the best streams within a rate, without a line: every instant against its own frame.

        First the size and the number of pictures are chosen, then one knob after the other.

        Returns:
            The best for the whole picture and the best for moving pixels; None if the encoder cannot make a stream
            small enough.

        Raises:
            PeerError: The encoder fails.
        """
        budget_bytes = int(bitrate_bps * len(self._source) / _INSTANTS_PER_S / 8)
        start = {name: values[0] for name, values in encoder.look_ahead.items()}
        tried: list[Found] = []
        for size in self._sizes(encoder):
            before: Found | None = None
            for step in _IDEAL_STEPS:
                found = self._ideal(encoder, Setting(*size, step, start), encoder.qualities[-1], budget_bytes)
                if found is None or (before and _is_worse(found, before)):
                    break  # more pictures would be worse still
                before = found
                tried.append(found)
        if not tried:
            return None
        whole, moving = (
            self._tuned(encoder, max(tried, key=merit), merit, budget_bytes) for merit in (_whole, _moving)
        )
        return whole, moving

    def delivered(
        self, encoder: VideoEncoder, bitrate_bps: int, delay_s: float, besides: Sequence[Found]
    ) -> tuple[Found, Found] | None:
        """Find the best streams as a line delivers them, without look-ahead.

        Args:
            encoder: Of the streams.
            bitrate_bps: Of the line.
            delay_s: By which pictures on show may be old.
            besides: Streams that compete as well, with look-ahead.

        Returns:
            The best if the newest picture is shown, and the best if no picture is shown before its time; None if the
            line cannot carry any stream.

        Raises:
            PeerError: The encoder fails.
        """
        line = _Line(bitrate_bps, delay_s)
        newest: Found | None = None
        on_time: Found | None = None
        for coded in itertools.chain(
            (found.coded for found in besides),
            self._low_delay(encoder, bitrate_bps),
        ):
            at_once, in_time = self._delivered(line, coded)
            newest, on_time = _better(newest, at_once), _better(on_time, in_time)
        return (newest, on_time) if newest and on_time else None

    def _tuned(self, encoder: VideoEncoder, found: Found, merit: _Merit, budget_bytes: int) -> Found:
        """Try the values of one knob after the other, starting from a stream."""
        best = found
        for name, values in encoder.look_ahead.items():
            for value in values[1:]:
                setting = replace(best.coded.setting, knobs={**best.coded.setting.knobs, name: value})
                other = self._ideal(encoder, setting, best.coded.quality, budget_bytes)
                if other is not None:
                    best = max(best, other, key=merit)
        return best

    def _ideal(self, encoder: VideoEncoder, setting: Setting, start: int, budget_bytes: int) -> Found | None:
        coded = self._finest_within(encoder, setting, start, budget_bytes)
        if coded is None:
            return None
        captured_s = display.captures_s(len(coded.video.planes), setting.step)
        shown = display.newest(captured_s, len(self._source))
        return self._found(coded, shown, {}, 0.0)

    def _finest_within(self, encoder: VideoEncoder, setting: Setting, start: int, budget_bytes: int) -> Coded | None:
        """Return the stream of the finest quality within a budget, by bisection where sizes tell."""
        qualities = encoder.qualities
        too_fine, fits = -1, len(qualities)
        at = qualities.index(start)
        finest: Coded | None = None
        while fits - too_fine > 1:
            coded = self._coded(encoder, setting, qualities[at])
            if coded.video.size_bytes <= budget_bytes:
                finest, fits = coded, at
            else:
                too_fine = at
            away = round(math.log(max(coded.video.size_bytes, 1) / budget_bytes) / _LOG_SIZE_PER_QUALITY)
            at = min(max(at + away, too_fine + 1), fits - 1)
        return finest

    def _low_delay(self, encoder: VideoEncoder, bitrate_bps: int) -> Iterator[Coded]:
        """Yield streams without look-ahead, coarse to fine, as far as the line can carry them."""
        limit_bytes = bitrate_bps * len(self._source) / _INSTANTS_PER_S / 8
        qualities = encoder.qualities[:: -max(1, len(encoder.qualities) // _STRIDES)]
        for size in self._sizes(encoder):
            for knobs in _combinations(encoder.low_delay):
                for step in _DELIVERED_STEPS:
                    for quality in qualities:
                        coded = self._coded(encoder, Setting(*size, step, knobs), quality)
                        if coded.video.size_bytes > limit_bytes:
                            break
                        yield coded

    def _delivered(self, line: _Line, coded: Coded) -> tuple[Found, Found]:
        captured_s = display.captures_s(len(coded.video.planes), coded.setting.step)
        arrival_s = display.arrivals_s(coded.video.units, captured_s, line.bitrate_bps)
        newest = display.newest(arrival_s, len(self._source))
        on_time = display.on_time(arrival_s, captured_s, line.delay_s, len(self._source))
        large: dict[int, NDArray[np.uint8]] = {}
        return self._found(coded, newest, large, line.delay_s), self._found(coded, on_time, large, line.delay_s)

    def _sizes(self, encoder: VideoEncoder) -> Iterator[tuple[int, float]]:
        """Yield by how much the pictures are made smaller, and the blur before."""
        for factor, blur_px in itertools.product(_SHRINKS, encoder.blurs_px):
            if min(self._source.size_px) // factor >= encoder.least_side_px:
                yield factor, blur_px

    def _coded(self, encoder: VideoEncoder, setting: Setting, quality: int) -> Coded:
        planes = self._planes(setting.shrink, setting.blur_px)[:: setting.step]
        options = encoder.options(setting.knobs, quality)
        data = self._ffmpeg.encode(planes, _INSTANTS_PER_S / setting.step, options)
        return Coded(setting, quality, decode(data, encoder.codec))

    def _planes(self, factor: int, blur_px: float) -> Sequence[NDArray[np.uint8]]:
        """Return the source at the size of a stream; its sides are even."""
        key = factor, blur_px
        if key not in self._small:
            width, height = (side // factor // 2 * 2 for side in self._source.size_px)
            self._small[key] = [shrink(frame, (width, height), blur_px) for frame in self._source.frames]
        return self._small[key]

    def _found(
        self, coded: Coded, shown: Sequence[int | None], large: dict[int, NDArray[np.uint8]], delay_s: float
    ) -> Found:
        """Appraise a way of showing a stream.

        Args:
            coded: The stream.
            shown: Number of its picture on show at each instant.
            large: Its pictures at the size of the source by number; those that are missing are added.
            delay_s: By which the pictures on show may be old.
        """
        for number in {number for number in shown if number is not None} - large.keys():
            large[number] = enlarge(coded.video.planes[number], self._source.size_px)
        pictures = [None if number is None else large[number] for number in shown]
        return Found(coded, shown, self._appraiser.appraise(pictures, delay_s))


def _whole(found: Found) -> float:
    return found.worth.whole_db


def _balanced(found: Found) -> float:
    return found.worth.balanced_db


def _moving(found: Found) -> float:
    return found.worth.moving_db


def _is_worse(found: Found, other: Found) -> bool:
    return _whole(found) < _whole(other) and _moving(found) < _moving(other)


def _better(best: Found | None, found: Found) -> Found:
    return found if best is None or _balanced(found) > _balanced(best) else best


def _combinations(values: Mapping[str, Sequence[float]]) -> Iterator[Knobs]:
    for chosen in itertools.product(*values.values()):
        yield dict(zip(values, chosen, strict=True))
