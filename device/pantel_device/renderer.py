"""Draws a scene as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Scene
from pantel_models import SceneCodec

__all__ = ["Renderer"]


class Renderer:
    """Draws one scene; the generator runs only when the background has changed."""

    def __init__(self, codec: SceneCodec, scene: Scene) -> None:
        self._codec = codec
        self._scene = scene
        self._revision = 0  # nothing is known yet, so there is nothing to draw
        self._background: NDArray[np.uint8] | None = None

    @property
    def changed(self) -> bool:
        """Whether the picture would differ from the one drawn last."""
        return self._revision != self._scene.background.revision

    def draw(self) -> NDArray[np.uint8]:
        """Return the picture (H, W, 3) uint8, RGB; mid-grey where nothing at all is known yet."""
        scene = self._scene
        if self._background is None or self.changed:
            pixels = self._codec.synthesise(scene.background)
            self._background = np.ascontiguousarray(pixels[: scene.height_px, : scene.width_px])
            self._revision = scene.background.revision
        return self._background
