"""What the sender believes the receiver knows of an object."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pantel_codec import (
    STEP_RANGE_PX,
    STEP_SIZES,
    THUMBNAIL_VERSIONS,
    Knot,
    Part,
    Pose,
    PoseElement,
    Sprite,
    StepElement,
    Thumbnail,
    Trajectory,
    completed_knot,
)
from pantel_device.frame import Box
from pantel_device.rendering.composition import pose_box, raster_box
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.objects.track_knots import Offset, note_knot
from pantel_models.thumbnails import Look

__all__ = ["SpriteBelief", "as_step", "doubt", "sure_step"]

_DOUBTED_KNOTS = 4
_UNLIKELY = 0.02  # probability of a loss that is not reckoned with
_SURE_KNOTS = 2  # so many make a velocity
_WHOLE_EVERY_NS = 6_000_000_000  # a whole knot at least so often, so that no wrong guess lives longer


def as_step(sprite_id: int, knot: Knot) -> StepElement:
    """Return the low digits of a knot."""
    x, y = knot.x % STEP_RANGE_PX, knot.y % STEP_RANGE_PX
    return StepElement(sprite_id, knot.age_steps, x, y, knot.height_code % STEP_SIZES)


def sure_step(sprite_id: int, trajectory: Trajectory, knot: Knot, stamp_ns: int, whole_ns: int) -> StepElement | None:
    """Return a knot as a step; None if it has to be told whole.

    A step must be completed rightly even if the newest knot was lost, once an object has been told often enough.

    Args:
        sprite_id: Of the object.
        trajectory: What a receiver knows of it that has missed nothing.
        knot: To be told.
        stamp_ns: Time stamp of the packet.
        whole_ns: When a whole knot was told last.
    """
    if stamp_ns - whole_ns > _WHOLE_EVERY_NS:
        return None
    step = as_step(sprite_id, knot)
    known = (trajectory, trajectory.without_newest()) if len(trajectory.knots) > _SURE_KNOTS else (trajectory,)
    return step if all(completed_knot(each, step, stamp_ns) == knot for each in known) else None


def doubt(missing: float, age_ns: int, loss: float, refresh_ns: float) -> float:
    """Return the probability that a receiver lacks what was told some time ago, for it may have joined since.

    Args:
        missing: Probability that it lacked it when it had just been told.
        age_ns: Since then.
        loss: Share of packets that is expected to be lost.
        refresh_ns: Time after which a receiver that joined late should have been told again.
    """
    return missing + (1 - missing) * (1 - math.exp(-max(age_ns, 0) / refresh_ns * loss))


@dataclass(slots=True, eq=False)
class SpriteBelief:
    """One object, as a receiver knows it that has missed nothing, and what the sender has found out about that.

    Attributes:
        sprite_id: Its id in the stream.
        sprite: What the receiver holds.
        plain: Its thumbnail, decoded.
        look: The same with its texture, as a receiver shows it.
        whole_ns: When it was last told with a whole knot and its proportions.
        missing: Probability that the receiver does not know the object.
        knots_lost: How likely each of the newest knots was lost, the newest first; those with which it was introduced
            are not among them.
        offset: How far beside the tracker's place its look fits better, see `alignment`.
    """

    sprite_id: int
    sprite: Sprite
    plain: Look
    look: Look
    whole_ns: int
    missing: float
    knots_lost: tuple[float, ...] = ()
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
        self.plain = self.look = look

    @property
    def knot_ns(self) -> int:
        """Time of the newest knot."""
        return self.sprite.trajectory.knots[-1].time_ns

    def box_at(self, time_ns: int) -> Box | None:
        """Return where the receiver shows the object at a time; None where it does not."""
        pose = self.sprite.trajectory.at(time_ns)
        return None if pose is None else self.box_of(pose)

    def poses_at(self, time_ns: int) -> tuple[tuple[float, Pose | None], ...]:
        """Return where receivers that know the object show it at a time, with probabilities.

        It depends on which knot is the newest that was heard: who missed one before that has it made good.
        """
        trajectory, likely = self.sprite.trajectory, 1.0
        found = []
        for lost in self.knots_lost:
            if likely * lost < _UNLIKELY:
                break
            found.append((likely * (1 - lost), trajectory.at(time_ns)))
            trajectory, likely = trajectory.without_newest(), likely * lost
        return (*found, (likely, trajectory.at(time_ns)))

    def note_knot(self, element: PoseElement | StepElement, stamp_ns: int, loss: float) -> None:
        """Take note of a knot that is told, and lost with a probability."""
        note_knot(self.sprite.trajectory, element, stamp_ns)
        self.knots_lost = (loss, *self.knots_lost)[:_DOUBTED_KNOTS]

    def box_of(self, pose: Pose) -> Box:
        """Return where the object is shown at a pose."""
        return pose_box(pose, self.sprite.width_code, self.sprite.height_code)

    def rasters_at(self, time_ns: int) -> list[Box]:
        """Return the rectangles of its raster wherever it may be shown at a time."""
        return [self.raster_of(pose) for _, pose in self.poses_at(time_ns) if pose is not None]

    def raster_of(self, pose: Pose) -> Box:
        """Return the rectangle of its raster at a pose."""
        return raster_box(self.box_of(pose), self.sprite.margins)

    def missing_at(self, time_ns: int, audience: Audience) -> float:
        """Return the probability that a receiver does not know the object, which may have joined late."""
        return doubt(self.missing, audience.open_ns(self.whole_ns, time_ns), audience.loss, audience.refresh_ns)

    def step(self, knot: Knot, stamp_ns: int) -> StepElement | None:
        """Return a knot as a step; None if it has to be told whole, see `sure_step`."""
        return sure_step(self.sprite_id, self.sprite.trajectory, knot, stamp_ns, self.whole_ns)
