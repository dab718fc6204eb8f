"""What there is to tell of how an object looks beyond its thumbnail: cells over the raster of its sprite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from pantel_codec import CELL_PX, TEXTURE_SIDES, Background, CellElement, Element, TextureElement, Thumbnail
from pantel_device.frame import Box
from pantel_device.rendering.composition import raster_box
from pantel_device.rendering.textured_look import resampled, textured
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.background.background_view import cell_weights
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News, lasting_s
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_device.scene_encoding.objects.sprite_case import SpriteCase
from pantel_models import SceneCodec

__all__ = ["TextureEncoder", "TextureEncoders"]

_OWN_BITS = 24.0  # sprite, version and size, and what a payload with textures begins with
_OPAQUE = 0.5  # of alpha, below which what is seen of an object says little about its colours
_UNSEEN_WEIGHT = 1e-6
_MOST = 3  # objects whose textures are looked at for one payload: those that lack most
_LEAST_ERROR = 2.0  # squared error over 0..1 of a look, from which on cells may be worth their bits
_THUMBNAIL_FIRST = 0.15  # share of that error which another thumbnail would remove, from which on cells have to wait
_SMALLEST_PX = 24.0  # longer side of a raster that cells are of any use for


class TextureEncoder:
    """The texture of one object, for as long as it has the same core.

    Attributes:
        track_id: The object.
        core: The core.
    """

    def __init__(
        self, codec: SceneCodec, audience: Audience, case: SpriteCase, belief: SpriteBelief, raster: Box
    ) -> None:
        """Start with a receiver that knows the thumbnail.

        Args:
            codec: How cells are coded.
            audience: Who hears of it.
            case: The object.
            belief: What the receiver knows of it.
            raster: Where its raster is shown now; the texture has about as many samples as that has pixels.
        """
        self._codec = codec
        self.track_id = case.track.track_id
        self.core: Thumbnail = belief.sprite.core
        self._case, self._belief = case, belief
        self._kept = False
        columns, rows = (_cells(side) for side in (raster.x1 - raster.x0, raster.y1 - raster.y0))
        self._told = Background(columns * CELL_PX, rows * CELL_PX, codec.entropy.groups)
        self._look = belief.plain
        self._sent: dict[int, TextureElement] = {}  # what is not settled, by identity
        shown = np.clip(np.rint(resampled(belief.plain.colour, self._size)), 0, 255).astype(np.uint8)
        self._cells = BackgroundEncoder(codec, self._told, audience, shown=shown, refines=False)
        self._offered: list[tuple[News, News]] = []  # as news of a texture, and as news of cells

    @property
    def _size(self) -> tuple[int, int]:
        return self._told.width_px, self._told.height_px

    def look(self, case: SpriteCase, belief: SpriteBelief, raster: Box) -> None:
        """Take the object as it is seen now.

        Args:
            case: The object.
            belief: What the receiver knows of it.
            raster: Where its raster is shown now.
        """
        self._case, self._belief = case, belief
        if belief.look is not self._look:  # it has got detail, or has been told again
            self._show()
        self._see(raster)

    def moved(self, news: News) -> None:
        """Take note that the payload tells another place of the object."""
        if news.box is None:
            raise ValueError("these news tell no place")
        self._see(raster_box(news.box, self._belief.sprite.margins))

    def _see(self, raster: Box) -> None:
        """Take what the newest frame shows where the raster lies."""
        case, belief = self._case, self._belief
        frame, background, root_weight = case.view.on_raster(raster, self._size)
        alpha = resampled(belief.look.alpha, self._size)[..., None]
        # What is seen is the sprite over the background. Where it is hardly seen its colours stay as they are.
        seen = background + (frame - background) / np.maximum(alpha, _OPAQUE)
        share = np.clip(alpha / _OPAQUE, 0, 1)
        colour = resampled(belief.look.colour, self._size)
        pixels = np.clip(np.rint(colour + share * (seen - colour)), 0, 255).astype(np.uint8)
        weights = np.square(root_weight[..., 0] * alpha[..., 0] * np.float32(255))
        lasts_s = lasting_s(case.now_ns - belief.sprite.look_ns)
        self._cells.look(pixels, case.now_ns, weights=cell_weights(weights, _UNSEEN_WEIGHT), longest_s=lasts_s)

    def news(self, now_ns: int, room_bits: float) -> News | None:
        """Return the cells that are worth most per bit; None when none help or fit. See `BackgroundEncoder.news`."""
        self._offered.clear()
        cells = self._cells.news(now_ns, room_bits - _OWN_BITS)
        return None if cells is None else self._of(cells)

    def filled(self, news: News, room_bits: float) -> News:
        """Return news of the same cells with so much more of them that the room is filled."""
        return self._of(self._cells.filled(self._cells_of(news), room_bits - _OWN_BITS))

    def sent(self, news: News, now_ns: int) -> None:
        """Take note of cells that were offered and go on the air."""
        self._cells.sent(self._cells_of(news), now_ns)
        if self._kept:
            self._sent |= {id(each): each for each in news.elements if isinstance(each, TextureElement)}
        self._show()

    def keep(self) -> None:
        """Remember what is told now: from here on, payloads are settled one after the other."""
        self._kept = True
        self._cells.keep()

    def settle(self, elements: Sequence[Element], stamp_ns: int, fate: Fate) -> None:
        """Take note of what became of the oldest payload that is on its way."""
        self._cells.settle(self._own(elements), stamp_ns, fate)
        for element in elements:
            self._sent.pop(id(element), None)

    def rebuild(self, on_their_way: Sequence[tuple[Sequence[Element], int]]) -> None:
        """Believe what is settled and what is on its way: elements and time stamps."""
        self._cells.rebuild((self._own(elements), stamp_ns) for elements, stamp_ns in on_their_way)
        self._show()

    def _own(self, elements: Sequence[Element]) -> list[Element]:
        """Return what elements tell of this texture, as cells."""
        # Names and versions come round again while payloads are on their way, so these very elements count.
        textures = (each for each in elements if isinstance(each, TextureElement))
        return [CellElement(each.update) for each in textures if self._sent.get(id(each)) is each]

    def _cells_of(self, news: News) -> News:
        for offered, cells in self._offered:
            if offered is news:
                return cells
        raise ValueError("these news were not offered")

    def _of(self, cells: News) -> News:
        """Return news of cells as those of a texture."""
        (element,) = cells.elements
        if not isinstance(element, CellElement):
            raise TypeError(f"{element} is no update of cells")
        size = self._told.scales[0].columns, self._told.scales[0].rows
        told = TextureElement(self._belief.sprite_id, self.core.version, *size, element.update)
        bits = cells.bits + _OWN_BITS
        worth = (1 - self._case.missing) * cells.worth * cells.bits / bits
        news = News("textures", (told,), bits, worth)
        self._offered.append((news, cells))
        return news

    def _show(self) -> None:
        """Have the belief look as the receiver shows it."""
        self._look = textured(self._codec, self._belief.plain, self._told)
        self._belief.look = self._look


class TextureEncoders:
    """The textures of those objects that lack most."""

    def __init__(self, codec: SceneCodec, audience: Audience) -> None:
        """Start with a receiver that knows no texture; arguments are those of `TextureEncoder`."""
        self._codec = codec
        self._audience = audience
        self._kept = False
        self._encoders: dict[int, TextureEncoder] = {}

    def look(self, known: Sequence[tuple[SpriteCase, SpriteBelief]], news: Sequence[News]) -> list[TextureEncoder]:
        """Return what may tell more of some objects, having looked at them.

        Args:
            known: The objects in view that receivers know, and what they know of them.
            news: What else could be told of them.
        """
        gains: defaultdict[int | None, float] = defaultdict(float)
        for each in news:
            if each.look is not None:
                gains[each.track_id] = max(gains[each.track_id], each.worth * each.bits)
        lacking = sorted(known, key=lambda each: -(1 - each[0].missing) * each[0].known)
        looked_at = []
        for case, belief in lacking[:_MOST]:
            box = belief.box_at(case.now_ns)
            lacks = case.known * lasting_s(case.now_ns - belief.sprite.look_ns)
            if box is None or case.known < _LEAST_ERROR or gains[case.track.track_id] > _THUMBNAIL_FIRST * lacks:
                continue
            raster = raster_box(box, belief.sprite.margins)
            if max(raster.x1 - raster.x0, raster.y1 - raster.y0) < _SMALLEST_PX:
                continue
            track_id = case.track.track_id
            encoder = self._encoders.get(track_id)
            if encoder is None:
                encoder = TextureEncoder(self._codec, self._audience, case, belief, raster)
                self._encoders[track_id] = encoder
                if self._kept:
                    encoder.keep()
            encoder.look(case, belief, raster)
            looked_at.append(encoder)
        return looked_at

    def keep_those_of(self, cores: Mapping[int, Thumbnail]) -> None:
        """Forget textures but those of the cores that receivers know, by track."""
        self._encoders = {
            track_id: encoder for track_id, encoder in self._encoders.items() if cores.get(track_id) is encoder.core
        }

    def keep(self) -> None:
        """Remember what is told, also of those that come: from here on, payloads are settled one after the other."""
        self._kept = True

    def settle(self, elements: Sequence[Element], stamp_ns: int, fate: Fate) -> None:
        """Take note of what became of the oldest payload that is on its way; see `BackgroundEncoder.settle`."""
        for encoder in self._encoders.values():
            encoder.settle(elements, stamp_ns, fate)

    def forget(self) -> None:
        """Believe that the receiver has started again: it knows no texture."""
        self._encoders.clear()

    def rebuild(self, on_their_way: Sequence[tuple[Sequence[Element], int]]) -> None:
        """Believe what is settled and what is on its way: elements and time stamps."""
        for encoder in self._encoders.values():
            encoder.rebuild(on_their_way)


def _cells(side_px: float) -> int:
    return min(max(round(side_px / CELL_PX), 1), TEXTURE_SIDES)
