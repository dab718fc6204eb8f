"""What there is to tell of the background of a camera that may move."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import AGE_STEP_NS, Element, Scene, apply_element
from pantel_device.frame import Observation
from pantel_device.observer.zones import Zone, interest_weights
from pantel_device.rendering.layers import LayerPainter
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.background.background_view import cell_weights
from pantel_device.scene_encoding.background.camera_encoder import CameraEncoder
from pantel_device.scene_encoding.background.mosaic_picture import MosaicPicture
from pantel_device.scene_encoding.background.motion_trial import MotionTrial
from pantel_device.scene_encoding.fate import Fate
from pantel_models import SceneCodec

__all__ = ["MovingBackgroundEncoder"]

_NEVER_SEEN_WEIGHT = 1e-6
_MAX_AGE_STEPS = 15


class MovingBackgroundEncoder:
    """Tells one background after the other, each from the place of the camera where it was begun.

    A camera that stands still has one. When it moves, a mosaic begins, of which receivers show what they hold of the
    background before, carried along; and so on whenever the camera leaves a mosaic behind.

    Attributes:
        cells: What tells cells of the newest background.
        mosaic: Number of the mosaic that it is; None before all mosaics.
    """

    def __init__(
        self, codec: SceneCodec, size_px: tuple[int, int], audience: Audience, *, zones: Sequence[Zone]
    ) -> None:
        """Start with a receiver that knows nothing.

        Args:
            codec: How cells are coded.
            size_px: Width and height of the picture.
            audience: Who hears of it.
            zones: Those of interest decide what is told first.
        """
        self._codec = codec
        self._size_px = size_px
        self._audience = audience
        self._interest = interest_weights(zones, size_px)
        self.attend(None)
        self._told = Scene(*size_px, codec.entropy.groups)
        self._camera = CameraEncoder(size_px)
        self._motion = MotionTrial()
        self._painter = LayerPainter(codec)
        self._picture: MosaicPicture | None = None
        self.cells = BackgroundEncoder(codec, self._told.background, audience)

    @property
    def mosaic(self) -> int | None:
        """See above."""
        return self._camera.number

    def attend(self, weights: NDArray[np.float32] | None) -> None:
        """Let pixels matter by (H, W) weights, besides what zones say of them; None for alike everywhere."""
        self._weights = self._interest if weights is None else weights
        if weights is not None and self._interest is not None:
            self._weights = weights * self._interest
        self._still_weights = None if self._weights is None else cell_weights(self._weights)

    def settle(self, elements: Sequence[Element], stamp_ns: int, fate: Fate, cells: BackgroundEncoder) -> None:
        """Take note of what became of the oldest payload that is on its way.

        Args:
            elements: All of it, in their order.
            stamp_ns: Its time stamp.
            fate: What became of it.
            cells: Who told its cells; of those of an older background nothing is told again.
        """
        if fate is Fate.LOST:
            self._camera.lost(elements)
        if cells is self.cells:
            self.cells.settle(elements, stamp_ns, fate)

    def look(self, observation: Observation, stamp_ns: int) -> list[Element]:
        """Take the newest frame and return the elements that a payload with this time stamp begins with."""
        now_ns = observation.frame.time_ns
        begins = self._camera.look(observation.camera, now_ns, stayed=not self._motion.explains(observation))
        age_steps = min(max(math.ceil((stamp_ns - now_ns) / AGE_STEP_NS), 0), _MAX_AGE_STEPS)
        elements: list[Element] = list(self._camera.elements(age_steps, stamp_ns))
        for element in elements:
            apply_element(self._told, element, stamp_ns)
        if begins:
            self._begin(stamp_ns - age_steps * AGE_STEP_NS)
        if self._picture is None:
            self.cells.look(observation.background, now_ns, weights=self._still_weights)
            return elements
        self._picture.see(observation, self._camera.matrix, self._weights)
        weights = cell_weights(self._picture.weights, _NEVER_SEEN_WEIGHT)
        longest_s = max(self._camera.life_ns, now_ns - self._camera.began_ns) / 1e9
        self.cells.look(self._picture.pixels, now_ns, weights=weights, longest_s=longest_s)
        return elements

    def _begin(self, time_ns: int) -> None:
        """Begin to tell of the newest mosaic, of which receivers show older backgrounds at a time."""
        mosaic = self._told.mosaics.known[-1]
        shown = self._painter.canvas(self._told.mosaics.sight(self._told.background, time_ns))
        self._picture = MosaicPicture(shown)
        self.cells = BackgroundEncoder(self._codec, mosaic.background, self._audience, shown=shown)
