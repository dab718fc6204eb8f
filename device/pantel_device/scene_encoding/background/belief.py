"""What the sender believes the receiver holds of the cells of one scale, and what these show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Background, CellElement, CellUpdate
from pantel_device.scene_encoding.audience import Audience
from pantel_models import SceneCodec

__all__ = ["Belief"]

_DEAD_ZONE = 0.65  # what rate-distortion optimization makes of latents below so many steps is mostly zero
# What a doubt counts when a receiver acknowledges: what was lost will be known in some seconds and told again then, so
# telling it twice now helps for that time only, of the half minute or so for which cells serve.
_KNOWN_SOON = 0.25
_VERSIONS = 3  # of a cell that are told apart: the newest, the one before, and all that is older
_FIRST_ONLY = np.array([1.0, 0.0, 0.0])[:, None, None]


class Belief:
    """The versions of each cell that were sent, and how likely each is the one that the receiver shows.

    A version that was coded for itself arrives or is lost; one that refines another is of use only to who holds that.
    What coarser cells show of a cell is a version of it, too.
    Errors are squared errors over 0..1 pixel values, estimated in the latent domain by the sensitivity of the
    generator to each channel.
    """

    def __init__(self, codec: SceneCodec, told: Background, scale: int, audience: Audience) -> None:
        """Start with a receiver that knows nothing.

        Args:
            codec: How cells are coded.
            told: What a receiver holds that got everything; `sent` adds to it.
            scale: Of the cells.
            audience: Who hears it.
        """
        self._codec = codec
        self._audience = audience
        self._told = told
        self._newest = told.scales[scale]
        rows, columns = self._newest.rows, self._newest.columns
        self._known = np.zeros((rows, columns), np.bool_)  # anything was told
        self._told_ns = np.zeros((rows, columns), np.int64)
        # A cell never received is painted near the mean picture, which is where latents are zero.
        self._latents = np.zeros((_VERSIONS, codec.entropy.channels, rows, columns), np.float32)  # newest first
        self._share = np.zeros((_VERSIONS, rows, columns))  # of each version: the probability that it is shown
        self._share[0] = 1.0

    def expected_error(self, latents: NDArray[np.float32], now_ns: int) -> NDArray[np.float64]:
        """Return (rows, columns): the expected squared error of each cell that the receiver shows now."""
        errors = np.stack([self._error(latents, held) for held in self._latents])
        joined = self._joined(now_ns)
        expected: NDArray[np.float64] = (1 - joined) * (self._share * errors).sum(axis=0) + joined * errors[1]
        if self._audience.acknowledges:
            expected = errors[0] + _KNOWN_SOON * (expected - errors[0])
        return expected

    def newest_share(self, now_ns: int) -> NDArray[np.float64]:
        """Return (rows, columns): how likely the receiver holds the newest version."""
        shares: NDArray[np.float64] = (1 - self._joined(now_ns)) * self._share[0]
        return shares

    def newest_error(self, latents: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (rows, columns): the squared error where the newest version is shown."""
        return self._error(latents, self._latents[0])

    @property
    def told(self) -> NDArray[np.bool_]:
        """(rows, columns): of which cells any version was told, and no coarser one after it."""
        told: NDArray[np.bool_] = self._newest.level > 0
        return told

    def refinable(self, quality: int, now_ns: int) -> NDArray[np.bool_]:
        """Return (rows, columns): where the newest version was told at a quality, so that it can be refined.

        Nothing refines what goes on the air in the same payload: a receiver reads it all before it applies any.
        """
        newest = self._newest
        held: NDArray[np.bool_] = self.told & (newest.quality == quality) & (newest.time_ns < now_ns)
        return held

    def just_told(self, now_ns: int) -> NDArray[np.bool_]:
        """Return (rows, columns): what goes on the air in the same payload; telling it twice would help nobody."""
        told: NDArray[np.bool_] = self.told & (self._newest.time_ns == now_ns)
        return told

    def current(self, since_ns: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (rows, columns): what was told after its content last changed, at a time given for each cell."""
        told: NDArray[np.bool_] = self.told & (self._newest.time_ns >= since_ns)
        return told

    def change(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (channels, rows, columns): what the newest version lacks."""
        change: NDArray[np.float32] = latents - self._latents[0]
        return change

    def error_estimate(self, change: NDArray[np.float32], quality: int) -> NDArray[np.float64]:
        """Return (rows, columns): about the error that is left once latents, or changes of them, are told."""
        quantizer = self._codec.quantizer
        steps = quantizer.steps[quality][:, None, None]
        noise = np.where(np.abs(change) < _DEAD_ZONE * steps, change**2, steps**2 / 12)
        return np.asarray((quantizer.sensitivity[:, None, None] * noise).sum(axis=0), np.float64)

    def error_after(self, latents: NDArray[np.float32], element: CellElement) -> NDArray[np.float64]:
        """Return (rows, columns) of an update's block, whose latents are given: the error of who receives it."""
        update = element.update
        return self._error(latents, self._codec.quantizer.dequantize(update.values, update.quality))

    def sent(self, element: CellElement, now_ns: int, arrival: float) -> None:
        """Take note of an update that goes on the air and arrives with a probability."""
        update = element.update
        window = update.block.window
        repeated = self._holds(update)
        self._told.apply(update, now_ns)
        share, latents = self._share[:, *window], self._latents[:, :, *window]  # newest first
        # Who holds another version than the newest can make nothing of what refines it.
        used = share if element.base is None else share * _FIRST_ONLY
        fresh = np.broadcast_to(self._codec.quantizer.dequantize(update.values, update.quality), latents.shape[1:])
        arrived = arrival * used.sum(axis=0)
        left = share - arrival * used
        self._share[:, *window] = np.where(
            repeated, [left[0] + arrived, left[1], left[2]], [arrived, left[0], left[1] + left[2]]
        )
        self._latents[:, :, *window] = np.where(repeated, latents, [fresh, latents[0], latents[1]])
        self._known[window], self._told_ns[window] = True, now_ns

    def covered(self, cells: NDArray[np.bool_], latents: NDArray[np.float32], arrived: float, now_ns: int) -> None:
        """Take note of coarser cells that go on the air and take the place of what is held of these.

        Args:
            cells: (rows, columns), which ones.
            latents: (channels, rows, columns), of what they will show.
            arrived: How likely a receiver gets them and can make something of them.
            now_ns: When they were captured.
        """
        share, held = self._share[:, cells], self._latents[..., cells]
        left = (1 - arrived) * share
        self._share[:, cells] = [arrived * share.sum(axis=0), left[0], left[1] + left[2]]
        self._latents[..., cells] = [latents[:, cells], held[0], held[1]]
        self._known[cells], self._told_ns[cells] = True, now_ns

    def copy_from(self, other: Belief) -> None:
        """Believe what another belief of cells like these does; what was told is copied apart."""
        for mine, its in zip(self._arrays, other._arrays, strict=True):
            mine[...] = its

    @property
    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        return self._known, self._told_ns, self._latents, self._share

    def _holds(self, update: CellUpdate) -> NDArray[np.bool_]:
        """Return (rows, columns) of the update's block: where the newest version is the same already."""
        window, newest = update.block.window, self._newest
        same_kind = (newest.quality[window] == update.quality) & (newest.level[window] == update.levels)
        same: NDArray[np.bool_] = same_kind & np.all(newest.values[:, *window] == update.values, axis=0)
        return same

    def _joined(self, now_ns: int) -> NDArray[np.float64]:
        """Return (rows, columns): how likely the receiver joined only after a cell was told.

        The chance that someone joins grows with the time that the cell is not told.
        """
        if self._audience.acknowledges:
            return np.zeros(self._known.shape)
        since_ns = np.maximum(self._told_ns, self._audience.there_ns)
        age = np.maximum(now_ns - since_ns, 0) / self._audience.refresh_ns
        return np.where(self._known, 1 - np.exp(-age * self._audience.loss), 0.0)

    def _error(self, latents: NDArray[np.float32], held: NDArray[np.float32]) -> NDArray[np.float64]:
        weights = self._codec.quantizer.sensitivity[:, None, None]
        return np.asarray((weights * (latents - held) ** 2).sum(axis=0), np.float64)
