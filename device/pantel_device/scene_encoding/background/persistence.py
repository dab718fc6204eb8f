"""How long the content of each cell may be expected to stay as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_models import SceneCodec

__all__ = ["SHORTEST_S", "Persistence"]

_CHANGED_SSE = 768 * (10 / 255) ** 2  # a cell has changed when its 3 x 256 values differ by 10 grey levels (RMS)
SHORTEST_S = 0.4  # about the time to the next payload
_LONGEST_S = 80.0
# Assumed age of what is seen for the first time: a camera looks mostly at what stays. With 2 s objects took bits with
# which the background would have been better for long.
_UNKNOWN_S = 20.0


class Persistence:
    """Expects of each cell that it stays unchanged for about as long as it has been unchanged so far.

    A bit spent on a wall serves for minutes, one spent on a walker's coat until the next step. That what has lasted
    will last as long again is the expectation under a Pareto law of lifetimes, and needs no model of the scene.
    """

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._reference: NDArray[np.float32] | None = None
        self._since_ns: NDArray[np.float64] | None = None

    @property
    def since_ns(self) -> NDArray[np.float64]:
        """(rows, columns): when the content of each cell last changed.

        Raises:
            RuntimeError: Nothing was seen yet.
        """
        if self._since_ns is None:
            raise RuntimeError("look at a background first")
        return self._since_ns

    def update(self, latents: NDArray[np.float32], now_ns: int) -> NDArray[np.float64]:
        """Take note of the newest frame and return the expected remaining life of each cell [s].

        Args:
            latents: (channels, rows, columns) float32.
            now_ns: Its capture time.
        """
        if self._reference is None or self._since_ns is None:
            self._reference = latents.copy()
            self._since_ns = np.full(latents.shape[1:], now_ns - _UNKNOWN_S * 1e9)
        weights = self._codec.quantizer.sensitivity[:, None, None]
        changed = (weights * (latents - self._reference) ** 2).sum(axis=0) > _CHANGED_SSE
        self._reference[:, changed] = latents[:, changed]
        self._since_ns[changed] = now_ns
        return np.clip((now_ns - self._since_ns) / 1e9, SHORTEST_S, _LONGEST_S)
