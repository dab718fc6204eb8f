"""One object at the time of a payload: where it can be told to be, and where its sprite would stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pantel_codec import (
    AGE_STEP_NS,
    PAST_RANGE_PX,
    PAST_RANGE_SIZES,
    Knot,
    Margins,
    Sprite,
    size_code,
    size_px,
)
from pantel_device.composition import raster_box
from pantel_device.frame import Box, Track, TrackPoint
from pantel_device.object_view import ObjectView

__all__ = ["MAX_AGE_STEPS", "SpriteCase"]

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
        return _point(self.track, self.stamp_ns - self.age_steps * AGE_STEP_NS).width

    def knot(self, picture_px: tuple[int, int], sprite: Sprite | None = None) -> Knot:
        """Return where the object was, as it can be told; of a sprite that keeps its proportions, of the right area."""
        return self._knot(self.age_steps, picture_px, sprite)

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
        past = self._knot(steps, picture_px, None)
        moved = max(abs(past.x - knot.x), abs(past.y - knot.y))
        grown = abs(past.height_code - knot.height_code)
        return past if moved <= PAST_RANGE_PX and grown <= PAST_RANGE_SIZES else None

    def places(self, box: Box, margins: Margins) -> list[tuple[ObjectView, Box]]:
        """Return the frames to judge a sprite by, and where its raster stands in them.

        A sprite is shown for some time. What fits the frame before as well is less likely to fit only the one.

        Args:
            box: Where the sprite shows the object in the newest frame.
            margins: Of its raster.
        """
        places = [(self.view, raster_box(box, margins))]
        if self.earlier is not None:
            true = self.earlier.track.box
            scale = math.sqrt(true.area_px / max(box.area_px, 1.0)) / 2
            half_width, half_height = scale * (box.x1 - box.x0), scale * (box.y1 - box.y0)
            x, y = (true.x0 + true.x1) / 2, (true.y0 + true.y1) / 2
            then = Box(x - half_width, y - half_height, x + half_width, y + half_height)
            places.append((self.earlier.view, raster_box(then, margins)))
        return places

    def _knot(self, age_steps: int, picture_px: tuple[int, int], sprite: Sprite | None) -> Knot:
        point = _point(self.track, self.stamp_ns - age_steps * AGE_STEP_NS)
        height = point.height
        if sprite is not None:
            height = math.sqrt(point.width * height * size_px(sprite.height_code) / size_px(sprite.width_code))
        x, y = (
            min(max(round(value), -_POSITION_MARGIN_PX), side + _POSITION_MARGIN_PX)
            for value, side in zip((point.x, point.y), picture_px, strict=True)
        )
        return Knot(age_steps, x, y, size_code(height))


def _point(track: Track, time_ns: int) -> TrackPoint:
    """Return centre and size of an object at a time, the nearest that is known."""
    history = track.history
    before = history[0]
    for after in history:
        if after.time_ns >= time_ns:
            if after.time_ns == before.time_ns:
                return after
            share = max((time_ns - before.time_ns) / (after.time_ns - before.time_ns), 0.0)
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
        before = after
    return history[-1]
