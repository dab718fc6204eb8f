"""What there is to tell of moving objects, and what each piece of news is worth.

Of each object the encoder compares the newest frame with what the receiver shows there now, with what it would show if
the sprite stood near where the object is, and with what a new thumbnail would look like: analysis by synthesis. The
squared error that each would remove, over the time it may be expected to stay removed, is its worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    AGE_STEP_NS,
    SIZE_CODES,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    Part,
    PoseElement,
    SpriteElement,
    Thumbnail,
    shape_of,
    size_code,
)
from pantel_device.frame import Box, Observation, Track
from pantel_device.observer.coco import class_id_of
from pantel_device.rendering.composition import pose_box, raster_box
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News, lasting_s
from pantel_device.scene_encoding.objects.alignment import aligned_knot
from pantel_device.scene_encoding.objects.look_fit import fit_looks
from pantel_device.scene_encoding.objects.look_search import LookDraft, refine_look
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_device.scene_encoding.objects.sprite_case import SpriteCase
from pantel_device.scene_encoding.objects.sprite_ids import SpriteIds
from pantel_device.scene_encoding.objects.told_sprites import ToldSprites
from pantel_device.scene_encoding.objects.track_knots import MAX_AGE_STEPS, knot_pose
from pantel_models.thumbnails import Look, ThumbnailCodec, kind_of

__all__ = ["SpriteEncoder"]

_Qualities = tuple[tuple[int, ...], tuple[int, ...]]
_QUALITIES: _Qualities = ((0, 2, 4, 6), (2, 4, 6))  # of core and detail that are tried
# For the objects that lack most: as many of them as the sender has time for.
_MORE_QUALITIES: _Qualities = ((0, 1, 2, 3, 4, 5, 6), (2, 3, 4, 5, 6, 7))
_MORE_FOR = 2
_FEW = 3  # objects; among more, large ones take too long
_SMALL_PX = 2000.0  # area of an object

# What elements take besides the symbols of a thumbnail [bit].
_SPRITE_BITS = 48.0
_PAST_BITS = 15.0
_LOOK_BITS = 16.0
_POSE_BITS = 31.0
_STEP_BITS = 23.0
_FORGET_BITS = 9.0

_NEW_LASTS_S = 3.0  # what is told of a new object may be expected to serve for so long
_DOUBTFUL = 0.01  # probability that a receiver does not know an object, from which on it is introduced again
_PROPORTION_CODES = 2  # sixteenths of an octave by which proportions may have changed
_LEAST_ERROR = 0.3  # squared error over 0..1 that is worth looking at
_LARGE_PX = 6000.0  # area of a raster from which on drafts are fitted to the picture
_LOOKED_AT = 6  # objects of which thumbnails are tried for one payload: those that lack most


class SpriteEncoder:
    """Knows what was told of moving objects and what is worth telling next."""

    def __init__(
        self, thumbnails: ThumbnailCodec, size_px: tuple[int, int], audience: Audience, *, weight: float
    ) -> None:
        """Start with a receiver that knows nothing.

        Args:
            thumbnails: How sprites look.
            size_px: Width and height of the picture.
            audience: Who hears of them.
            weight: How much more an error counts in what moves than in the background.
        """
        self._thumbnails = thumbnails
        self._size_px = size_px
        self._weight = weight
        self._audience = audience
        self._told = ToldSprites()
        self._settled: ToldSprites | None = None  # as it was before what is on its way
        self._cases: dict[int, SpriteCase] = {}
        self._ids = SpriteIds()

    def news(self, observation: Observation, stamp_ns: int) -> list[News]:
        """Return what could be told now, in no order.

        Args:
            observation: The newest frame and its objects.
            stamp_ns: Time of the packet, from which its knots count back.
        """
        age_steps = max(math.ceil((stamp_ns - observation.frame.time_ns) / AGE_STEP_NS), 0)
        if age_steps > MAX_AGE_STEPS:
            return []
        found = self._farewells(observation, age_steps)
        self._cases = {
            track.track_id: self._case(observation, track, stamp_ns, age_steps) for track in observation.tracks
        }
        cases = sorted((c for c in self._cases.values() if c.shown > _LEAST_ERROR), key=lambda case: -case.shown)
        for rank, case in enumerate(cases):
            qualities = _QUALITIES if rank < _LOOKED_AT else None
            if rank < _MORE_FOR and (len(cases) <= _FEW or case.track.box.area_px < _SMALL_PX):
                qualities = _MORE_QUALITIES
            found += self._about(case, qualities)
        return found

    def known(self) -> list[tuple[SpriteCase, SpriteBelief]]:
        """Return the objects in view that receivers know, as `news` found them, and what they know of them."""
        return [(case, self._told[track_id]) for track_id, case in self._cases.items() if track_id in self._told]

    def cores(self) -> dict[int, Thumbnail]:
        """Return the core of each object that receivers know, in view or not, by track."""
        return {track_id: belief.sprite.core for track_id, belief in self._told.items()}

    def refined(self, news: News, more_bits: float) -> News:
        """Return news with a thumbnail that fits the picture better, if they have one and it can be found.

        Args:
            news: What was chosen to be sent.
            more_bits: By how much it may grow.
        """
        if news.draft is None:
            return news
        thumbnail = news.draft.sent
        own_bits = news.draft.size_bits(self._thumbnails)
        found = refine_look(self._thumbnails, news.draft, own_bits + more_bits)
        if found is news.draft:
            return news
        elements = tuple(_with_thumbnail(element, thumbnail, found.sent) for element in news.elements)
        bits = news.bits - own_bits + found.size_bits(self._thumbnails)
        return replace(news, elements=elements, bits=bits, look=found.look, draft=found)

    def sent(self, news: News, stamp_ns: int) -> None:
        """Take note of what goes on the air."""
        self._told.note(news, stamp_ns, self._audience.loss)

    def keep(self) -> None:
        """Remember what is told now: from here on, payloads are settled one after the other."""
        if self._settled is None:
            self._settled = self._told.copy()

    def settle(self, told: Sequence[News], stamp_ns: int, fate: Fate) -> None:
        """Take note of what became of the oldest payload that is on its way.

        Args:
            told: All that it told of objects.
            stamp_ns: Its time stamp.
            fate: What became of it.
        """
        if self._settled is None:
            raise RuntimeError("keep first")
        loss = {Fate.ARRIVED: 0.0, Fate.LOST: 1.0, Fate.UNKNOWN: self._audience.loss}[fate]
        for news in told if loss < 1.0 else ():
            self._settled.note_if_known(news, stamp_ns, loss)

    def forget(self) -> None:
        """Believe that the receiver has started again: it knows nothing of all that is settled."""
        self._settled = ToldSprites()

    def rebuild(self, on_their_way: Iterable[tuple[Sequence[News], int]]) -> None:
        """Believe what is settled and, as likely as ever, what is on its way: news and time stamps."""
        if self._settled is None:
            return
        before, self._told = self._told, self._settled.copy()
        for told, stamp_ns in on_their_way:
            for news in told:
                self._told.note_if_known(news, stamp_ns, self._audience.loss)
        for track_id, belief in self._told.items():
            known = before.get(track_id)
            if known is not None and known.sprite.core is belief.sprite.core:
                belief.offset = known.offset

    def _case(self, observation: Observation, track: Track, stamp_ns: int, age_steps: int) -> SpriteCase:
        now_ns = observation.frame.time_ns
        belief = self._told.get(track.track_id)
        boxes = [track.box, *(() if belief is None else belief.rasters_at(now_ns))]
        view = ObjectView(observation, track, boxes, weight=self._weight * track.weight)
        bare = known = view.bare_error()
        missing = 1.0 if belief is None else belief.missing_at(now_ns, self._audience)
        if belief is not None:
            known = view.expected_error(belief, now_ns)
        # That of the payload before keeps what it was, without all that came before.
        before = self._cases.get(track.track_id)
        earlier = None if before is None else replace(before, earlier=None)
        return SpriteCase(stamp_ns, age_steps, now_ns, track, view, missing, bare, known, earlier)

    def _about(self, case: SpriteCase, qualities: _Qualities | None) -> list[News]:
        """Return what could be told of one object; nothing of its looks if no qualities of them are given."""
        belief = self._told.get(case.track.track_id)
        if belief is None:
            return [] if qualities is None else self._introductions(case, qualities)
        knot, posed = aligned_knot(case, belief, self._size_px)
        kept_s = max(_NEW_LASTS_S - (belief.sprite.trajectory.forgotten_ns - case.now_ns) / 1e9, 0.0)
        gain = (case.known - posed) * lasting_s(case.now_ns - belief.knot_ns) + (case.bare - posed) * kept_s
        gain *= 1 - case.missing
        step = belief.step(knot, case.stamp_ns)
        move: Element = PoseElement(belief.sprite_id, knot) if step is None else step
        box = case.now(belief.box_of(knot_pose(knot, case.stamp_ns)))
        found = [replace(self._news(case, (move,), _POSE_BITS if step is None else _STEP_BITS, gain), box=box)]
        if case.missing > _DOUBTFUL:
            found += self._again(case, belief, knot, posed)
        if qualities is not None:
            found += self._new_looks(case, belief, found[0], posed, qualities)
        return [news for news in found if news.worth > 0]

    def _again(self, case: SpriteCase, belief: SpriteBelief, knot: Knot, posed: float) -> list[News]:
        """Return all that makes a known object known, as it was told before, for those who may have missed it."""
        sprite = belief.sprite
        width_code = min(max(sprite.width_code + knot.height_code - sprite.height_code, 0), SIZE_CODES - 1)
        if shape_of(width_code, knot.height_code) != sprite.shape:
            return []  # too small to be told in its proportions, and of another shape the look would be another
        element = SpriteElement(belief.sprite_id, False, sprite.class_id, width_code, sprite.margins, knot, sprite.core)
        symbol_bits = self._thumbnails.model.bits(sprite.shape, Part.CORE, sprite.core.quality, sprite.core.symbols)
        gain = case.missing * (case.bare - posed) * _NEW_LASTS_S
        gain += (1 - case.missing) * (case.known - posed) * lasting_s(case.now_ns - belief.knot_ns)
        return [self._news(case, (element,), _SPRITE_BITS + float(symbol_bits.sum()), gain, belief.plain)]

    def _new_looks(
        self, case: SpriteCase, belief: SpriteBelief, move: News, posed: float, qualities: _Qualities
    ) -> list[News]:
        """Return how the looks of a known object could be brought up to date: alone, with its place, or all anew.

        Args:
            case: The object.
            belief: What the receiver knows of it.
            move: The news of its place alone.
            posed: The error of the old look at the place that they tell.
            qualities: Of core and detail that are tried.
        """
        moves = move.worth > 0
        posed = min(posed, case.known)
        box = move.box if moves else belief.box_at(case.now_ns)
        found = self._introductions(case, qualities) if self._outgrown(case, belief) else []
        cutting = None if box is None else case.view.cut(raster_box(box, belief.sprite.margins))
        if cutting is None or box is None:
            return found
        lasts_s = lasting_s(case.now_ns - belief.sprite.look_ns)
        shape = belief.sprite.shape
        move_gain = move.worth * move.bits / self._audience.arrival
        latents = self._thumbnails.analyse(cutting, shape, belief.sprite.class_id)
        places = case.places(box, belief.sprite.margins)
        for part in Part:
            core = None if part is Part.CORE else belief.sprite.core
            version = belief.next_version if core is None else core.version
            thumbnails = self._quantized(latents, shape, part, qualities, version)
            for draft, symbol_bits in self._drafts(thumbnails, (shape, belief.sprite.class_id), core, places):
                bits = _LOOK_BITS + symbol_bits
                error = case.view.error(draft.look, box, belief.sprite.margins)
                gain = (1 - case.missing) * (posed - error) * lasts_s
                elements: tuple[Element, ...] = (LookElement(belief.sprite_id, shape, draft.sent),)
                found.append(self._news(case, elements, bits, gain, draft))
                if moves:
                    both = (*move.elements, *elements)
                    found.append(self._news(case, both, bits + move.bits, gain + move_gain, draft))
        return found

    def _quantized(
        self, latents: NDArray[np.float32], shape: int, part: Part, qualities: _Qualities, version: int
    ) -> list[Thumbnail]:
        """Return a part of a thumbnail in several qualities."""
        return [self._thumbnails.quantize(latents, shape, part, quality, version)[0] for quality in qualities[part]]

    def _drafts(
        self,
        parts: Sequence[Thumbnail],
        kind: tuple[int, int],
        core: Thumbnail | None,
        places: Sequence[tuple[ObjectView, Box]],
    ) -> list[tuple[LookDraft, float]]:
        """Return thumbnails with what their symbols cost [bit].

        Args:
            parts: Cores, or details.
            kind: Shape and class of the sprite.
            core: What the details belong to; None if the parts are cores.
            places: As `LookDraft` has them.
        """
        shape, class_id = kind
        pairs = [(each, None) if core is None else (core, each) for each in parts]
        looks = self._thumbnails.decode_all(pairs, shape, class_id)
        drafts = [
            LookDraft(pair[0], pair[1], look, shape, class_id, places) for pair, look in zip(pairs, looks, strict=True)
        ]
        if places[0][1].area_px >= _LARGE_PX:
            drafts = fit_looks(self._thumbnails, drafts)
        return [(draft, draft.size_bits(self._thumbnails)) for draft in drafts]

    def _outgrown(self, case: SpriteCase, belief: SpriteBelief) -> bool:
        """Return whether more than looks and place should be told anew: proportions, raster or kind, or all of it."""
        width, height = size_code(case.track.history[-1].width), size_code(case.track.history[-1].height)
        sprite = belief.sprite
        return (
            abs(width - height - (sprite.width_code - sprite.height_code)) > _PROPORTION_CODES
            or kind_of(class_id_of(case.track.label)) is not kind_of(sprite.class_id)
            or case.view.margins(case.track.box) != sprite.margins
        )

    def _introductions(self, case: SpriteCase, qualities: _Qualities) -> list[News]:
        """Return an object with all that makes it known, in several qualities."""
        belief = self._told.get(case.track.track_id)
        width_code = size_code(case.width_px)
        knot = case.knot(self._size_px)
        shape = shape_of(width_code, knot.height_code)
        pose = knot_pose(knot, case.stamp_ns)
        box = case.now(pose_box(pose, width_code, knot.height_code))
        margins = case.view.margins(box)
        cutting = case.view.cut(raster_box(box, margins))
        sprite_id = self._ids.take(case.track.track_id)
        if cutting is None or sprite_id is None:
            return []
        version = 0 if belief is None else belief.next_version
        past = case.past(knot, self._size_px) if belief is None else None
        lasts_s = _NEW_LASTS_S if belief is None else lasting_s(case.now_ns - belief.sprite.look_ns)
        class_id = class_id_of(case.track.label)
        latents = self._thumbnails.analyse(cutting, shape, class_id)
        found = []
        places = case.places(box, margins)
        cores = self._quantized(latents, shape, Part.CORE, qualities, version)
        for draft, symbol_bits in self._drafts(cores, (shape, class_id), None, places):
            bits = _SPRITE_BITS + symbol_bits + (0.0 if past is None else _PAST_BITS)
            gain = (case.shown - case.view.error(draft.look, box, margins)) * lasts_s
            element = SpriteElement(sprite_id, belief is None, class_id, width_code, margins, knot, draft.core, past)
            found.append(self._news(case, (element,), bits, gain, draft))
        return [news for news in found if news.worth > 0]

    def _news(
        self,
        case: SpriteCase,
        elements: tuple[Element, ...],
        bits: float,
        gain: float,
        shown: Look | LookDraft | None = None,
    ) -> News:
        worth = self._audience.arrival * gain / bits
        kind = "poses" if shown is None else "sprites"
        look, draft = (shown.look, shown) if isinstance(shown, LookDraft) else (shown, None)
        return News(kind, elements, bits, worth, case.track.track_id, look, draft)

    def _farewells(self, observation: Observation, age_steps: int) -> list[News]:
        """Return news of objects that are gone but may still be shown; forget those that vanish by themselves."""
        now_ns = observation.frame.time_ns
        present = {track.track_id for track in observation.tracks}
        picture = Box(0, 0, *self._size_px)
        shown = replace(observation, tracks=tuple(each for each in observation.tracks if each.track_id in self._told))
        found = []
        for track_id, (belief, lingering) in self._told.gone(present, now_ns).items():
            rasters = [each for each in belief.rasters_at(now_ns) if picture.intersection_px(each) > 0]
            if not rasters:
                self._told.forget(track_id)
                # A receiver that is known to lack its last knots may show it still: that comes back with `rebuild`.
                if self._settled is not None and not self._settled.shown_at(track_id, now_ns):
                    self._settled.forget(track_id)
                continue
            if lingering < _DOUBTFUL:
                continue  # until it turns out that farewells were lost
            view = ObjectView(shown, None, rasters, weight=self._weight)
            gain = lingering * (view.expected_error(belief, now_ns) - view.bare_error())
            if gain > 0:
                worth = self._audience.arrival * gain * _NEW_LASTS_S / _FORGET_BITS
                farewell = ForgetElement(belief.sprite_id, age_steps)
                found.append(News("farewells", (farewell,), _FORGET_BITS, worth, track_id))
        self._ids.keep(present, self._told, self._told.departed)
        return found


def _with_thumbnail(element: Element, old: Thumbnail, new: Thumbnail) -> Element:
    """Return an element with a thumbnail in the place of another, if it has that."""
    match element:
        case SpriteElement(core=core) if core is old:
            return replace(element, core=new)
        case LookElement(thumbnail=thumbnail) if thumbnail is old:
            return replace(element, thumbnail=new)
    return element
