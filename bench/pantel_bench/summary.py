"""What the rows of a still benchmark come to: means, rate-distortion curves and rate differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_bench.errors import MetricError
from pantel_bench.metrics import METRICS, Metric, Scores, bd_rate_percent
from pantel_bench.still import StillRow

__all__ = ["Mean", "RateDifference", "curve", "means", "rate_differences"]

OURS = "pantel-"  # how the names of our own codecs begin
_CURVE_METRICS = METRICS[:3]  # the others do not rise with the rate in a way that a mean rate could express


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over the pictures of one codec at one rate.

    Attributes:
        codec: Name of the codec.
        target_bpp: Rate asked for [bit/pixel].
        images: Number of pictures that the codec could encode at this rate.
        bpp: Mean rate [bit/pixel].
        bytes_needed: Mean counted size [byte].
        entropy_bytes: Mean cross-entropy of the context model [byte]; None for peers.
        scores: Mean measures; None where a picture has none.
        encode_ms: Mean time to encode [ms]; None for peers.
        decode_ms: Mean time to decode [ms]; None for peers.
    """

    codec: str
    target_bpp: float
    images: int
    bpp: float
    bytes_needed: float
    entropy_bytes: float | None
    scores: Scores
    encode_ms: float | None
    decode_ms: float | None


@dataclass(frozen=True, slots=True)
class RateDifference:
    """Bjontegaard delta rate of one of our codecs against another codec, over the qualities both reach.

    Attributes:
        codec: Ours.
        anchor: The codec compared with.
        metric: Key of the measure of quality.
        percent: Mean difference in rate at equal quality [%]; less than 0 is better.
    """

    codec: str
    anchor: str
    metric: str
    percent: float


def means(rows: Sequence[StillRow]) -> list[Mean]:
    """Return the mean of every codec at every rate, in the order of the rows."""
    groups: dict[tuple[str, float], list[StillRow]] = {}
    for row in rows:
        groups.setdefault((row.codec, row.target_bpp), []).append(row)
    return [
        Mean(
            codec=codec,
            target_bpp=target_bpp,
            images=len(group),
            bpp=sum(row.bpp for row in group) / len(group),
            bytes_needed=sum(row.bytes_needed for row in group) / len(group),
            entropy_bytes=_mean([row.entropy_bytes for row in group]),
            scores=Scores(**{m.key: _mean([row.scores.value(m) for row in group]) for m in METRICS}),
            encode_ms=_mean([row.encode_ms for row in group]),
            decode_ms=_mean([row.decode_ms for row in group]),
        )
        for (codec, target_bpp), group in groups.items()
    ]


def curve(rows: Sequence[StillRow], codec: str, metric: Metric) -> list[tuple[float, float]]:
    """Return the mean points (bpp, score) of a codec, by rising rate.

    Only rates at which it encoded every picture count, because means over different pictures do not compare;
    the rates are those at which this metric's scores were reached.
    """
    images = {row.image for row in rows}
    by_rate: dict[float, list[tuple[float, float]]] = {}
    for row in rows:
        value = row.scores.value(metric)
        if row.codec == codec and value is not None:
            by_rate.setdefault(row.target_bpp, []).append((row.bpp_of(metric), value))
    return sorted(
        (sum(bpp for bpp, _ in points) / len(points), sum(value for _, value in points) / len(points))
        for points in by_rate.values()
        if len(points) == len(images)
    )


def rate_differences(rows: Sequence[StillRow]) -> list[RateDifference]:
    """Compare every codec of ours with every other; curves that share no quality are left out."""
    codecs = list(dict.fromkeys(row.codec for row in rows))
    found = []
    for ours in (codec for codec in codecs if codec.startswith(OURS)):
        for anchor in (codec for codec in codecs if codec != ours):
            for metric in _CURVE_METRICS:
                percent = _rate_difference(curve(rows, anchor, metric), curve(rows, ours, metric), metric)
                if percent is not None:
                    found.append(RateDifference(ours, anchor, metric.key, percent))
    return found


def _rate_difference(
    anchor: Sequence[tuple[float, float]], test: Sequence[tuple[float, float]], metric: Metric
) -> float | None:
    try:
        return bd_rate_percent(
            [(bpp, metric.sign * value) for bpp, value in anchor],
            [(bpp, metric.sign * value) for bpp, value in test],
        )
    except MetricError:
        return None


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if len(present) == len(values) else None
