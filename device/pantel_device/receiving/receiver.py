"""The receiver's core: octets in, pictures and events out. It owns no thread, no clock and no device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from pantel_codec import BitstreamError, MissingBase, Scene, SceneSyntax, apply_element
from pantel_device.receiving.alarms_in import AlarmsIn
from pantel_device.receiving.ground import Ground
from pantel_device.receiving.sink import Event, Picture, SenderName, Sink, Watcher
from pantel_device.receiving.still_receiver import StillReceiver
from pantel_device.rendering.renderer import Renderer, Rendering
from pantel_link import LinkReceiver, PacketError, PacketKind, Port, ReceivedPacket, StreamContext, StreamStatistics
from pantel_link.back_channel import Reply
from pantel_link.messages import Telemetry, TextAssembler, TextPart
from pantel_models import ManifestError, View, find_artefact, load_scene_codec

__all__ = ["PICTURE_INTERVAL_NS", "PLAYOUT_DELAY_NS", "Contact", "Receiver"]

PICTURE_INTERVAL_NS = 100_000_000
PLAYOUT_DELAY_NS = 1_500_000_000
_REPORT_INTERVAL_NS = 10_000_000_000
_READ_OCTETS = 4096
_READS_AT_ONCE = 4  # noise on a fast line must not keep the pictures waiting
_POLL_NS = 20_000_000
_MAX_STREAMS = 16
_REFUSAL_INTERVAL_NS = 1_000_000_000  # anybody can announce streams without end
# Beside the sender heard last so many pictures are drawn at a time, and of those that were never drawn, which takes
# longest, one: else a few packets that announce many large scenes would keep the receiver from its port for half a
# minute.
_MOST_OTHERS = 4


@dataclass(frozen=True, slots=True)
class Contact:
    """When a sender was last heard.

    Attributes:
        sender: Who it is.
        heard_ns: Monotonic time at which its newest packet arrived.
        capture_time_ns: Capture time of its newest content; None while there is none.
        statistics: What was counted of its present stream; they begin anew when it starts again.
    """

    sender: SenderName
    heard_ns: int
    capture_time_ns: int | None
    statistics: StreamStatistics = field(default_factory=StreamStatistics)


@dataclass(slots=True)
class _Stream:
    """What a receiver keeps of one stream; `syntax` is None while its model is not installed."""

    syntax: SceneSyntax | None
    scene: Scene
    make_renderer: Callable[[View], Renderer] | None
    renderers: dict[View, Renderer] = field(default_factory=dict)
    capture_time_ns: int | None = None  # of the newest content; None while there is none
    heard_ns: int = 0

    def take(self, syntax: SceneSyntax, payload: bytes, capture_time_ns: int) -> bool:
        """Apply what a payload tells; return whether all of it could be read.

        Raises:
            BitstreamError: It is damaged; the scene is as it was.
        """
        elements = syntax.read(payload, self.scene.background, self.scene.mosaics)
        for element in elements:
            apply_element(self.scene, element, capture_time_ns)
        self.capture_time_ns = max(self.capture_time_ns or 0, capture_time_ns)
        return not any(isinstance(element, MissingBase) for element in elements)

    def draw(self, view: View, shown_ns: int) -> Rendering | None:
        """Return a picture; None while nothing is known, or the model that reads it is missing."""
        if self.make_renderer is None or self.capture_time_ns is None:
            return None
        if view not in self.renderers:
            self.renderers[view] = self.make_renderer(view)
        return self.renderers[view].draw(shown_ns)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture that is taken, and by whom."""

    context: StreamContext
    stream: _Stream
    view: View
    takers: Sequence[Sink]


class Receiver:
    """Decodes all streams that are heard, and draws the one heard last and those that are watched.

    Where objects were at a time is shown a constant delay later, however long the news was on its way: so motion keeps
    its pace, and lies between known poses. The background is brought up to date at once; of an object's looks the one
    nearest in time is shown.

    Args:
        port: Where octets come from.
        link: Makes packets of them.
        sinks: Take pictures and events.
        interval_ns: Time between two pictures [ns].
        playout_delay_ns: Time from capture to show [ns].
        view: Who paints the background.
        stills: Takes stills; None: keeps them in memory.
        ground: Answers to masts; None for nobody.
        watchers: Take events, and the pictures that they ask for, of whichever sender.

    Attributes:
        link: The receiving half of the link, with its statistics.
        payloads_damaged: Payloads that passed the checksum and could not be decoded.
        payloads_cut: Scene payloads whose end refines cells that were lost before, and so could not be read.
    """

    def __init__(
        self,
        *,
        port: Port,
        link: LinkReceiver,
        sinks: Sequence[Sink],
        interval_ns: int = PICTURE_INTERVAL_NS,
        playout_delay_ns: int = PLAYOUT_DELAY_NS,
        view: View = View.FAITHFUL,
        stills: StillReceiver | None = None,
        ground: Ground | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self.link = link
        self.payloads_damaged = 0
        self.payloads_cut = 0
        self._port = port
        self._sinks = tuple(sinks)
        self._interval_ns = interval_ns
        self._playout_delay_ns = playout_delay_ns
        self._view = view
        self._stills = stills or StillReceiver()
        self._refused: set[StreamContext] = set()
        self._ground = ground
        self._watchers = tuple(watchers)
        self._texts = TextAssembler()
        self._alarms = AlarmsIn()
        self._streams: dict[StreamContext, _Stream] = {}
        self._heard_last: StreamContext | None = None
        self._next_picture_ns = self._next_refusal_ns = 0
        self._turn = 0
        self._next_report_ns: int | None = None

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """When each sender that is taken was last heard."""
        return tuple(
            Contact(
                _name_of(context),
                stream.heard_ns,
                stream.capture_time_ns,
                self.link.statistics_of(context) or StreamStatistics(),
            )
            for context, stream in self._streams.items()
        )

    def scene_of(self, sender: SenderName) -> Scene | None:
        """Return what is known of a sender's scene, not to be changed; None of one that is not heard."""
        found = [stream.scene for context, stream in self._streams.items() if _name_of(context) == sender]
        return found[-1] if found else None

    @property
    def heard_last(self) -> SenderName | None:
        """Who has told something of a scene last; None before anybody has."""
        return None if self._heard_last is None else _name_of(self._heard_last)

    def advance(self, now_ns: int) -> int:
        """Do all that is due and return when something will be due again.

        Args:
            now_ns: Monotonic time [ns], never less than before.

        Raises:
            PortGone: The port has disappeared.
        """
        if now_ns >= self._next_picture_ns:
            # A picture is of a multiple of the interval and knows what had been read before, so that a replay, which
            # has only the times of arrival, draws the same ones.
            due_ns = now_ns - now_ns % self._interval_ns
            self._show(due_ns)
            self._next_picture_ns = due_ns + self._interval_ns
        for _ in range(_READS_AT_ONCE):
            if not (octets := self._port.read(_READ_OCTETS)):
                break
            for received in self.link.receive_from(self._port, octets, now_ns):
                self._take(received, now_ns)
        self._tell_refused(now_ns)
        self._stills.advance(now_ns)
        for fields in () if self._ground is None else self._ground.advance(now_ns):
            self._emit(Event(now_ns, "command", fields))
        if self._next_report_ns is None or now_ns >= self._next_report_ns:
            if self._next_report_ns is not None:
                self._report(now_ns)
            self._next_report_ns = now_ns + _REPORT_INTERVAL_NS
        return min(self._next_picture_ns, now_ns + _POLL_NS)

    def _take(self, received: ReceivedPacket, now_ns: int) -> None:
        stream = self._stream(received.context, now_ns)
        stream.heard_ns = max(stream.heard_ns, received.arrival_ns)
        try:
            self._read(received, stream, now_ns)
        except (BitstreamError, PacketError):
            self.payloads_damaged += 1
        else:
            if self._ground is not None and stream.syntax is not None:
                self._ground.hear(received.context, received.packet.counter, now_ns)

    def _read(self, received: ReceivedPacket, stream: _Stream, now_ns: int) -> None:
        """Do what a packet says.

        Raises:
            BitstreamError: A scene payload is damaged.
            PacketError: Another payload makes no sense.
        """
        match received.packet.kind:
            case PacketKind.SCENE if stream.syntax is not None:
                whole = stream.take(stream.syntax, received.packet.payload, received.stamp_ns)
                self.payloads_cut += not whole
                self._heard_last = received.context
            case PacketKind.STILL:
                self._take_symbol(received, now_ns)
            case PacketKind.ALARM:
                alarm = self._alarms.take(received.context, received.packet.payload, received.stamp_ns, now_ns)
                if alarm is not None:
                    self._emit(Event(now_ns, "alarm", {**_who(received.context), **alarm.fields(now_ns)}))
            case PacketKind.TEXT:
                part = TextPart.from_payload(received.packet.payload)
                if (line := self._texts.take(received.context, part)) is not None:
                    self._emit(Event(now_ns, "text", {**_who(received.context), "text": line}))
            case PacketKind.REPLY if self._ground is not None:
                fields = self._ground.take(Reply.from_payload(received.packet.payload), received.context)
                if fields is not None:
                    self._emit(Event(now_ns, "command", fields))
            case PacketKind.TELEMETRY:
                telemetry = Telemetry.from_payload(received.packet.payload).known()
                self._emit(Event(now_ns, "telemetry", {**_who(received.context), **telemetry}))

    def _take_symbol(self, received: ReceivedPacket, now_ns: int) -> None:
        partial = self._stills.take(received.context, received.packet.payload, now_ns)
        if partial is None:
            return
        fields: dict[str, str | int | float | None] = {
            **_who(partial.context),
            "block": partial.block,
            "symbols": partial.symbols,
            "symbols_needed": partial.content_symbols,
            "utc_s": partial.utc_s,
        }
        self._emit(Event(now_ns, "still" if partial.complete else "still_grows", fields))

    def _tell_refused(self, now_ns: int) -> None:
        """Tell, once, of senders that are not taken, such as one with a key that is not here; one after the other."""
        if now_ns < self._next_refusal_ns:
            return
        self._refused.intersection_update(self.link.refused)
        for context, reason in self.link.refused.items():
            if context not in self._refused:
                self._refused.add(context)
                self._next_refusal_ns = now_ns + _REFUSAL_INTERVAL_NS
                fields: dict[str, str | int | float | None] = {
                    **_who(context),
                    "epoch": context.epoch,
                    "message": reason,
                }
                self._emit(Event(now_ns, "sender_refused", fields))
                return

    def _stream(self, context: StreamContext, now_ns: int) -> _Stream:
        """Return the stream of a context, begun when it is heard for the first time."""
        stream = self._streams.get(context)
        if stream is not None:
            self._streams[context] = self._streams.pop(context)  # heard last
        else:
            while len(self._streams) >= _MAX_STREAMS:
                del self._streams[next(iter(self._streams))]
            # A new epoch of the same sender takes the place of the old one.
            for old in [c for c in self._streams if c.sender == context.sender and c.callsign == context.callsign]:
                del self._streams[old]
            stream = self._streams[context] = self._begin(context, now_ns)
        return stream

    def _begin(self, context: StreamContext, now_ns: int) -> _Stream:
        """Announce a new stream and return its empty scene."""
        model = context.model_hash.hex()
        fields: dict[str, str | int | float | None] = {
            **_who(context),
            "epoch": context.epoch,
            "width_px": context.width_px,
            "height_px": context.height_px,
            "model": model,
        }
        try:
            artefact = find_artefact(hash_prefix=model)
            codec = load_scene_codec(artefact, view=self._view)
        except ManifestError as error:
            self._emit(Event(now_ns, "model_missing", fields | {"message": str(error)}))
            return _Stream(None, Scene(context.width_px, context.height_px, ()), None)
        self._emit(Event(now_ns, "sender_heard", fields))
        scene = Scene(context.width_px, context.height_px, codec.entropy.groups)
        syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, context.width_px, context.height_px)
        return _Stream(syntax, scene, lambda view: Renderer(load_scene_codec(artefact, view=view), scene))

    def _show(self, now_ns: int) -> None:
        """Draw what is taken; of others than the sender heard last in turns."""
        newest: list[_Wanted] = []
        others: list[_Wanted] = []
        for context, stream in self._streams.items():
            if stream.capture_time_ns is not None:
                takers = self._takers(context, now_ns - stream.capture_time_ns)
                wanted = newest if context == self._heard_last else others
                wanted += [_Wanted(context, stream, view, sinks) for view, sinks in takers.items()]
        turn = self._turn % max(len(others), 1)
        others = [*others[turn:], *others[:turn]][:_MOST_OTHERS]
        self._turn += len(others)
        begun = False
        for each in newest:
            self._draw(each, now_ns)
        for each in others:
            first = each.view not in each.stream.renderers
            if not (first and begun):
                self._draw(each, now_ns)
            begun |= first
        for stream in self._streams.values():
            stream.scene.forget(now_ns - self._playout_delay_ns)

    def _takers(self, context: StreamContext, silence_ns: int) -> dict[View, list[Sink]]:
        """Return who takes the pictures of a stream, by view."""
        heard_last = context == self._heard_last
        takers: dict[View, list[Sink]] = {self._view: [*self._sinks]} if heard_last and self._sinks else {}
        silence_s = max(silence_ns, 0) / 1e9
        for watcher in self._watchers:
            for view in watcher.views(_name_of(context), heard_last=heard_last, silence_s=silence_s):
                takers.setdefault(view, []).append(watcher)
        return takers

    def _draw(self, wanted: _Wanted, now_ns: int) -> None:
        stream = wanted.stream
        shown_ns = now_ns - self._playout_delay_ns
        rendering = stream.draw(wanted.view, shown_ns)
        if rendering is None or stream.capture_time_ns is None:
            return
        picture = Picture(
            time_ns=now_ns,
            shown_ns=shown_ns,
            capture_time_ns=stream.capture_time_ns,
            pixels=rendering.pixels,
            sender=_name_of(wanted.context),
            cell_age_s=rendering.cell_age_s,
            objects=rendering.objects,
            alarms=self._alarms.shown(wanted.context, now_ns),
            view=wanted.view,
        )
        for sink in wanted.takers:
            sink.on_picture(picture)

    def _report(self, now_ns: int) -> None:
        statistics = self.link.statistics
        fields = {
            "payloads_damaged": self.payloads_damaged,
            "payloads_cut": self.payloads_cut,
            "bit_error_rate": statistics.bit_error_rate,
            "packet_loss": statistics.packet_loss,
        }
        self._emit(Event(now_ns, "link_report", asdict(statistics) | fields))

    def _emit(self, event: Event) -> None:
        for sink in (*self._sinks, *self._watchers):
            sink.on_event(event)


def _name_of(context: StreamContext) -> SenderName:
    return SenderName(context.callsign, context.sender)


def _who(context: StreamContext) -> dict[str, str | int]:
    """Return the fields of an event that name its sender."""
    return {"callsign": context.callsign, "sender": context.sender}
