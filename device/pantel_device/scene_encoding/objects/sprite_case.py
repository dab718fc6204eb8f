"""One object at the time of a payload: where it can be told to be, and where its sprite would stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pantel_codec import AGE_STEP_NS, Knot, Margins, Sprite
from pantel_device.frame import Box, Track
from pantel_device.rendering.composition import raster_box
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_device.scene_encoding.objects.track_knots import Offset, past_knot, track_knot, track_point

__all__ = ["SpriteCase"]


@dataclass(frozen=True, slots=True, eq=False)
class SpriteCase:
    """One object at the time of a payload.

    Attributes:
        stamp_ns: Of the packet.
        age_steps: Of the newest knot that can be told.
        now_ns: Capture time of the frame.
        track: The object.
        view: What the frame shows of it.
        missing: Probability that the receiver does not know the object.
        bare: Error of the background without any sprite.
        known: Error of what a receiver shows that knows the object.
        earlier: The same object at the payload before, if it was there.
    """

    stamp_ns: int
    age_steps: int
    now_ns: int
    track: Track
    view: ObjectView
    missing: float
    bare: float
    known: float
    earlier: SpriteCase | None

    @property
    def shown(self) -> float:
        """Expected error of what the receiver shows."""
        return self.missing * self.bare + (1 - self.missing) * self.known

    @property
    def _told_ns(self) -> int:
        """Time of the newest knot."""
        return self.stamp_ns - self.age_steps * AGE_STEP_NS

    @property
    def width_px(self) -> float:
        """Width of the object at the newest knot."""
        return track_point(self.track, self._told_ns).width

    def knot(self, picture_px: tuple[int, int], sprite: Sprite | None = None, offset: Offset = (0, 0, 0)) -> Knot:
        """Return where the object was, as it can be told; of a sprite that keeps its proportions, of the right area.

        Args:
            picture_px: Width and height of the picture.
            sprite: What the receiver has of it.
            offset: How far beside, in pixels, and by how many size codes larger.
        """
        codes = None if sprite is None else (sprite.width_code, sprite.height_code)
        return track_knot(self.track, self.stamp_ns, self.age_steps, picture_px, codes=codes, offset=offset)

    def past(self, knot: Knot, picture_px: tuple[int, int]) -> Knot | None:
        """Return an earlier knot of a new object, so that it has a velocity; None if it is too new or was too far away.

        Args:
            knot: With which the object is introduced.
            picture_px: Width and height of the picture.
        """
        return past_knot(self.track, self.stamp_ns, knot, picture_px)

    def now(self, box: Box) -> Box:
        """Return where a sprite will be seen in the frame that is at this place at the time of the knot.

        Knots are dated in tenths of a second, so they are up to a tenth older than the frame.
        """
        knot, frame = track_point(self.track, self._told_ns), track_point(self.track, self.now_ns)
        dx, dy = frame.x - knot.x, frame.y - knot.y
        return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)

    def places(self, box: Box, margins: Margins) -> list[tuple[ObjectView, Box]]:
        """Return the frames to judge a sprite by, and where its raster stands in them.

        A sprite is shown for some time. What fits the frame before as well is less likely to fit only the one.

        Args:
            box: Where the sprite shows the object in the newest frame.
            margins: Of its raster.
        """
        places = [(self.view, raster_box(box, margins))]
        if self.earlier is not None:
            here, there = self.track.box, self.earlier.track.box
            scale = math.sqrt(there.area_px / max(here.area_px, 1.0))
            half_width, half_height = scale * (box.x1 - box.x0) / 2, scale * (box.y1 - box.y0) / 2
            x = (there.x0 + there.x1 + box.x0 + box.x1 - here.x0 - here.x1) / 2
            y = (there.y0 + there.y1 + box.y0 + box.y1 - here.y0 - here.y1) / 2
            then = Box(x - half_width, y - half_height, x + half_width, y + half_height)
            places.append((self.earlier.view, raster_box(then, margins)))
        return places
