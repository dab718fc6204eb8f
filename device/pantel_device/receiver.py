"""The receiver's core: octets in, pictures and events out. It owns no thread, no clock and no device."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from pantel_codec import BitstreamError, Element, Scene, SceneSyntax, apply_element
from pantel_device.renderer import Renderer
from pantel_device.sink import Event, Picture, Sink
from pantel_link import LinkReceiver, PacketKind, Port, ReceivedPacket, StreamContext
from pantel_models import ManifestError, find_artefact, load_scene_codec

__all__ = ["PICTURE_INTERVAL_NS", "PLAYOUT_DELAY_NS", "Receiver"]

PICTURE_INTERVAL_NS = 100_000_000
PLAYOUT_DELAY_NS = 1_500_000_000
_REPORT_INTERVAL_NS = 10_000_000_000
_READ_OCTETS = 4096
_POLL_NS = 20_000_000


@dataclass(slots=True)
class _Stream:
    """What a receiver keeps of one stream; `syntax` is None while its model is not installed."""

    syntax: SceneSyntax | None
    scene: Scene
    renderer: Renderer | None
    capture_time_ns: int = 0  # of the newest content on show
    waiting: list[tuple[int, int, list[Element]]] = field(default_factory=list)  # heap by capture time
    packets: int = 0  # breaks ties in the heap

    def hold(self, capture_time_ns: int, elements: list[Element]) -> None:
        """Keep the elements of a packet until their time to be shown."""
        self.packets += 1
        heapq.heappush(self.waiting, (capture_time_ns, self.packets, elements))

    def show(self, captured_until_ns: int) -> None:
        """Apply all elements that were captured until then."""
        while self.waiting and self.waiting[0][0] <= captured_until_ns:
            capture_time_ns, _, elements = heapq.heappop(self.waiting)
            for element in elements:
                apply_element(self.scene, element, capture_time_ns)
            self.capture_time_ns = max(self.capture_time_ns, capture_time_ns)


class Receiver:
    """Decodes all streams that are heard and draws the one heard last.

    What was captured at a time is shown a constant delay later, however long it was on its way, so that motion keeps
    its pace. What arrives later than that is shown at once.

    Attributes:
        link: The receiving half of the link, with its statistics.
        payloads_damaged: Scene payloads that passed the checksum and could not be decoded.
    """

    def __init__(
        self,
        *,
        port: Port,
        link: LinkReceiver,
        sinks: Sequence[Sink],
        interval_ns: int = PICTURE_INTERVAL_NS,
        playout_delay_ns: int = PLAYOUT_DELAY_NS,
    ) -> None:
        self.link = link
        self.payloads_damaged = 0
        self._port = port
        self._sinks = tuple(sinks)
        self._interval_ns = interval_ns
        self._playout_delay_ns = playout_delay_ns
        self._streams: dict[StreamContext, _Stream] = {}
        self._shown: StreamContext | None = None
        self._next_picture_ns = 0
        self._next_report_ns: int | None = None

    def advance(self, now_ns: int) -> int:
        """Do all that is due and return when something will be due again.

        Args:
            now_ns: Monotonic time [ns], never less than before.

        Raises:
            PortGone: The port has disappeared.
        """
        while octets := self._port.read(_READ_OCTETS):
            for received in self.link.receive(octets, now_ns):
                self._take(received, now_ns)
        if now_ns >= self._next_picture_ns:
            self._show(now_ns)
            self._next_picture_ns = now_ns + self._interval_ns
        if self._next_report_ns is None or now_ns >= self._next_report_ns:
            if self._next_report_ns is not None:
                self._report(now_ns)
            self._next_report_ns = now_ns + _REPORT_INTERVAL_NS
        return min(self._next_picture_ns, now_ns + _POLL_NS)

    def _take(self, received: ReceivedPacket, now_ns: int) -> None:
        stream = self._stream(received.context, now_ns)
        if received.packet.kind is not PacketKind.SCENE or stream.syntax is None:
            return
        try:
            stream.hold(received.capture_time_ns, stream.syntax.read(received.packet.payload))
        except BitstreamError:
            self.payloads_damaged += 1
            return
        self._shown = received.context

    def _stream(self, context: StreamContext, now_ns: int) -> _Stream:
        """Return the stream of a context, begun when it is heard for the first time."""
        stream = self._streams.get(context)
        if stream is None:
            # A new epoch of the same sender takes the place of the old one.
            for old in [c for c in self._streams if c.sender == context.sender and c.callsign == context.callsign]:
                del self._streams[old]
            stream = self._streams[context] = self._begin(context, now_ns)
        return stream

    def _begin(self, context: StreamContext, now_ns: int) -> _Stream:
        """Announce a new stream and return its empty scene."""
        model = context.model_hash.hex()
        fields: dict[str, str | int | float | None] = {
            "callsign": context.callsign,
            "sender": context.sender,
            "epoch": context.epoch,
            "width_px": context.width_px,
            "height_px": context.height_px,
            "model": model,
        }
        try:
            codec = load_scene_codec(find_artefact(hash_prefix=model))
        except ManifestError as error:
            self._emit(Event(now_ns, "model_missing", fields | {"message": str(error)}))
            return _Stream(None, Scene(context.width_px, context.height_px, ()), None)
        self._emit(Event(now_ns, "sender_heard", fields))
        scene = Scene(context.width_px, context.height_px, codec.entropy.groups)
        syntax = SceneSyntax(codec.entropy, context.width_px, context.height_px)
        return _Stream(syntax, scene, Renderer(codec, scene))

    def _show(self, now_ns: int) -> None:
        if self._shown is None or (stream := self._streams.get(self._shown)) is None:
            return
        stream.show(now_ns - self._playout_delay_ns)
        if stream.renderer is None or not stream.renderer.changed:
            return
        picture = Picture(now_ns, stream.capture_time_ns, stream.renderer.draw(), self._shown.callsign)
        for sink in self._sinks:
            sink.on_picture(picture)

    def _report(self, now_ns: int) -> None:
        statistics = self.link.statistics
        fields = {
            "payloads_damaged": self.payloads_damaged,
            "bit_error_rate": statistics.bit_error_rate,
            "packet_loss": statistics.packet_loss,
        }
        self._emit(Event(now_ns, "link_report", asdict(statistics) | fields))

    def _emit(self, event: Event) -> None:
        for sink in self._sinks:
            sink.on_event(event)
