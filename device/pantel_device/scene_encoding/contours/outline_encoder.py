"""What there is to tell of the contours of moving objects: what each is, where it is, and how it is drawn.

Of each object the lines that a receiver shows now are compared with those of the frame, and so is what it would show
with the object in its place, or drawn anew: analysis by synthesis, as of sprites.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    ContourPatch,
    Drawing,
    Element,
    ForgetElement,
    Outline,
    OutlineElement,
    PoseElement,
    StepElement,
    Trajectory,
    contour_bits,
    outline_size_px,
    size_code,
)
from pantel_device.frame import Box, Track, TrackPoint
from pantel_device.observer.coco import class_id_of
from pantel_device.rendering.composition import pose_box
from pantel_device.rendering.line_drawing import outline_area
from pantel_device.scene_encoding.contours.line_news import MOST_BITS, LineNews
from pantel_device.scene_encoding.contours.line_view import LineView
from pantel_device.scene_encoding.contours.outline_case import OutlineCase
from pantel_device.scene_encoding.contours.outline_patches import outline_patches
from pantel_device.scene_encoding.news import lasting_s
from pantel_device.scene_encoding.objects.sprite_belief import doubt, sure_step
from pantel_device.scene_encoding.objects.sprite_ids import SpriteIds
from pantel_device.scene_encoding.objects.track_knots import MAX_AGE_STEPS, knot_pose, note_knot, past_knot

__all__ = ["OutlineEncoder"]

# What elements take besides the samples of a patch [bit].
_OUTLINE_BITS = 44.0
_PAST_BITS = 15.0
_POSE_BITS = 31.0
_STEP_BITS = 23.0
_FORGET_BITS = 9.0

_WEIGHT = 2.0  # of an error in objects, compared with the background
_NEW_LASTS_S = 3.0  # what is told of a new object may be expected to serve for so long
_SIZE_CODES = 2  # sixteenths of an octave by which width and height may have changed
_LOOKED_AT = 6  # objects that are drawn anew for one payload: those that lack most
_LEAST_ERROR_PX = 5.0  # worth looking at


@dataclass(slots=True, eq=False)
class _Belief:
    """One object, as a receiver knows it that has missed nothing.

    Attributes:
        sprite_id: Its id in the stream.
        outline: What the receiver holds.
        missing: Probability that it does not know the object.
    """

    sprite_id: int
    outline: Outline
    missing: float

    @property
    def codes(self) -> tuple[int, int]:
        """Width and height that it was told with."""
        return self.outline.width_code, self.outline.height_code

    def box_at(self, time_ns: int) -> Box | None:
        """Return where the receiver shows the object at a time; None where it does not."""
        pose = self.outline.trajectory.at(time_ns)
        return None if pose is None else pose_box(pose, *self.codes)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """An object in the newest frame, with what a receiver is expected to show of it.

    Attributes:
        case: The object.
        belief: What the receiver knows; None if nothing.
        missing: Probability that it does not.
        bare: Error without the object.
        errors: (rows, columns) of the case's window: the error of who knows the object.
    """

    case: OutlineCase
    belief: _Belief | None
    missing: float
    bare: float
    errors: NDArray[np.float32]

    @property
    def known(self) -> float:
        """Error of who knows the object."""
        return float(self.errors.sum())

    @property
    def shown(self) -> float:
        """Expected error."""
        return self.missing * self.bare + (1 - self.missing) * self.known


class OutlineEncoder:
    """Knows what was told of moving objects as lines and what is worth telling next."""

    def __init__(self, size_px: tuple[int, int], *, loss: float, refresh_s: float) -> None:
        """Start with a receiver that knows nothing.

        Args:
            size_px: Width and height of the picture.
            loss: Share of packets that is expected to be lost.
            refresh_s: Time after which a receiver that joined late should have been told again [s].
        """
        self._size_px = size_px
        self._loss = loss
        self._refresh_ns = refresh_s * 1e9
        self._told: dict[int, _Belief] = {}
        self._ids = SpriteIds()

    def news(self, view: LineView, ground: NDArray[np.uint8], room_bits: float) -> list[LineNews]:
        """Return what could be told now, in no order.

        Args:
            view: The newest frame.
            ground: (H, W) uint8, 0 or 1: the lines of the background that a receiver shows.
            room_bits: Size of the payload.
        """
        if view.age_steps > MAX_AGE_STEPS:
            return []
        found = list(self._farewells(view, ground))
        objects = sorted((self._seen(view, ground, track) for track in view.tracks), key=lambda seen: -seen.shown)
        for rank, seen in enumerate(objects):
            if seen.belief is not None:
                found.append(self._move(seen, seen.belief))
            if rank < _LOOKED_AT and seen.shown > _LEAST_ERROR_PX:
                found += self._drawings(seen, room_bits)
        return [news for news in found if news.gain_px > 0]

    def sent(self, news: LineNews, stamp_ns: int) -> None:
        """Take note of what goes on the air."""
        track_id = news.track_id
        if track_id is None:
            raise ValueError("news of an object name it")
        for element in news.elements:
            belief = self._told.get(track_id)
            match element:
                case OutlineElement():
                    self._told[track_id] = self._introduced(belief, element, stamp_ns)
                case PoseElement() | StepElement() if belief is not None:
                    note_knot(belief.outline.trajectory, element, stamp_ns)
                case ForgetElement():
                    self._told.pop(track_id, None)
                case _:
                    raise ValueError(f"{element} cannot be told of an object that was not introduced")

    def _introduced(self, known: _Belief | None, element: OutlineElement, stamp_ns: int) -> _Belief:
        """Return the belief once an object has been told, with all that makes it known."""
        trajectory = Trajectory() if known is None else known.outline.trajectory
        trajectory.add(knot_pose(element.knot, stamp_ns))
        if element.past is not None:
            trajectory.add(knot_pose(element.past, stamp_ns))
        codes = element.width_code, element.knot.height_code
        drawing = known.outline.drawing if known is not None and known.codes == codes else _empty(codes)
        drawing.add(element.patch, stamp_ns)
        outline = Outline(element.class_id, *codes, stamp_ns, drawing, trajectory)
        return _Belief(element.sprite_id, outline, self._loss * (1.0 if known is None else known.missing))

    def _seen(self, view: LineView, ground: NDArray[np.uint8], track: Track) -> _Seen:
        belief = self._told.get(track.track_id)
        box = None if belief is None else belief.box_at(view.now_ns)
        case = OutlineCase(view, ground, track, [track.box] if box is None else [track.box, box])
        bare = case.errors(None, track.box)
        if belief is None or box is None:
            return _Seen(case, belief, 1.0, float(bare.sum()), bare)
        missing = doubt(belief.missing, view.now_ns - belief.outline.told_ns, self._loss, self._refresh_ns)
        return _Seen(case, belief, missing, float(bare.sum()), case.errors(belief.outline.drawing, box))

    def _move(self, seen: _Seen, belief: _Belief) -> LineNews:
        """Return how a known object could be told to have moved."""
        view, trajectory = seen.case.view, belief.outline.trajectory
        knot = seen.case.aligned(belief.outline, same_size=False)
        posed = float(seen.case.errors(belief.outline.drawing, seen.case.box(knot, belief.codes)).sum())
        kept = min(max(_NEW_LASTS_S - (trajectory.forgotten_ns - view.now_ns) / 1e9, 0.0) / _NEW_LASTS_S, 1.0)
        gain = (1 - seen.missing) * (seen.known - posed + kept * (seen.bare - posed))
        step = sure_step(belief.sprite_id, trajectory, knot, view.stamp_ns, belief.outline.told_ns)
        element: Element = PoseElement(belief.sprite_id, knot) if step is None else step
        bits = _POSE_BITS if step is None else _STEP_BITS
        lasts_s = max(lasting_s(view.now_ns - trajectory.knots[-1].time_ns), kept * _NEW_LASTS_S)
        return self._news(seen.case, "poses", element, bits, gain_px=gain, lasts_s=lasts_s)

    def _drawings(self, seen: _Seen, room_bits: float) -> Iterator[LineNews]:
        """Yield how an object could be drawn anew, with all that makes it known."""
        belief, case = seen.belief, seen.case
        sprite_id = self._ids.take(case.track.track_id)
        if sprite_id is None:
            return
        knot = case.tracked()
        codes = size_code(case.track.history[-1].width), knot.height_code
        drawing, errors = _empty(codes), seen.errors
        if belief is not None and all(abs(a - b) <= _SIZE_CODES for a, b in zip(codes, belief.codes, strict=True)):
            codes, drawing = belief.codes, belief.outline.drawing
            knot = case.aligned(belief.outline, same_size=True)
            errors = case.errors(drawing, case.box(knot, codes))
        past = past_knot(case.track, case.view.stamp_ns, knot, self._size_px) if belief is None else None
        other_bits = _OUTLINE_BITS + (0.0 if past is None else _PAST_BITS)
        # What is drawn has served since its oldest part was told.
        lasts_s = lasting_s(case.view.now_ns - drawing.patches[0][0]) if drawing.patches else _NEW_LASTS_S
        limit_bits = min(room_bits, MOST_BITS) - other_bits
        box = case.box(knot, codes)
        for patch in outline_patches(case, drawing, box, errors, limit_bits):
            error = float(case.errors(_with(drawing, patch, case.view.stamp_ns), box).sum())
            class_id = class_id_of(case.track.label)
            element = OutlineElement(sprite_id, belief is None, class_id, codes[0], knot, patch, past)
            bits = other_bits + float(contour_bits(patch.samples).sum())
            yield self._news(case, "outlines", element, bits, gain_px=seen.shown - error, lasts_s=lasts_s)

    def _news(
        self, case: OutlineCase, kind: str, element: Element, bits: float, *, gain_px: float, lasts_s: float
    ) -> LineNews:
        weight = _WEIGHT * case.track.weight * (1 - self._loss)
        return LineNews(kind, (element,), bits, weight * gain_px, lasts_s, case.track.track_id)

    def _farewells(self, view: LineView, ground: NDArray[np.uint8]) -> Iterator[LineNews]:
        """Yield news of objects that are gone but still shown; forget those that vanish by themselves."""
        present = {track.track_id for track in view.tracks}
        self._ids.keep(present, self._told)
        picture = Box(0, 0, *self._size_px)
        for track_id, belief in list(self._told.items()):
            if track_id in present and not belief.outline.trajectory.forgotten(view.now_ns):
                continue
            box = belief.box_at(view.now_ns)
            if box is None or picture.intersection_px(outline_area(box)) <= 0:
                del self._told[track_id]
                continue
            track = _standing(track_id, box, view.now_ns)
            case = OutlineCase(view, ground, track, [box])
            gain = float((case.errors(belief.outline.drawing, box) - case.errors(None, box)).sum())
            farewell = ForgetElement(belief.sprite_id, view.age_steps)
            yield self._news(case, "farewells", farewell, _FORGET_BITS, gain_px=gain, lasts_s=_NEW_LASTS_S)


def _empty(codes: tuple[int, int]) -> Drawing:
    """Return a drawing without contours of an object that is told with these codes of width and height."""
    return Drawing(*outline_size_px(*codes))


def _with(drawing: Drawing, patch: ContourPatch, time_ns: int) -> Drawing:
    """Return a drawing with one more patch."""
    more = Drawing(drawing.width_px, drawing.height_px)
    for told_ns, told in (*drawing.patches, (time_ns, patch)):
        more.add(told, told_ns)
    return more


def _standing(track_id: int, box: Box, now_ns: int) -> Track:
    """Return the track of an object that stands in a box."""
    point = TrackPoint(now_ns, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.x1 - box.x0, box.y1 - box.y0)
    return Track(track_id, "", now_ns, (point,), travelled=True)
