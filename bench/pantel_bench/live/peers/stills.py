"""Peers that send stills: slideshows, and the background alone.

The bytes of a still are counted as in `pantel_bench.peers.formats`, without containers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.peers import display
from pantel_bench.live.peers.showing import Showing
from pantel_bench.live.peers.stream import CodedUnit
from pantel_bench.live.peers.worth import Appraiser
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import psnr_db
from pantel_bench.peers import PEER_FORMATS, PeerFormat, PeerPicture, candidates, pillow

__all__ = ["FORMATS", "frozen_median", "median_so_far", "slideshow"]

FORMATS = {peer.name: peer for peer in PEER_FORMATS}
_SHRINKS = (2, 4)
_OPENING_SHARES = (0.0, 0.1, 0.2, 0.4)  # of a still's octets
_INSTANTS_PER_S = 1_000_000_000 // FRAME_INTERVAL_NS
_Pixels = NDArray[np.uint8]


def slideshow(
    source: ClipSource, peer: PeerFormat, every_s: int, *, bitrate_bps: int, delay_s: float
) -> Showing | None:
    """Send a still every few seconds, each as fine as the line can carry until the next.

    A small one of the first frame comes before, if that helps: how large it is, is tried.

    Args:
        source: The frames.
        peer: Format of the stills.
        every_s: Time between two stills [s].
        bitrate_bps: Of the line.
        delay_s: By which pictures on show may be old.

    Returns:
        None if one of the stills cannot be made small enough.

    Raises:
        PeerError: The format cannot be written here.
    """
    show = _Slideshow(source, peer, every_s, bitrate_bps)
    appraiser = Appraiser(source)
    best: tuple[float, Showing] | None = None
    for share in _OPENING_SHARES:
        stills = show.stills(share)
        if stills is None:
            continue
        pictures = show.pictures(stills)
        worth_db = appraiser.appraise(pictures, delay_s).balanced_db
        if best is None or worth_db > best[0]:
            best = (
                worth_db,
                Showing(
                    peer=f"{peer.name}-slideshow-{every_s}s",
                    variant="delivered",
                    settings={"every_s": every_s, "opening_share": share},
                    size_bytes=sum(still.need_bytes for still in stills),
                    pictures=pictures,
                    delay_s=delay_s,
                ),
            )
    return best[1] if best else None


def frozen_median(source: ClipSource) -> Showing:
    """Show the temporal median of the source, uncoded and without a line."""
    return Showing("frozen-median", "ideal", {}, 0, [source.median] * len(source), 0.0)


def median_so_far(source: ClipSource, peer: PeerFormat, *, bitrate_bps: int, delay_s: float) -> Showing:
    """Show at every second the temporal median coded in all the octets that a line has carried until then.

    No sender could do it, because it begins anew every second: it is the line to beat for a background.

    Raises:
        PeerError: The format cannot be written here.
    """
    budgets = [bitrate_bps * second // 8 for second in range(1, len(source) // _INSTANTS_PER_S + 1)]
    found = candidates(peer, source.median, budgets) if budgets else {}
    best: list[_Pixels | None] = [None]  # by whole seconds
    for budget in budgets:
        still = _nearest(source.median, found[budget])
        best.append(best[-1] if still is None else still.pixels)
    return Showing(
        peer=f"{peer.name}-median-so-far",
        variant="delivered",
        settings={},
        size_bytes=bitrate_bps * len(source) // _INSTANTS_PER_S // 8,
        pictures=[best[instant // _INSTANTS_PER_S] for instant in range(len(source))],
        delay_s=delay_s,
    )


class _Slideshow:
    """Stills at equal times, with a small one before them or not.

    Args:
        source: The frames.
        peer: Format of the stills.
        every_s: Time between two stills [s].
        bitrate_bps: Of the line.
    """

    def __init__(self, source: ClipSource, peer: PeerFormat, every_s: int, bitrate_bps: int) -> None:
        self._source = source
        self._peer = peer
        self._bitrate_bps = bitrate_bps
        self._budget_bytes = bitrate_bps * every_s // 8
        frames = source.frames[:: every_s * _INSTANTS_PER_S]
        self._captured_s = display.captures_s(len(frames), every_s * _INSTANTS_PER_S)
        self._stills = [_best_still(peer, frame, self._budget_bytes) for frame in frames]

    def stills(self, opening_share: float) -> list[PeerPicture] | None:
        """Return all stills; None if one cannot be made small enough.

        Args:
            opening_share: Share of the first still's octets for a smaller one before it; 0 for none.
        """
        found = self._stills
        if opening_share:
            opening_bytes = int(opening_share * self._budget_bytes)
            sizes = opening_bytes, self._budget_bytes - opening_bytes
            found = [*(_best_still(self._peer, self._source.frames[0], size) for size in sizes), *found[1:]]
        stills = [still for still in found if still is not None]
        return stills if len(stills) == len(found) else None

    def pictures(self, stills: Sequence[PeerPicture]) -> list[_Pixels | None]:
        """Return what is on show at each instant: the newest still that the line has delivered."""
        openings = len(stills) - len(self._captured_s)
        captured_s = [0.0] * openings + self._captured_s
        units = [CodedUnit(number, still.need_bytes) for number, still in enumerate(stills)]
        arrival_s = display.arrivals_s(units, captured_s, self._bitrate_bps)
        shown = display.newest(arrival_s, len(self._source))
        return [None if number is None else stills[number].pixels for number in shown]


def _best_still(peer: PeerFormat, pixels: _Pixels, budget_bytes: int) -> PeerPicture | None:
    """Return the still nearest to a picture (H, W, 3) among the finest of each size within a budget."""
    height, width, _ = pixels.shape
    found = []
    for factor in _SHRINKS:
        small = pillow.resize_lanczos(pixels, height // factor, width // factor)
        still = _finest(peer, small, budget_bytes)
        if still is not None:
            quality, need_bytes, data = still
            large = pillow.resize_lanczos(pillow.load(data), height, width)
            found.append(PeerPicture(factor, quality, need_bytes, len(data), large))
    return _nearest(pixels, found)


def _finest(peer: PeerFormat, pixels: _Pixels, budget_bytes: int) -> tuple[int, int, bytes] | None:
    """Return quality, counted size and file of the finest still within a budget, by bisection."""
    finest: tuple[int, int, bytes] | None = None
    low, high = 0, len(peer.qualities)  # all below low fit, high and all above do not
    while low < high:
        middle = (low + high) // 2
        file = peer.encode(pixels, peer.qualities[middle])
        if file.need_bytes <= budget_bytes:
            finest = peer.qualities[middle], file.need_bytes, file.data
            low = middle + 1
        else:
            high = middle
    return finest


def _nearest(pixels: _Pixels, found: Sequence[PeerPicture]) -> PeerPicture | None:
    return max(found, key=lambda still: psnr_db(pixels, still.pixels), default=None)
