"""What there is to tell of the light: a new tone for the background when the camera's exposure or the sun changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from pantel_codec import AGE_STEP_NS, TONE_LIMIT, TONE_STEPS_PER_OCTAVE, Tone, ToneCurve, ToneElement
from pantel_device.frame import Observation
from pantel_device.rendering.exposure import Octaves, exposed
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News, lasting_s

__all__ = ["ToneEncoder"]

_BITS = 27.0
_STRIDE_PX = 4
_REFRESH_NS = 10_000_000_000  # a tone that matters is told again, for who joins late
_NEW_LASTS_NS = 3_000_000_000
_MAX_AGE_STEPS = 15


class ToneEncoder:
    """Knows which tones were told and whether another one is worth telling."""

    def __init__(self, audience: Audience) -> None:
        """Start with an audience that knows nothing."""
        self._audience = audience
        self._told = ToneCurve()
        self._told_ns = 0
        self._settled: ToneCurve | None = None  # as it was before what is on its way

    def shown(self, time_ns: int) -> Octaves:
        """Return the tone that the receiver gives the background at a time."""
        return self._told.at(time_ns)

    def news(self, observation: Observation, stamp_ns: int) -> News | None:
        """Return the tone of the newest frame if it is worth telling."""
        now_ns = observation.frame.time_ns
        age_steps = max(math.ceil((stamp_ns - now_ns) / AGE_STEP_NS), 0)
        red, green, blue = (
            int(np.clip(round(octaves * TONE_STEPS_PER_OCTAVE), -TONE_LIMIT, TONE_LIMIT))
            for octaves in observation.exposure
        )
        told = self.shown(now_ns)
        new = (red / TONE_STEPS_PER_OCTAVE, green / TONE_STEPS_PER_OCTAVE, blue / TONE_STEPS_PER_OCTAVE)
        if age_steps > _MAX_AGE_STEPS:
            return None
        # A tone told long ago may be unknown to who joined since: as if the loss grew with its age.
        forgotten = min(self._audience.loss * self._audience.open_ns(self._told_ns, stamp_ns) / _REFRESH_NS, 1.0)
        before = (1 - forgotten) * self._error(observation, told)
        if forgotten > 0:
            before += forgotten * self._error(observation, (0.0, 0.0, 0.0))
        since_ns = now_ns - self._told.tones[-1].time_ns if self._told.tones else _NEW_LASTS_NS
        gain = self._audience.arrival * (before - self._error(observation, new)) * lasting_s(since_ns)
        return News("tone", (ToneElement(age_steps, (red, green, blue)),), _BITS, gain / _BITS) if gain > 0 else None

    def sent(self, news: News, stamp_ns: int) -> None:
        """Take note of a tone that goes on the air."""
        self._told.add(_tone(news, stamp_ns))
        self._told_ns = stamp_ns

    def keep(self) -> None:
        """Remember what is told now: from here on, payloads are settled one after the other."""
        if self._settled is None:
            self._settled = _copied(self._told)

    def settle(self, told: Sequence[News], stamp_ns: int, fate: Fate) -> None:
        """Take note of what became of the oldest payload that is on its way.

        Args:
            told: What it told of the light.
            stamp_ns: Its time stamp.
            fate: What became of it.
        """
        if self._settled is None:
            raise RuntimeError("keep first")
        for news in () if fate is Fate.LOST else told:
            self._settled.add(_tone(news, stamp_ns))

    def forget(self) -> None:
        """Believe that the receiver has started again and knows no tone."""
        self._settled = ToneCurve()

    def rebuild(self, on_their_way: Iterable[tuple[Sequence[News], int]]) -> None:
        """Believe what is settled and what is on its way: news and time stamps."""
        if self._settled is None:
            return
        self._told = _copied(self._settled)
        for told, stamp_ns in on_their_way:
            for news in told:
                self._told.add(_tone(news, stamp_ns))

    def _error(self, observation: Observation, octaves: Octaves) -> float:
        """Return the squared error, over 0..1 values, of a background of that tone where nothing moves."""
        grid = np.s_[::_STRIDE_PX, ::_STRIDE_PX]
        still = ~observation.motion[grid]
        shown = exposed(np.ascontiguousarray(observation.background[grid]), octaves)[still].astype(np.float32)
        error = ((shown - observation.frame.pixels[grid][still]) ** 2).sum()
        return float(error) * _STRIDE_PX**2 / 255.0**2


def _tone(news: News, stamp_ns: int) -> Tone:
    element = news.elements[0]
    if not isinstance(element, ToneElement):
        raise TypeError(f"{element} is no tone")
    red, green, blue = (gain / TONE_STEPS_PER_OCTAVE for gain in element.gains)
    return Tone(stamp_ns - element.age_steps * AGE_STEP_NS, (red, green, blue))


def _copied(curve: ToneCurve) -> ToneCurve:
    other = ToneCurve()
    other.tones = list(curve.tones)
    return other
