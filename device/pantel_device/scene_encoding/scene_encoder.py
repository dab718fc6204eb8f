"""What to say next: fills each payload with the elements that improve the receiver's picture most per bit.

Candidates are news of moving objects (`SpriteEncoder`) and blocks of the background (`BackgroundEncoder`). Both weigh
the squared error they would remove by its importance, by the time it may be expected to stay removed, and by the
probability that the receiver still lacks it. The first payloads tell the whole picture coarsely; then what moves is
told as it moves; and with air left over the background grows sharp.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pantel_codec import CellElement, Element, SceneSyntax
from pantel_device.frame import Observation
from pantel_device.observer.zones import Zone
from pantel_device.rendering.exposure import exposed
from pantel_device.scene_encoding.attention import Attention
from pantel_device.scene_encoding.audience import ASSUMED_LOSS, Audience
from pantel_device.scene_encoding.background.background_encoder import BackgroundEncoder
from pantel_device.scene_encoding.background.moving_background import MovingBackgroundEncoder
from pantel_device.scene_encoding.background.tone_encoder import ToneEncoder
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.ledger import Ledger, SentPayload
from pantel_device.scene_encoding.news import News
from pantel_device.scene_encoding.objects.sprite_encoder import SpriteEncoder
from pantel_device.scene_encoding.objects.texture_encoder import TextureEncoder, TextureEncoders
from pantel_device.scene_encoding.offers import Offer
from pantel_link.back_channel import Acknowledge, Region
from pantel_models import SceneCodec

__all__ = ["SceneEncoder", "SceneEncoderSettings"]

_SMALLEST_CELL_BITS = 56.0  # less room than this is not searched for cells
_QUIET_NS = 400_000_000  # when there is nothing to tell: a sender asks at every frame, and looking takes time

_Surface = BackgroundEncoder | TextureEncoder


@dataclass(frozen=True, slots=True)
class SceneEncoderSettings:
    """What the operator may decide.

    Attributes:
        roi_weight: How much more an error counts in what moves than in the background.
        assumed_loss: Share of packets that is expected to be lost, 0 to 1.
        refresh_s: Time after which a receiver that joins late should have been told again [s].
        zones: Those of interest decide which parts of the background are told first.
        acknowledged: Whether receivers may tell what they hear; as long as none does, it makes no difference.
    """

    roi_weight: float = 1.25
    assumed_loss: float = ASSUMED_LOSS
    refresh_s: float = 120.0
    zones: Sequence[Zone] = ()
    acknowledged: bool = False


class SceneEncoder:
    """Turns observations into payloads of a given size.

    Attributes:
        element_bits: Bits written so far of each kind of element: `cells`, `seeds`, `sprites`, `textures`, `poses`,
            `farewells`, `tone`, `camera`.
    """

    def __init__(
        self, codec: SceneCodec, size_px: tuple[int, int], settings: SceneEncoderSettings | None = None
    ) -> None:
        self._settings = settings or SceneEncoderSettings()
        audience = Audience(self._settings.assumed_loss, self._settings.refresh_s)
        self._size_px = size_px
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, *size_px)
        self._background = MovingBackgroundEncoder(codec, size_px, audience, zones=self._settings.zones)
        self._sprites = SpriteEncoder(codec.thumbnails, size_px, audience, weight=self._settings.roi_weight)
        self._textures = TextureEncoders(codec, audience)
        self._tone = ToneEncoder(audience)
        self._quiet_until_ns: int | None = None
        self._begun = False  # the ground is being laid
        self._ledger = Ledger(audience) if self._settings.acknowledged else None
        self._attention: Attention | None = None
        self.element_bits: defaultdict[str, float] = defaultdict(float)

    def unhurried(self, *, calm: bool) -> bool:
        """Return whether what comes next may take longer on the air.

        In calm it may, and while the first ground is laid, after a first payload that soon shows a picture.

        Args:
            calm: Whether nothing has moved for a while.
        """
        return calm if self._background.cells.laid else self._begun

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        """Return the payload of at most `capacity_bytes` that helps the receiver most now.

        It is empty when a receiver has said that it has everything.

        Args:
            observation: The newest frame and what matters in it, of the size the encoder was made for.
            capacity_bytes: Room in the packet; 16 at least.
            stamp_ns: Time stamp of the packet, on the clock of the frames.
        """
        if self._quiet_until_ns is not None and stamp_ns < self._quiet_until_ns:
            return b""
        observation = self._attended(observation)
        opened = self._background.look(observation, stamp_ns)
        if self._ledger is not None:
            for part in (self._background.cells, self._sprites, self._textures, self._tone):
                part.keep()
        opening = self._syntax.write(opened)
        candidates = self._candidates(observation, stamp_ns)
        seed = self._background.cells.seed(8.0 * capacity_bytes)
        if seed is not None:
            candidates.append(seed)
        self._textures.keep_those_of(self._sprites.cores())
        surfaces: list[_Surface] = [self._background.cells, *self._textures.look(self._sprites.known(), candidates)]
        told, payload = self._most_worth(
            opened, opening, candidates, surfaces, capacity_bytes=capacity_bytes, stamp_ns=stamp_ns
        )
        for news in told:
            if news.kind == "tone":
                self._tone.sent(news, stamp_ns)
            elif news.kind == "seeds":
                self._background.cells.seeded(news)
            elif news.kind not in {"cells", "textures"}:
                self._sprites.sent(news, stamp_ns)
        self._begun = True
        self._count(told, len(payload), len(opening))
        if self._ledger is not None:
            self._quiet_until_ns = None if payload else stamp_ns + _QUIET_NS
            elements = (*opened, *self._elements(told))
            self._ledger.add(SentPayload(stamp_ns, told, elements, self._background.cells))
        return payload

    def submitted(self, counter: int) -> None:
        """Take the counter of the packet that the newest payload went out with."""
        if self._ledger is not None:
            self._settle(self._ledger.submitted(counter))

    def acknowledged(self, acknowledge: Acknowledge) -> None:
        """Take note of what a receiver has heard: what it has is not repeated, and what it lacks comes back."""
        if self._ledger is None:
            return
        parts = self._background.cells, self._sprites, self._textures, self._tone
        starts_again = self._ledger.starts_again(acknowledge)
        for part in parts if starts_again else ():
            part.forget()
            self._begun = False
        decided = self._ledger.acknowledged(acknowledge)
        self._settle(decided)
        if decided or starts_again:
            waiting = tuple(self._ledger)
            cells = self._background.cells
            cells.rebuild((each.elements, each.stamp_ns) for each in waiting if each.cells is cells)
            self._sprites.rebuild((_of_objects(each.told), each.stamp_ns) for each in waiting)
            self._textures.rebuild([(each.elements, each.stamp_ns) for each in waiting])
            self._tone.rebuild((_of_light(each.told), each.stamp_ns) for each in waiting)

    def watch(self, region: Region, until_ns: int) -> bool:
        """Let what is seen in a part of the picture count several times, until a time on the clock of the frames."""
        self._attention = Attention(region, until_ns)
        self._background.attend(self._attention.weights(self._size_px))
        return True

    def _attended(self, observation: Observation) -> Observation:
        """Return an observation whose objects matter more where somebody watches."""
        if self._attention is None:
            return observation
        if observation.frame.time_ns >= self._attention.until_ns:
            self._attention = None
            self._background.attend(None)
            return observation
        return self._attention.of(observation)

    def _settle(self, decided: Sequence[tuple[SentPayload, Fate]]) -> None:
        for payload, fate in decided:
            self._background.settle(payload.elements, payload.stamp_ns, fate, payload.cells)
            self._sprites.settle(_of_objects(payload.told), payload.stamp_ns, fate)
            self._textures.settle(payload.elements, payload.stamp_ns, fate)
            self._tone.settle(_of_light(payload.told), payload.stamp_ns, fate)

    def _most_worth(
        self,
        opened: Sequence[Element],
        payload: bytes,
        candidates: Sequence[News],
        surfaces: Sequence[_Surface],
        *,
        capacity_bytes: int,
        stamp_ns: int,
    ) -> tuple[list[News], bytes]:
        """Return what is worth most per bit, one after the other as long as it fits, and the payload.

        News of an object may later give way to more news of it, for what these are worth beyond it.

        Args:
            opened: What the payload begins with.
            payload: The same as octets.
            candidates: What may follow, beside cells.
            surfaces: What cells may be told of, the background first.
            capacity_bytes: Room in the packet.
            stamp_ns: Time stamp of the packet.
        """
        told: list[News] = []
        reserve_bits = 0.0  # by how much cells have turned out to take more than was estimated
        room_bits = 8.0 * (capacity_bytes - len(payload))
        cells = {surface: surface.news(stamp_ns, room_bits) for surface in surfaces}
        while True:
            room_bits = 8.0 * (capacity_bytes - len(payload))
            offers = [Offer.of(news, told) for news in (*candidates, *cells.values()) if news is not None]
            if not self._background.cells.laid and (ground := cells[self._background.cells]) is not None:
                offers = [Offer.of(ground, told)]  # first of all there must be ground to stand on
            fitting = [offer for offer in offers if offer.worth > 0 and offer.bits <= room_bits]
            best = max(fitting, key=lambda offer: offer.worth, default=None)
            if best is None:
                return told, payload
            surface = next((each for each, news in cells.items() if news is best.news), None)
            rest_bits = room_bits - best.bits
            last = rest_bits < min([_SMALLEST_CELL_BITS, *(offer.bits for offer in fitting if offer is not best)])
            chosen, longer = self._written(opened, best, surface, room_bits, capacity_bytes, last=last)
            fits = len(longer) <= capacity_bytes
            if fits:
                told, payload = chosen.told, longer
                room_bits = 8.0 * (capacity_bytes - len(payload))
                if surface is not None:
                    surface.sent(chosen.news, stamp_ns)
            candidates = [news for news in candidates if news is not best.news]  # what does not fit now never will
            outdated = {surface}
            if fits and isinstance(surface, TextureEncoder):
                # Other news of the object were compared with how it looked before, and where it was shown.
                candidates = [news for news in candidates if news.track_id != surface.track_id]
            elif fits and (texture := _texture_of(chosen.news, cells)) is not None:
                if chosen.news.look is not None:
                    del cells[texture]
                elif chosen.news.box is not None:
                    texture.moved(chosen.news)
                    outdated.add(texture)
            reserve_bits += 8.0 if surface is not None and not fits else 0.0
            limit_bits = room_bits - reserve_bits
            for each, news in cells.items():
                if each in outdated or (news is not None and news.bits > room_bits):
                    cells[each] = each.news(stamp_ns, limit_bits) if limit_bits >= _SMALLEST_CELL_BITS else None

    def _written(
        self,
        opened: Sequence[Element],
        offer: Offer[News],
        surface: _Surface | None,
        room_bits: float,
        capacity_bytes: int,
        *,
        last: bool,
    ) -> tuple[Offer[News], bytes]:
        """Return an offer with the best looks that fit, and the payload: too long if not even those it has fit.

        Args:
            opened: What the payload begins with.
            offer: What is to join the payload.
            surface: What it tells cells of; None if it tells none.
            room_bits: What is left of the payload.
            capacity_bytes: Its size.
            last: Whether nothing else will fit, so that cells may take all the room.
        """
        refined = offer
        if surface is None:
            refined = offer.with_news(self._sprites.refined(offer.news, room_bits - offer.bits))
        elif last:
            refined = offer.with_news(surface.filled(offer.news, room_bits))
        payload = self._syntax.write([*opened, *self._elements(refined.told)])
        if refined is offer or len(payload) <= capacity_bytes:  # the estimates know nothing of whole bytes
            return refined, payload
        return offer, self._syntax.write([*opened, *self._elements(offer.told)])

    def _candidates(self, observation: Observation, stamp_ns: int) -> list[News]:
        """Return all that could be told of the light and of moving objects."""
        tone = self._tone.news(observation, stamp_ns)
        octaves = self._tone.shown(observation.frame.time_ns)
        shown = replace(observation, background=exposed(observation.background, octaves))
        news = self._sprites.news(shown, stamp_ns)
        return news if tone is None else [tone, *news]

    def _count(self, told: Sequence[News], size_bytes: int, opened_bytes: int) -> None:
        """Share the bits of a payload out to the kinds of its news, in proportion to their estimates."""
        if opened_bytes:
            self.element_bits["camera"] += 8 * opened_bytes
        estimate = sum(news.bits for news in told)
        for news in told:
            self.element_bits[news.kind] += 8 * (size_bytes - opened_bytes) * news.bits / estimate

    def _elements(self, told: Sequence[News]) -> list[Element]:
        """Return the elements of news, those last that not all receivers can read."""
        elements = [self._of_mosaic(element) for news in told for element in news.elements]
        return sorted(elements, key=lambda element: isinstance(element, CellElement) and element.base is not None)

    def _of_mosaic(self, element: Element) -> Element:
        return replace(element, mosaic=self._background.mosaic) if isinstance(element, CellElement) else element


def _texture_of(news: News, surfaces: Iterable[_Surface]) -> TextureEncoder | None:
    """Return what tells the texture of the object that news are about, if any does."""
    textures = (each for each in surfaces if isinstance(each, TextureEncoder))
    return next((each for each in textures if each.track_id == news.track_id), None)


def _of_objects(told: Sequence[News]) -> list[News]:
    return [news for news in told if news.track_id is not None]


def _of_light(told: Sequence[News]) -> list[News]:
    return [news for news in told if news.kind == "tone"]
