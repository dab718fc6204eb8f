"""One object at the time of a payload: where it can be told to be, and where its sprite would stand."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from pantel_codec import (
    AGE_STEP_NS,
    PAST_RANGE_PX,
    PAST_RANGE_SIZES,
    SIZE_CODES,
    Knot,
    Margins,
    Sprite,
    size_code,
    size_px,
)
from pantel_device.composition import raster_box
from pantel_device.frame import Box, Track, TrackPoint
from pantel_device.object_view import ObjectView

__all__ = ["MAX_AGE_STEPS", "Offset", "SpriteCase"]

Offset = tuple[int, int, int]
"""Of a knot from where the tracker has the object: x, y [px] and size codes."""

MAX_AGE_STEPS = 15
_POSITION_MARGIN_PX = 63
_PAST_STEPS = 3  # an earlier knot tells something if it is so much older


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
    def width_px(self) -> float:
        """Width of the object at the newest knot."""
        return self._told_point(self.age_steps).width

    def knot(self, picture_px: tuple[int, int], sprite: Sprite | None = None, offset: Offset = (0, 0, 0)) -> Knot:
        """Return where the object was, as it can be told; of a sprite that keeps its proportions, of the right area.

        Args:
            picture_px: Width and height of the picture.
            sprite: What the receiver has of it.
            offset: How far beside, in pixels, and by how many size codes larger.
        """
        return self._knot(self.age_steps, picture_px, sprite, offset)

    def past(self, knot: Knot, picture_px: tuple[int, int]) -> Knot | None:
        """Return an earlier knot of a new object, so that it has a velocity; None if it is too new or was too far away.

        Args:
            knot: With which the object is introduced.
            picture_px: Width and height of the picture.
        """
        steps = (self.stamp_ns - self.track.history[0].time_ns) // AGE_STEP_NS
        steps = min(steps, MAX_AGE_STEPS)
        if steps < self.age_steps + _PAST_STEPS:
            return None
        past = self._knot(steps, picture_px)
        moved = max(abs(past.x - knot.x), abs(past.y - knot.y))
        grown = abs(past.height_code - knot.height_code)
        return past if moved <= PAST_RANGE_PX and grown <= PAST_RANGE_SIZES else None

    def now(self, box: Box) -> Box:
        """Return where a sprite will be seen in the frame that is at this place at the time of the knot.

        Knots are dated in tenths of a second, so they are up to a tenth older than the frame.
        """
        knot, frame = self._told_point(self.age_steps), self._point_at(self.now_ns)
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

    def _knot(
        self,
        age_steps: int,
        picture_px: tuple[int, int],
        sprite: Sprite | None = None,
        offset: Offset = (0, 0, 0),
    ) -> Knot:
        point = self._told_point(age_steps)
        height = point.height
        if sprite is not None:
            height = math.sqrt(point.width * height * size_px(sprite.height_code) / size_px(sprite.width_code))
        x, y = (
            min(max(round(value) + beside, -_POSITION_MARGIN_PX), side + _POSITION_MARGIN_PX)
            for value, beside, side in zip((point.x, point.y), offset[:2], picture_px, strict=True)
        )
        height_code = min(max(size_code(height) + offset[2], 0), SIZE_CODES - 1)
        return Knot(age_steps, x, y, height_code)

    def _told_point(self, age_steps: int) -> TrackPoint:
        """Return centre and size of the object at the time of a knot of that age."""
        return self._point_at(self.stamp_ns - age_steps * AGE_STEP_NS)

    def _point_at(self, time_ns: int) -> TrackPoint:
        """Return centre and size of the object at a time, the nearest that is known."""
        history = self.track.history
        index = bisect_left(history, time_ns, key=lambda point: point.time_ns)
        if index == len(history):
            return history[-1]
        before, after = history[max(index - 1, 0)], history[index]
        if after.time_ns == before.time_ns:
            return after
        share = (time_ns - before.time_ns) / (after.time_ns - before.time_ns)
        values = (
            (1 - share) * old + share * new
            for old, new in (
                (before.x, after.x),
                (before.y, after.y),
                (before.width, after.width),
                (before.height, after.height),
            )
        )
        return TrackPoint(time_ns, *values)
