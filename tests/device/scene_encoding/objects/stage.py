"""A street with figures, for tests of what is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    Element,
    Scene,
    apply_element,
)
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import pose_box
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.objects.sprite_encoder import SpriteEncoder
from pantel_models import SceneCodec

SIZE_PX = (160, 112)
TENTH_NS = 100_000_000
STEP_NS = 4 * TENTH_NS  # about the time from payload to payload
S = 1_000_000_000

_Path = Callable[[float], tuple[float, float]]


class Stage:
    """A street with figures, an encoder that tells of them, and a receiver that hears all of it.

    Attributes:
        paths: Where the figures are, by their number.
        told: All that was told.
    """

    def __init__(
        self,
        codec: SceneCodec,
        street: NDArray[np.uint8],
        paint: Callable[..., NDArray[np.uint8]],
        observe: Callable[..., Observation],
        walk: Callable[..., Track],
        *,
        loss: float,
    ) -> None:
        self._street, self._paint, self._observe, self._walk = street, paint, observe, walk
        self.encoder = SpriteEncoder(codec.thumbnails, SIZE_PX, Audience(loss, 120.0), weight=8.0)
        self.scene = Scene(*SIZE_PX, (1,))
        self.paths: dict[int, _Path] = {}
        self.since_ns: dict[int, int] = {}
        self.size_px = (16, 32)
        self.now_ns = 0
        self.told: list[Element] = []

    @property
    def stamp_ns(self) -> int:
        return self.now_ns + 2 * TENTH_NS

    def enter(self, number: int, path: _Path) -> None:
        """Let a figure appear."""
        self.paths[number] = path
        self.since_ns[number] = self.now_ns

    def look(self) -> Observation:
        """Return what the camera sees now."""
        tracks = [
            self._walk(path, self.now_ns, track_id=number, since_ns=self.since_ns[number], size_px=self.size_px)
            for number, path in self.paths.items()
        ]
        boxes = sorted((track.box for track in tracks), key=lambda box: box.y1)
        return self._observe(self._paint(self._street, *boxes), self._street, self.now_ns, tracks)

    def news(self) -> list[News]:
        """Return what there is to tell, the most worthwhile first."""
        return sorted(self.encoder.news(self.look(), self.stamp_ns), key=lambda news: -news.worth)

    def tell(self) -> Sequence[Element]:
        """Tell what is most worthwhile, as one packet would, and let the receiver hear it."""
        found = self.news()
        if not found:
            return ()
        self.encoder.sent(found[0], self.stamp_ns)
        for element in found[0].elements:
            apply_element(self.scene, element, self.stamp_ns)
        self.told += found[0].elements
        return found[0].elements

    def go_on(self, steps: int = 1) -> None:
        """Let time pass, from payload to payload, and tell of each figure what there is."""
        for _ in range(steps):
            self.now_ns += STEP_NS
            for _ in self.paths or (None,):
                self.tell()

    def shown(self, sprite_id: int) -> Box | None:
        """Return where the receiver shows a sprite now."""
        sprite = self.scene.sprites.get(sprite_id)
        pose = None if sprite is None else sprite.trajectory.at(self.now_ns)
        return None if sprite is None or pose is None else pose_box(pose, sprite.width_code, sprite.height_code)

    def truth(self, number: int) -> Box:
        x, y = self.paths[number](self.now_ns / 1e9)
        width, height = self.size_px
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def eastward(time_s: float) -> tuple[float, float]:
    return 20 + 12 * time_s, 60.0
