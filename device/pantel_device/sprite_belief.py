"""What the sender believes the receiver knows of an object."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pantel_codec import (
    AGE_STEP_NS,
    STEP_RANGE_PX,
    STEP_SIZES,
    THUMBNAIL_VERSIONS,
    Knot,
    Part,
    Pose,
    Sprite,
    StepElement,
    Thumbnail,
    completed_knot,
    size_px,
)
from pantel_device.composition import pose_box, raster_box
from pantel_device.frame import Box
from pantel_device.sprite_case import Offset
from pantel_models.thumbnails import Look

__all__ = ["SpriteBelief", "as_step", "knot_pose"]

_SURE_KNOTS = 2  # so many make a velocity
_WHOLE_EVERY_NS = 6_000_000_000  # a whole knot at least so often, so that no wrong guess lives longer


def knot_pose(knot: Knot, stamp_ns: int) -> Pose:
    """Return the pose of a knot in a packet of that time."""
    return Pose(stamp_ns - knot.age_steps * AGE_STEP_NS, knot.x, knot.y, size_px(knot.height_code))


def as_step(sprite_id: int, knot: Knot) -> StepElement:
    """Return the low digits of a knot."""
    x, y = knot.x % STEP_RANGE_PX, knot.y % STEP_RANGE_PX
    return StepElement(sprite_id, knot.age_steps, x, y, knot.height_code % STEP_SIZES)


@dataclass(slots=True, eq=False)
class SpriteBelief:
    """One object, as a receiver knows it that has missed nothing, and what the sender has found out about that.

    Attributes:
        sprite_id: Its id in the stream.
        sprite: What the receiver holds.
        look: Its thumbnail, decoded.
        whole_ns: When it was last told with a whole knot and its proportions.
        missing: Probability that the receiver does not know the object.
        offset: How far beside the tracker's place its look fits better, see `pantel_device.alignment`.
    """

    sprite_id: int
    sprite: Sprite
    look: Look
    whole_ns: int
    missing: float
    offset: Offset = (0, 0, 0)

    @property
    def next_version(self) -> int:
        """Version of the next core."""
        return (self.sprite.core.version + 1) % THUMBNAIL_VERSIONS

    def update_look(self, thumbnail: Thumbnail, look: Look, stamp_ns: int) -> None:
        """Take note of a new core or of detail, which make the sprite look so."""
        if thumbnail.part is Part.CORE:
            self.sprite.core, self.sprite.detail = thumbnail, None
        else:
            self.sprite.detail = thumbnail
        self.sprite.look_ns = stamp_ns
        self.look = look

    @property
    def knot_ns(self) -> int:
        """Time of the newest knot."""
        return self.sprite.trajectory.knots[-1].time_ns

    def box_at(self, time_ns: int) -> Box | None:
        """Return where the receiver shows the object at a time; None where it does not."""
        pose = self.sprite.trajectory.at(time_ns)
        return None if pose is None else self.box_of(pose)

    def box_of(self, pose: Pose) -> Box:
        """Return where the object is shown at a pose."""
        return pose_box(pose, self.sprite.width_code, self.sprite.height_code)

    def raster_of(self, pose: Pose) -> Box:
        """Return the rectangle of its raster at a pose."""
        return raster_box(self.box_of(pose), self.sprite.margins)

    def missing_at(self, time_ns: int, loss: float, refresh_ns: float) -> float:
        """Return the probability that a receiver does not know the object, which may have joined late."""
        age = max(time_ns - self.whole_ns, 0) / refresh_ns
        return self.missing + (1 - self.missing) * (1 - math.exp(-age * loss))

    def step(self, knot: Knot, stamp_ns: int) -> StepElement | None:
        """Return a knot as a step; None if it has to be told whole.

        A step must be completed rightly even if the newest knot was lost, once an object has been told often enough.
        """
        if stamp_ns - self.whole_ns > _WHOLE_EVERY_NS:
            return None
        step = as_step(self.sprite_id, knot)
        trajectory = self.sprite.trajectory
        known = (trajectory, trajectory.without_newest()) if len(trajectory.knots) > _SURE_KNOTS else (trajectory,)
        return step if all(completed_knot(each, step, stamp_ns) == knot for each in known) else None
