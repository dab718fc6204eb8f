"""What was told of moving objects."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from pantel_codec import (
    ForgetElement,
    LookElement,
    PoseElement,
    Sprite,
    SpriteElement,
    StepElement,
    Trajectory,
)
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_device.scene_encoding.objects.track_knots import knot_pose
from pantel_models.thumbnails import Look

__all__ = ["Departed", "ToldSprites"]


_MOST_DEPARTED = 8  # they keep their ids, of which there are 32


@dataclass(frozen=True, slots=True, eq=False)
class Departed:
    """An object that was said to be gone.

    Attributes:
        belief: What was told of it before.
        lingering: Probability that a receiver has not heard that, and shows it still.
    """

    belief: SpriteBelief
    lingering: float


class ToldSprites(dict[int, SpriteBelief]):
    """The beliefs of all objects that were introduced, by track.

    Attributes:
        departed: Those that were said to be gone, which may have been lost.
    """

    def __init__(self, beliefs: Mapping[int, SpriteBelief] | None = None) -> None:
        super().__init__(beliefs or {})
        self.departed: dict[int, Departed] = {}

    def note(self, news: News, stamp_ns: int, loss: float) -> None:
        """Take note of what is told of an object.

        Args:
            news: Of the object.
            stamp_ns: Time stamp of their packet.
            loss: How likely that is lost.

        Raises:
            ValueError: The object was not introduced, or the news name none.
        """
        track_id = news.track_id
        if track_id is None:
            raise ValueError("news of an object name it")
        for element in news.elements:
            belief = self.get(track_id)
            match element:
                case SpriteElement() if news.look is not None:
                    self._replace_departed(track_id, element.sprite_id)
                    self[track_id] = _introduced(belief, element, news.look, stamp_ns, loss)
                case LookElement(thumbnail=thumbnail) if belief is not None and news.look is not None:
                    belief.update_look(thumbnail, news.look, stamp_ns)
                case PoseElement() if belief is not None:
                    belief.note_knot(element, stamp_ns, loss)
                    belief.whole_ns = max(belief.whole_ns, stamp_ns)
                case StepElement() if belief is not None:
                    belief.note_knot(element, stamp_ns, loss)
                case ForgetElement():
                    self._depart(track_id, loss)
                case _:
                    raise ValueError(f"{element} cannot be told of an object that was not introduced")

    def note_if_known(self, news: News, stamp_ns: int, loss: float) -> None:
        """Take note of news that are of use only to who knows the object, which may have been lost."""
        introduced = [each for each in news.elements if isinstance(each, SpriteElement)]
        if not introduced and news.track_id not in self and news.track_id not in self.departed:
            return
        for element in introduced:  # ids are given again: who had one before is replaced
            for other in [key for key, belief in self.items() if belief.sprite_id == element.sprite_id]:
                if other != news.track_id:
                    del self[other]
        self.note(news, stamp_ns, loss)

    def gone(self, present: Container[int], time_ns: int) -> dict[int, tuple[SpriteBelief, float]]:
        """Return the objects that are not to be shown any more, and how likely a receiver that knew them shows them.

        Args:
            present: Tracks of those in view.
            time_ns: By now; who was in view and could be seen until then has to be told anew.
        """
        left = {
            track_id: (belief, 1.0)
            for track_id, belief in self.items()
            if track_id not in present or belief.sprite.trajectory.forgotten(time_ns)
        }
        return left | {track_id: (each.belief, each.lingering) for track_id, each in self.departed.items()}

    def shown_at(self, track_id: int, time_ns: int) -> bool:
        """Whether a receiver may show an object at a time, said to be gone or not."""
        departed = self.departed.get(track_id)
        belief = self.get(track_id) if departed is None else departed.belief
        return belief is not None and bool(belief.rasters_at(time_ns))

    def forget(self, track_id: int) -> None:
        """Keep nothing of an object."""
        self.pop(track_id, None)
        self.departed.pop(track_id, None)

    def _replace_departed(self, track_id: int, sprite_id: int) -> None:
        """Keep nothing of who was bidden farewell and is back, or whose id another object is given."""
        for other in [key for key, each in self.departed.items() if each.belief.sprite_id == sprite_id]:
            del self.departed[other]
        self.departed.pop(track_id, None)

    def _depart(self, track_id: int, loss: float) -> None:
        known, before = self.pop(track_id, None), self.departed.pop(track_id, None)
        if known is not None:
            before = Departed(known, 1.0)
        if before is not None:
            self.departed[track_id] = Departed(before.belief, loss * before.lingering)
        while len(self.departed) > _MOST_DEPARTED:
            del self.departed[next(iter(self.departed))]

    def copy(self) -> ToldSprites:
        """Return the same, to be changed apart from this."""
        copied = ToldSprites({track_id: _copied(belief) for track_id, belief in self.items()})
        copied.departed = dict(self.departed)
        return copied


def _introduced(
    known: SpriteBelief | None, element: SpriteElement, look: Look, stamp_ns: int, loss: float
) -> SpriteBelief:
    """Return the belief once a sprite has been told, with all that makes it known."""
    trajectory = Trajectory() if known is None else known.sprite.trajectory
    trajectory.add(knot_pose(element.knot, stamp_ns))
    if element.past is not None:
        trajectory.add(knot_pose(element.past, stamp_ns))
    codes = element.width_code, element.knot.height_code
    sprite = Sprite(element.class_id, *codes, element.margins, element.core, stamp_ns, trajectory)
    missing = loss * (1.0 if known is None else known.missing)
    belief = SpriteBelief(element.sprite_id, sprite, look, look, stamp_ns, missing)
    if known is not None and known.sprite.core is element.core:
        sprite.detail, belief.offset = known.sprite.detail, known.offset
    return belief


def _copied(belief: SpriteBelief) -> SpriteBelief:
    trajectory = Trajectory()
    trajectory.knots = list(belief.sprite.trajectory.knots)
    trajectory.gone_ns = belief.sprite.trajectory.gone_ns
    return replace(belief, sprite=replace(belief.sprite, trajectory=trajectory))
