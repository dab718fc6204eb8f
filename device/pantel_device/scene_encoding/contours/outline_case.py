"""One object at the time of a payload: the lines that the frame has of it, and what a receiver shows there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import AGE_STEP_NS, Drawing, Knot, Outline
from pantel_device.frame import Box, Track
from pantel_device.rendering.composition import pose_box
from pantel_device.rendering.line_drawing import lines_of, outline_area, placed
from pantel_device.scene_encoding.contours.line_view import LineView, drawn_over, far_from, line_error
from pantel_device.scene_encoding.objects.track_knots import POSITION_MARGIN_PX, knot_pose, track_knot, track_point

__all__ = ["OutlineCase"]

_RIM_PX = 4
_REACHES_PX = (2, 1)  # of the search for a place, one after the other
_MAX_MOVES = 8


class OutlineCase:
    """One object in a frame.

    Errors are those of `line_error`, in pixels of line.

    Attributes:
        view: The frame.
        track: The object.
        window: Part of the picture that is looked at.
    """

    def __init__(self, view: LineView, ground: NDArray[np.uint8], track: Track, boxes: Sequence[Box]) -> None:
        """Look at a part of a frame.

        Args:
            view: The frame.
            ground: (H, W) uint8, 0 or 1: the lines of the background that a receiver shows.
            track: The object.
            boxes: What the part has to hold.
        """
        self.view = view
        self.track = track
        self._ground = ground
        height, width = ground.shape
        self._size_px = (width, height)
        areas = [outline_area(box) for box in boxes]
        self.window = (
            _within(min(box.y0 for box in areas) - _RIM_PX, max(box.y1 for box in areas) + _RIM_PX, height),
            _within(min(box.x0 for box in areas) - _RIM_PX, max(box.x1 for box in areas) + _RIM_PX, width),
        )
        self._expected = view.expected[self.window]
        seen = np.ones(ground.shape, np.uint8)
        for other in view.tracks:
            if other.track_id != track.track_id and other.box.y1 > track.box.y1:  # what is nearer hides an object
                seen[_within(other.box.y0, other.box.y1, height), _within(other.box.x0, other.box.x1, width)] = 0
        self._seen = seen[self.window]

    def errors(self, drawing: Drawing | None, box: Box) -> NDArray[np.float32]:
        """Return the error of each pixel of the window, (rows, columns) float32.

        Args:
            drawing: How the object is drawn; None if it is not.
            box: Where.
        """
        shown = self._ground
        if drawing is not None:
            shown = drawn_over(shown, placed(lines_of(drawing), drawing, outline_area(box)))
        return np.asarray(line_error(self._expected, shown[self.window]) * self._seen, np.float32)

    def box(self, knot: Knot, codes: tuple[int, int]) -> Box:
        """Return where the object is seen in the frame if it is told with a knot.

        Knots are dated in tenths of a second, so they are up to a tenth older than the frame.

        Args:
            knot: The newest that can be told.
            codes: Of the width and height that it was told with.
        """
        box = pose_box(knot_pose(knot, self.view.stamp_ns), *codes)
        told, frame = track_point(self.track, self._told_ns), track_point(self.track, self.view.now_ns)
        dx, dy = frame.x - told.x, frame.y - told.y
        return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)

    def tracked(self, codes: tuple[int, int] | None = None) -> Knot:
        """Return where the tracker has the object at the newest knot; with codes as `track_knot` has them."""
        return track_knot(self.track, self.view.stamp_ns, self.view.age_steps, self._size_px, codes=codes)

    def aligned(self, outline: Outline, *, same_size: bool) -> Knot:
        """Return the knot at which the lines that a receiver knows lie nearest to those of the frame.

        The search begins where the tracker has the object, or where it is shown, and goes from neighbour to neighbour
        as long as that helps.

        Args:
            outline: What the receiver knows.
            same_size: Whether the object keeps the height that it was told with.
        """
        far = far_from(self._expected)
        lines, codes = lines_of(outline.drawing), (outline.width_code, outline.height_code)
        origin = self.window[1].start, self.window[0].start

        def distance(knot: Knot) -> float:
            area = outline_area(self.box(knot, codes))
            ends = placed(lines, outline.drawing, area)
            points = np.concatenate([ends.reshape(-1, 2), ends.mean(axis=1)]) - origin
            columns, rows = np.clip(points.astype(np.int64), 0, np.array(far.shape[::-1]) - 1).T
            return float(far[rows, columns].mean()) if rows.size else 0.0

        tracked = self.tracked(codes)
        if same_size:
            tracked = replace(tracked, height_code=outline.height_code)
        shown = outline.trajectory.expected(self._told_ns)
        starts = [tracked] if shown is None else [tracked, replace(tracked, x=round(shown.x), y=round(shown.y))]
        best = min(map(self._tellable, starts), key=distance)
        for reach_px in _REACHES_PX:
            for _ in range(_MAX_MOVES):
                steps = ((0, 0), (reach_px, 0), (-reach_px, 0), (0, reach_px), (0, -reach_px))
                moved = [self._tellable(replace(best, x=best.x + dx, y=best.y + dy)) for dx, dy in steps]
                nearest = min(moved, key=distance)
                if nearest == best:
                    break
                best = nearest
        return best

    @property
    def _told_ns(self) -> int:
        """Time of the newest knot."""
        return self.view.stamp_ns - self.view.age_steps * AGE_STEP_NS

    def _tellable(self, knot: Knot) -> Knot:
        """Return a knot, moved towards the picture as far as it cannot be told where it is."""
        x, y = (
            min(max(value, -POSITION_MARGIN_PX), side + POSITION_MARGIN_PX)
            for value, side in zip((knot.x, knot.y), self._size_px, strict=True)
        )
        return replace(knot, x=x, y=y)


def _within(low: float, high: float, limit: int) -> slice:
    """Return the whole pixels of an interval that lie in 0..limit."""
    start = min(max(math.floor(low), 0), limit)
    return slice(start, min(max(math.ceil(high), start), limit))
