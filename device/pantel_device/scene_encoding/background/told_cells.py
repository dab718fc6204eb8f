"""What was told of a background, at all scales, and what the sender believes that receivers hold of it."""

from __future__ import annotations

import numpy as np

from pantel_codec import SCALES, Background, CellElement
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.belief import Belief
from pantel_models import SceneCodec

__all__ = ["ToldCells"]


class ToldCells:
    """A background as a receiver holds it that gets everything, and how likely any receiver holds what of it.

    Args:
        codec: How cells are coded.
        background: What a receiver holds that gets everything; `note` adds to it.
        audience: Who hears it.

    Attributes:
        background: As above.
        beliefs: Of each scale, the finest first.
    """

    def __init__(self, codec: SceneCodec, background: Background, audience: Audience) -> None:
        self._codec = codec
        self._audience = audience
        self.background = background
        self.beliefs = [Belief(codec, background, scale, audience) for scale in range(SCALES)]

    def note(self, element: CellElement, now_ns: int, arrival: float) -> None:
        """Take note of cells that arrive with a probability.

        Args:
            element: The cells.
            now_ns: Time stamp of their packet.
            arrival: How likely they arrive.
        """
        update = element.update
        belief = self.beliefs[update.scale]
        useful = 1.0 if element.base is None else float(belief.newest_share(now_ns)[update.block.window].mean())
        belief.sent(element, now_ns, arrival)
        if update.scale:
            finest = self.background.scales[0]
            cells = np.zeros(finest.level.shape, np.bool_)
            window = tuple(slice(s.start << update.scale, s.stop << update.scale) for s in update.block.window)
            cells[window] = finest.level[window] == 0
            self.beliefs[0].covered(cells, self._codec.underlying(self.background), arrival * useful, now_ns)

    def can_read(self, element: CellElement) -> bool:
        """Whether a receiver that holds this background can read an element: it needs the same base."""
        if element.base is None:
            return True
        held = self.background.scales[element.update.scale].base(element.update.block)
        return held is not None and (held.quality, held.checksum) == (element.base.quality, element.base.checksum)

    def copy(self) -> ToldCells:
        """Return the same, to be changed apart from this."""
        other = self.untold()
        other.copy_from(self)
        return other

    def untold(self) -> ToldCells:
        """Return the same background of which nothing has been told."""
        size_px = self.background.width_px, self.background.height_px
        return ToldCells(self._codec, Background(*size_px, self.background.scales[0].groups), self._audience)

    def copy_from(self, other: ToldCells) -> None:
        """Become like another one of the same background."""
        for mine, its in zip(self.background.scales, other.background.scales, strict=True):
            mine.values[...], mine.level[...] = its.values, its.level
            mine.quality[...], mine.time_ns[...] = its.quality, its.time_ns
            mine.revision += 1
        for belief, its_belief in zip(self.beliefs, other.beliefs, strict=True):
            belief.copy_from(its_belief)
