"""Where a known sprite fits the picture best, near the place that the tracker gives its object: analysis by synthesis.

A tracker's boxes tremble by a pixel or two, and swinging limbs move them. A look that is a second old fits what it once
showed better a little beside the new box than in it, so the knot that is told is searched for.
"""

from __future__ import annotations

from pantel_codec import Knot
from pantel_device.frame import Box
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_device.scene_encoding.objects.sprite_case import SpriteCase
from pantel_device.scene_encoding.objects.track_knots import Offset, knot_pose

__all__ = ["aligned_knot"]

_NEIGHBOURS: tuple[Offset, ...] = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
_FARTHEST_PX = 4  # from the tracker's place
_FARTHEST_SHARE = 0.2  # of the object's sides: a look that fits nowhere is not pushed out of the way
_FARTHEST_CODES = 3
_MAX_MOVES = 6


def aligned_knot(case: SpriteCase, belief: SpriteBelief, picture_px: tuple[int, int]) -> tuple[Knot, float]:
    """Return the knot at which the look that the receiver knows leaves the least error, and that error.

    The search begins where the tracker has the object, or beside it as far as was best at the payload before, and goes
    from neighbour to neighbour as long as that helps.

    Args:
        case: The object.
        belief: What the receiver knows of it; takes note of the offset that was found.
        picture_px: Width and height of the picture.
    """
    knots: dict[Offset, tuple[Knot, float]] = {}

    def error(offset: Offset) -> float:
        if offset not in knots:
            knot = case.knot(picture_px, belief.sprite, offset)
            box = case.now(belief.box_of(knot_pose(knot, case.stamp_ns)))
            knots[offset] = knot, case.view.error(belief.look, box, belief.sprite.margins)
        return knots[offset][1]

    farthest = _farthest(case.track.box)
    best = min((0, 0, 0), belief.offset, key=error)
    for _ in range(_MAX_MOVES):
        nearest = min(_neighbours(best, farthest), key=error)
        if error(nearest) >= error(best):
            break
        best = nearest
    belief.offset = best
    return knots[best]


def _farthest(box: Box) -> Offset:
    dx, dy = (min(max(round(_FARTHEST_SHARE * side), 1), _FARTHEST_PX) for side in (box.x1 - box.x0, box.y1 - box.y0))
    return dx, dy, _FARTHEST_CODES


def _neighbours(offset: Offset, farthest: Offset) -> list[Offset]:
    """Return the offsets around one, as far as they are allowed, and itself."""
    around = [(offset[0] + dx, offset[1] + dy, offset[2] + larger) for dx, dy, larger in _NEIGHBOURS]
    allowed = [each for each in around if all(abs(value) <= far for value, far in zip(each, farthest, strict=True))]
    return [offset, *allowed]
