"""The competition of `pantel bench live`, from the search for settings to the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.peers import stills
from pantel_bench.live.peers.encoders import VIDEO_ENCODERS, VideoEncoder
from pantel_bench.live.peers.ffmpeg import Ffmpeg
from pantel_bench.live.peers.search import Found, VideoSearch
from pantel_bench.live.peers.showing import Showing
from pantel_bench.live.recall import JudgedSource, object_recall
from pantel_bench.live.scoring import score_live
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import Lpips

__all__ = ["LIVE_PEER_STEPS", "live_peers"]

_IDEAL, _IDEAL_MOVING = "ideal", "ideal-moving"
_DELIVERED, _DELIVERED_ON_TIME = "delivered", "delivered-on-time"
_VIDEO_VARIANTS = (_IDEAL, _IDEAL_MOVING, _DELIVERED, _DELIVERED_ON_TIME)
_SLIDESHOWS = tuple((name, every_s) for name in ("webp", "avif") for every_s in (5, 10))
_BACKGROUNDS = 2
_IDEAL_SHARE = 1000 / 960  # of the line's rate: what is promised at most, to the default

LIVE_PEER_STEPS = len(VIDEO_ENCODERS) * len(_VIDEO_VARIANTS) + len(_SLIDESHOWS) + _BACKGROUNDS
"""How often `live_peers` reports progress."""


def live_peers(
    source: ClipSource,
    *,
    bitrate_bps: int,
    delay_s: float,
    lpips: Lpips | None = None,
    judged: JudgedSource | None = None,
    done: Callable[[str], None] | None = None,
) -> list[PeerRow]:
    """Let video codecs and slideshows compete for a line.

    Nothing is lost, and only slice data counts: no parameter sets, no container, no packets, no parity. Each codec is
    searched for its best settings; pictures are made smaller for it, and large again.

    ``ideal``
        No line: every instant shows its own picture, so key frame and look-ahead cost no time. The rate is 1000 bit/s
        on average where the line has 960. Chosen by the PSNR of the whole picture.
    ``ideal-moving``
        The same, chosen by the PSNR of the moving pixels.
    ``delivered``
        Slice data at the line's rate in the order of the stream. The newest whole picture is on show, mid-grey before
        the first, and is compared with the frame of a delay earlier. Streams without reordering and look-ahead compete
        with those above. Chosen by the PSNR of the whole picture plus half of that of the moving pixels.
    ``delivered-on-time``
        The same, but a picture that arrives early waits until it is as old as the delay.

    Then there are stills every 5 and 10 s (``delivered``), the uncoded temporal median of the whole run (``ideal``)
    and, at every second, that median in all the octets that the line has carried until then (``delivered``).

    The same source gives the same rows. Takes some minutes for each minute.

    Args:
        source: The frames, sides multiples of 16.
        bitrate_bps: Of the line.
        delay_s: Play-out delay.
        lpips: The perceptual metric.
        judged: The same source with a judge of objects.
        done: Is called `LIVE_PEER_STEPS` times with the name of what has been measured.

    Returns:
        One row for each peer and variant; none where a codec cannot make a stream small enough.

    Raises:
        PeerError: An encoder is missing or fails.
    """
    ffmpeg = Ffmpeg.find()
    ffmpeg.require(encoder.ffmpeg_name for encoder in VIDEO_ENCODERS)
    rows = []
    for name, showing in _showings(source, ffmpeg, bitrate_bps, delay_s):
        if showing is not None:
            rows.append(_row(source, showing, lpips, judged))
        if done is not None:
            done(name)
    return rows


def _showings(
    source: ClipSource, ffmpeg: Ffmpeg, bitrate_bps: int, delay_s: float
) -> Iterator[tuple[str, Showing | None]]:
    """Yield the name of each peer and variant, and what it shows."""
    yield "median", stills.frozen_median(source)
    avif = stills.FORMATS["avif"]
    yield "median so far", stills.median_so_far(source, avif, bitrate_bps=bitrate_bps, delay_s=delay_s)
    for name, every_s in _SLIDESHOWS:
        still_format = stills.FORMATS[name]
        shown = stills.slideshow(source, still_format, every_s, bitrate_bps=bitrate_bps, delay_s=delay_s)
        yield f"{name} slideshow", shown
    search = VideoSearch(source, ffmpeg)
    for encoder in VIDEO_ENCODERS:
        for variant, showing in _video_showings(search, encoder, source, bitrate_bps, delay_s):
            yield f"{encoder.name} {variant}", showing


def _video_showings(
    search: VideoSearch, encoder: VideoEncoder, source: ClipSource, bitrate_bps: int, delay_s: float
) -> Iterator[tuple[str, Showing | None]]:
    ideal = search.ideal(encoder, bitrate_bps * _IDEAL_SHARE)
    for variant, found in zip(_VIDEO_VARIANTS[:2], ideal or (None, None), strict=True):
        yield variant, _showing(encoder, variant, found, source, 0.0)
    delivered = search.delivered(encoder, bitrate_bps, delay_s, ideal or ())
    for variant, found in zip(_VIDEO_VARIANTS[2:], delivered or (None, None), strict=True):
        yield variant, _showing(encoder, variant, found, source, delay_s)


def _showing(
    encoder: VideoEncoder, variant: str, found: Found | None, source: ClipSource, delay_s: float
) -> Showing | None:
    if found is None:
        return None
    return Showing(
        peer=encoder.name,
        variant=variant,
        settings=found.coded.setting.described(found.coded.quality),
        size_bytes=found.coded.video.size_bytes,
        pictures=found.pictures(source.size_px),
        delay_s=delay_s,
    )


def _row(source: ClipSource, showing: Showing, lpips: Lpips | None, judged: JudgedSource | None) -> PeerRow:
    duration_s = len(source) * FRAME_INTERVAL_NS / 1e9
    return PeerRow.of(
        showing.peer,
        showing.variant,
        score_live(source, showing.pictures, showing.delay_s, lpips=lpips),
        kbps=8 * showing.size_bytes / duration_s / 1000,
        settings=showing.settings,
        object_recall=None if judged is None else object_recall(judged, showing.pictures, showing.delay_s).share,
    )
