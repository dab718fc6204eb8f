"""Knots of an object's trajectory: where its track says that it was, as that can be told."""

from __future__ import annotations

import math
from bisect import bisect_left

from pantel_codec import (
    AGE_STEP_NS,
    PAST_RANGE_PX,
    PAST_RANGE_SIZES,
    SIZE_CODES,
    Knot,
    Pose,
    PoseElement,
    StepElement,
    Trajectory,
    completed_knot,
    size_code,
    size_px,
)
from pantel_device.frame import Track, TrackPoint

__all__ = [
    "MAX_AGE_STEPS",
    "POSITION_MARGIN_PX",
    "Offset",
    "knot_pose",
    "note_knot",
    "past_knot",
    "track_knot",
    "track_point",
]

Offset = tuple[int, int, int]
"""Of a knot from where the tracker has the object: x, y [px] and size codes."""

MAX_AGE_STEPS = 15
POSITION_MARGIN_PX = 63
"""A knot lies at most so far outside the picture."""

_PAST_STEPS = 3  # an earlier knot tells something if it is so much older


def knot_pose(knot: Knot, stamp_ns: int) -> Pose:
    """Return the pose of a knot in a packet of that time."""
    return Pose(stamp_ns - knot.age_steps * AGE_STEP_NS, knot.x, knot.y, size_px(knot.height_code))


def track_point(track: Track, time_ns: int) -> TrackPoint:
    """Return centre and size of an object at a time, the nearest that is known."""
    history = track.history
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


def track_knot(
    track: Track,
    stamp_ns: int,
    age_steps: int,
    picture_px: tuple[int, int],
    *,
    codes: tuple[int, int] | None = None,
    offset: Offset = (0, 0, 0),
) -> Knot:
    """Return where an object was, as it can be told.

    Args:
        track: The object.
        stamp_ns: Time stamp of the packet.
        age_steps: Of the knot.
        picture_px: Width and height of the picture.
        codes: Width and height with which the object was told, if it keeps their proportions; then its area is right.
        offset: How far beside, in pixels, and by how many size codes larger.
    """
    point = track_point(track, stamp_ns - age_steps * AGE_STEP_NS)
    height = point.height
    if codes is not None:
        height = math.sqrt(point.width * height * size_px(codes[1]) / size_px(codes[0]))
    x, y = (
        min(max(round(value) + beside, -POSITION_MARGIN_PX), side + POSITION_MARGIN_PX)
        for value, beside, side in zip((point.x, point.y), offset[:2], picture_px, strict=True)
    )
    height_code = min(max(size_code(height) + offset[2], 0), SIZE_CODES - 1)
    return Knot(age_steps, x, y, height_code)


def note_knot(trajectory: Trajectory, element: PoseElement | StepElement, stamp_ns: int) -> None:
    """Add to a trajectory what a receiver makes of a knot that it is told; nothing if it cannot make anything of it."""
    knot = element.knot if isinstance(element, PoseElement) else completed_knot(trajectory, element, stamp_ns)
    if knot is not None:
        trajectory.add(knot_pose(knot, stamp_ns))


def past_knot(track: Track, stamp_ns: int, knot: Knot, picture_px: tuple[int, int]) -> Knot | None:
    """Return an earlier knot of a new object, so that it has a velocity; None if it is too new or was too far away.

    Args:
        track: The object.
        stamp_ns: Time stamp of the packet.
        knot: With which the object is introduced.
        picture_px: Width and height of the picture.
    """
    steps = min((stamp_ns - track.history[0].time_ns) // AGE_STEP_NS, MAX_AGE_STEPS)
    if steps < knot.age_steps + _PAST_STEPS:
        return None
    past = track_knot(track, stamp_ns, steps, picture_px)
    moved = max(abs(past.x - knot.x), abs(past.y - knot.y))
    grown = abs(past.height_code - knot.height_code)
    return past if moved <= PAST_RANGE_PX and grown <= PAST_RANGE_SIZES else None
