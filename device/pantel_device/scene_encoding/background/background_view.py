"""The background as the encoder sees it, and what the receiver lacks of it, at every scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, SCALES
from pantel_device.scene_encoding.background.belief import Belief
from pantel_models import SceneCodec, contour_map, enlarged, reduced

__all__ = ["BackgroundView", "SeenBackground", "cell_weights"]

_LEAST_WEIGHT = 0.05  # so that even what is of no interest is told some day


@dataclass(frozen=True, slots=True, eq=False)
class SeenBackground:
    """A picture of the background, analysed at every scale.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        latents: Of each scale, (channels, rows, columns).
        hidden: Of each scale, (rows, columns): the squared error of each cell that no cells of that scale can remove.
    """

    pixels: NDArray[np.uint8]
    latents: tuple[NDArray[np.float32], ...]
    hidden: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], codec: SceneCodec) -> SeenBackground:
        """Analyse a picture."""
        latents, hidden = [], []
        for scale in range(SCALES):
            small = reduced(pixels, scale)
            latents.append(codec.analyse(small, contour_map(small)))
            lost = cv2.absdiff(pixels, enlarged(small, pixels.shape[1::-1])).astype(np.float32) / 255
            hidden.append(_pooled((lost**2).sum(axis=2), CELL_PX << scale))
        return cls(pixels, tuple(latents), tuple(hidden))


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundView:
    """What is to be told of the cells of one scale, and what the receiver lacks of it.

    Attributes:
        latents: (channels, rows, columns).
        change: Same shape: what the newest version that was told lacks.
        importance: (rows, columns), weight of errors: how long they would stay [s], and how much they count.
        area: Same shape: how many cells of the finest scale each covers.
        hidden: See `SeenBackground`.
        error: (rows, columns), expected error of what is shown.
        refinable: Same shape: what it counts that the newest version is likely held.
        newest_error: Same shape: the error of who has received everything.
        finer: Same shape: whether finer cells tell of the same content, so that these could only spoil it.
    """

    latents: NDArray[np.float32]
    change: NDArray[np.float32]
    importance: NDArray[np.float64]
    area: NDArray[np.float64]
    hidden: NDArray[np.float64]
    error: NDArray[np.float64]
    refinable: NDArray[np.float64]
    newest_error: NDArray[np.float64]
    finer: NDArray[np.bool_]

    @classmethod
    def of_all_scales(
        cls,
        seen: SeenBackground,
        beliefs: Sequence[Belief],
        lasting_s: NDArray[np.float64],
        since_ns: NDArray[np.float64],
        now_ns: int,
        *,
        weights: NDArray[np.float64] | None = None,
        longest_s: Sequence[float],
        caution: float,
    ) -> list[BackgroundView]:
        """Return the views, the finest first.

        Args:
            seen: The newest background.
            beliefs: What the receiver holds of each scale.
            lasting_s: (rows, columns) of the finest scale: how long each cell may be expected to stay as it is [s].
            since_ns: Same shape: when its content last changed.
            now_ns: Time stamp of the payload.
            weights: (rows, columns): how much an error in each cell counts; None for alike everywhere.
            longest_s: Of each scale: for how long at most what it tells is of use [s].
            caution: Power on the probability that a version is held which is to be refined.
        """
        finest, latents = beliefs[0], seen.latents[0]
        error, newest_error = finest.expected_error(latents, now_ns), finest.newest_error(latents)
        views = []
        told = finer = np.zeros_like(lasting_s, np.bool_)  # of finer scales: any news, and those of what is still there
        for scale, belief in enumerate(beliefs):
            importance = np.minimum(lasting_s, longest_s[scale])
            if weights is not None:
                importance = weights * importance
            weight = _pooled(importance, 1 << scale)
            area = _pooled(np.ones_like(lasting_s), 1 << scale)
            expected = _pooled(error * importance, 1 << scale) / weight * area
            newest = _pooled(newest_error * importance, 1 << scale) / weight * area
            if scale:
                # Before and after must be estimated alike, or the same is told again for what it cannot bring.
                shown = belief.told & ~_any(told, scale)
                own = area * belief.expected_error(seen.latents[scale], now_ns) + seen.hidden[scale]
                expected = np.where(shown, np.minimum(expected, own), expected)
                own = area * belief.newest_error(seen.latents[scale]) + seen.hidden[scale]
                newest = np.where(shown, own, newest)
            views.append(
                cls(
                    seen.latents[scale],
                    belief.change(seen.latents[scale]),
                    weight / area,
                    area,
                    seen.hidden[scale],
                    expected,
                    belief.newest_share(now_ns) ** caution,
                    newest,
                    _any(finer, scale),
                )
            )
            told = told | _repeated(belief.told, scale, told.shape)
            finer = finer | _repeated(belief.current(_latest(since_ns, scale)), scale, finer.shape)
        return views


def cell_weights(pixel_weights: NDArray[np.float32], least: float = _LEAST_WEIGHT) -> NDArray[np.float64]:
    """Return (rows, columns): how much an error in each cell of the finest scale counts; never nothing.

    Args:
        pixel_weights: (H, W), of which each cell has the mean.
        least: What each cell counts at least, more than 0.
    """
    covered = _pooled(np.ones_like(pixel_weights), CELL_PX)
    return np.maximum(_pooled(pixel_weights, CELL_PX) / covered, least)


def _any(cells: NDArray[np.bool_], scale: int) -> NDArray[np.bool_]:
    """Return in which cells of a scale something holds for any of the finest ones."""
    found: NDArray[np.bool_] = _pooled(cells.astype(np.float64), 1 << scale) > 0
    return found


def _latest(since_ns: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Return the latest of the times (rows, columns) of the finest scale in each cell of another one."""
    side = 1 << scale
    padded = np.pad(since_ns, [(0, -length % side) for length in since_ns.shape], mode="edge")
    latest: NDArray[np.float64] = _squares(padded, side).max(axis=(1, 3))
    return latest


def _repeated(cells: NDArray[np.bool_], scale: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return what holds of cells of a scale for those of the finest one, of which there are `shape`."""
    return cells.repeat(1 << scale, axis=0).repeat(1 << scale, axis=1)[: shape[0], : shape[1]]


def _pooled(values: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """Return the sums of values (H, W) over squares; what hangs over the border counts as zero."""
    padded = np.pad(values.astype(np.float64), [(0, -length % side) for length in values.shape])
    sums: NDArray[np.float64] = _squares(padded, side).sum(axis=(1, 3))
    return sums


def _squares(padded: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return values (H, W), both multiples of `side`, as (rows, side, columns, side)."""
    return padded.reshape(padded.shape[0] // side, side, -1, side)
