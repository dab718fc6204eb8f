"""The sketch: tells nothing but contours, the cheapest useful picture, and keeps quiet when there is little to tell."""

from __future__ import annotations

from collections import defaultdict

from pantel_codec import ContourElement, SceneSyntax
from pantel_device.frame import Observation
from pantel_device.observer import ContourFinder
from pantel_device.observer.zones import interest_weights
from pantel_device.scene_encoding.contours.contour_encoder import ContourEncoder
from pantel_device.scene_encoding.contours.line_news import LineNews
from pantel_device.scene_encoding.contours.line_view import LineView
from pantel_device.scene_encoding.contours.outline_encoder import OutlineEncoder
from pantel_device.scene_encoding.offers import Offer
from pantel_device.scene_encoding.scene_encoder import SceneEncoderSettings
from pantel_link.back_channel import Acknowledge, Region
from pantel_models import SceneCodec, contour_map

__all__ = ["SKETCH_BELOW_BPS", "SketchEncoder"]

SKETCH_BELOW_BPS = 200
"""Lines slower than this carry no picture in a useful time: a first one would take a quarter of a minute and more."""

_WORTH_A_PACKET_PX = 30.0  # of line that a payload must put right
_QUIET_NS = 400_000_000  # at least: a sender asks at every frame, and looking takes time
_NEARLY_TOLD_PX = 150.0  # less than that to put right in the background, and weaker contours are worth more


class SketchEncoder:
    """Turns observations into payloads of contours.

    As in a `SceneEncoder`, what brings most per bit comes first. A payload that brings too little is not sent at all: a
    drawing that is told needs no air.

    Attributes:
        element_bits: Bits written so far of each kind of element: `contours`, `outlines`, `poses`, `farewells`.
    """

    def __init__(
        self,
        codec: SceneCodec,
        size_px: tuple[int, int],
        settings: SceneEncoderSettings | None = None,
        find_contours: ContourFinder = contour_map,
    ) -> None:
        """Start with a receiver that knows nothing.

        Args:
            codec: Of the artefact.
            size_px: Width and height of the picture.
            settings: What the operator decided; `roi_weight` does not matter.
            find_contours: Says where contours are.
        """
        settings = settings or SceneEncoderSettings()
        loss, refresh_s = settings.assumed_loss, settings.refresh_s
        weights = interest_weights(settings.zones, size_px)
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, *size_px)
        self._find_contours = find_contours
        self._contours = ContourEncoder(
            size_px, loss=loss, refresh_s=refresh_s, pixel_weights=weights, find_contours=find_contours
        )
        self._outlines = OutlineEncoder(size_px, loss=loss, refresh_s=refresh_s)
        self._quiet_until_ns: int | None = None
        self.element_bits: defaultdict[str, float] = defaultdict(float)

    def unhurried(self, *, calm: bool) -> bool:  # noqa: ARG002
        """Return False: lines take short packets."""
        return False

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        """Return the payload of at most `capacity_bytes` that helps the receiver most now; nothing if little would.

        Args:
            observation: The newest frame and what matters in it, of the size the encoder was made for.
            capacity_bytes: Room in the packet; 16 at least.
            stamp_ns: Time stamp of the packet, on the clock of the frames.
        """
        if self._quiet_until_ns is not None and stamp_ns < self._quiet_until_ns:
            return b""
        self._contours.open(observation.background)
        view = LineView(observation, stamp_ns, self._contours.strength, self._find_contours)
        self._contours.look(view.background)
        told, payload = self._most_worth(view, capacity_bytes)
        if sum(news.gain_px for news in told) < _WORTH_A_PACKET_PX and not any(news.overdue for news in told):
            self._quiet_until_ns = stamp_ns + _QUIET_NS
            return b""
        for news in told:
            self.element_bits[news.kind] += news.bits
            if news.track_id is not None:
                self._outlines.sent(news, stamp_ns)
            for element in news.elements:
                if isinstance(element, ContourElement):
                    self._contours.sent(element, stamp_ns)
        return payload

    def submitted(self, counter: int) -> None:
        """Keep no account: contours are told by an assumed loss."""

    def acknowledged(self, acknowledge: Acknowledge) -> None:
        """Ignore it."""

    def watch(self, region: Region, until_ns: int) -> bool:  # noqa: ARG002 - as all encoders
        """Refuse: a sketch is told alike everywhere."""
        return False

    def _most_worth(self, view: LineView, capacity_bytes: int) -> tuple[list[LineNews], bytes]:
        """Return what is worth most per bit, one after the other as long as it fits, and the payload."""
        told: list[LineNews] = []
        payload = b""
        candidates = self._outlines.news(view, self._contours.shown, 8.0 * capacity_bytes)
        contours = self._contours.news(view.stamp_ns, 8.0 * capacity_bytes)
        if contours is None or contours.gain_px < _NEARLY_TOLD_PX:
            self._contours.relax()  # from the next payload on
        while True:
            room_bits = 8.0 * (capacity_bytes - len(payload))
            offers = [Offer.of(news, told) for news in (*candidates, contours) if news is not None]
            fitting = [offer for offer in offers if offer.worth > 0 and offer.bits <= room_bits]
            best = max(fitting, key=lambda offer: offer.worth, default=None)
            if best is None:
                return told, payload
            longer = self._syntax.write(element for news in best.told for element in news.elements)
            if len(longer) <= capacity_bytes:
                told, payload = best.told, longer
            candidates = [news for news in candidates if news is not best.news]
            if best.news is contours:
                contours = None  # one rectangle is enough: the next would rest on an error that is not that any more
            elif contours is not None:
                contours = self._contours.news(view.stamp_ns, 8.0 * (capacity_bytes - len(payload)))
