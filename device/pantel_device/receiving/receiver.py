"""The receiver's core: octets in, pictures and events out. It owns no thread, no clock and no device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from pantel_codec import BitstreamError, Scene, SceneSyntax
from pantel_device.receiving.alarms_in import AlarmsIn
from pantel_device.receiving.ground import Fields, Ground
from pantel_device.receiving.heard_streams import Contact, HeardStream, HeardStreams, name_of
from pantel_device.receiving.line import Line
from pantel_device.receiving.sink import Event, Picture, SenderName, Sink, Watcher
from pantel_device.receiving.still_receiver import StillReceiver
from pantel_device.receiving.turns import Turns, Wanted
from pantel_device.rendering.renderer import Renderer
from pantel_link import LinkReceiver, PacketError, PacketKind, Port, ReceivedPacket, StreamContext, StreamStatistics
from pantel_link.back_channel import Reply
from pantel_link.messages import Telemetry, TextAssembler, TextPart
from pantel_models import ManifestError, View, find_artefact, load_scene_codec

__all__ = ["PICTURE_INTERVAL_NS", "PLAYOUT_DELAY_NS", "Contact", "Receiver"]

PICTURE_INTERVAL_NS = 100_000_000
PLAYOUT_DELAY_NS = 1_500_000_000
_REPORT_INTERVAL_NS = 10_000_000_000
_POLL_NS = 20_000_000
_STRANGER_INTERVAL_NS = 1_000_000_000  # anybody can announce streams without end


class Receiver:
    """Decodes all streams that are heard, and draws the one heard last and those that are watched.

    Where objects were at a time is shown a constant delay later, however long the news was on its way: so motion keeps
    its pace, and lies between known poses. The background is brought up to date at once; of an object's looks the one
    nearest in time is shown.

    Args:
        port: Where octets come from.
        link: Makes packets of them.
        further: More lines; their links share the streams of the first one.
        sinks: Take pictures and events.
        interval_ns: Time between two pictures [ns].
        playout_delay_ns: Time from capture to show [ns].
        view: Who paints the background.
        stills: Takes stills; None: keeps them in memory.
        ground: Answers to masts; None for nobody.
        watchers: Take events, and the pictures that they ask for, of whichever sender.

    Attributes:
        link: The receiving half of the link; of several lines that of the first one, which knows the streams of all.
        lines: All lines, each with its statistics.
    """

    def __init__(
        self,
        *,
        port: Port,
        link: LinkReceiver,
        further: Sequence[Line] = (),
        sinks: Sequence[Sink],
        interval_ns: int = PICTURE_INTERVAL_NS,
        playout_delay_ns: int = PLAYOUT_DELAY_NS,
        view: View = View.FAITHFUL,
        stills: StillReceiver | None = None,
        ground: Ground | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self.link = link
        self.lines = (Line.of(port, link), *further)
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
        self._streams = HeardStreams()
        self._heard_last: StreamContext | None = None
        self._turns = Turns()
        self._next_picture_ns = self._next_refusal_ns = self._next_newcomer_ns = 0
        self._next_report_ns: int | None = None

    @property
    def payloads_damaged(self) -> int:
        """Payloads of all lines that passed the checksum and could not be decoded."""
        return sum(line.payloads_damaged for line in self.lines)

    @property
    def payloads_cut(self) -> int:
        """Scene payloads of all lines whose end refines cells that were lost before, and so could not be read."""
        return sum(line.payloads_cut for line in self.lines)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """When each sender that is taken was last heard."""
        return tuple(
            Contact(name, stream.heard_ns, stream.capture_time_ns, self._statistics_of(stream), stream.line.name)
            for name, stream in self._streams.by_sender().items()
        )

    def scene_of(self, sender: SenderName) -> Scene | None:
        """Return what is known of a sender's scene, not to be changed; None of one that is not heard."""
        stream = self._streams.by_sender().get(sender)
        return None if stream is None else stream.scene

    @property
    def heard_last(self) -> SenderName | None:
        """Who has told something of a scene last; None before anybody has."""
        return None if self._heard_last is None else name_of(self._heard_last)

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
            self._turns.note(late=now_ns - self._next_picture_ns > self._interval_ns // 2)
            self._show(due_ns)
            self._next_picture_ns = due_ns + self._interval_ns
        for line in self.lines:
            for received in line.receive(now_ns):
                self._take(received, line, now_ns)
        self._tell_newcomers(now_ns)
        self._tell_refused(now_ns)
        self._stills.advance(now_ns)
        for fields in () if self._ground is None else self._ground.advance(now_ns):
            self._emit(Event(now_ns, "command", fields))
        if self._next_report_ns is None or now_ns >= self._next_report_ns:
            if self._next_report_ns is not None:
                self._report(now_ns)
            self._next_report_ns = now_ns + _REPORT_INTERVAL_NS
        return min(self._next_picture_ns, now_ns + _POLL_NS)

    def _take(self, received: ReceivedPacket, line: Line, now_ns: int) -> None:
        stream = self._streams.get(received.context) or self._begin(received.context, line, now_ns)
        stream.hear(line, received.arrival_ns)
        if received.packet.kind is not PacketKind.IDENT:
            self._streams.note_told(stream)
            self._announce(stream, now_ns)
        try:
            whole = self._read(received, stream, now_ns)
        except (BitstreamError, PacketError):
            line.payloads_damaged += 1
            stream.payloads_damaged += 1
        else:
            line.payloads_cut += not whole
            if self._ground is not None and stream.syntax is not None:
                self._ground.hear(received.context, received.packet.counter, now_ns)
        if self._ground is not None and stream.line.port is not None:
            self._ground.route(received.context, stream.line.port)

    def _read(self, received: ReceivedPacket, stream: HeardStream, now_ns: int) -> bool:
        """Do what a packet says; return whether all of it could be read.

        Raises:
            BitstreamError: A scene payload is damaged.
            PacketError: Another payload makes no sense.
        """
        match received.packet.kind:
            case PacketKind.SCENE if stream.syntax is not None:
                whole = stream.take(stream.syntax, received.packet.payload, received.stamp_ns)
                self._heard_last = received.context
                return whole
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
        return True

    def _take_symbol(self, received: ReceivedPacket, now_ns: int) -> None:
        partial = self._stills.take(received.context, received.packet.payload, now_ns)
        if partial is None:
            return
        fields: Fields = {
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
                self._next_refusal_ns = now_ns + _STRANGER_INTERVAL_NS
                fields: Fields = {
                    **_who(context),
                    "epoch": context.epoch,
                    "message": reason,
                }
                self._emit(Event(now_ns, "sender_refused", fields))
                return

    def _tell_newcomers(self, now_ns: int) -> None:
        """Tell of streams of which only introductions have come, one after the other; who tells more need not wait."""
        if now_ns < self._next_newcomer_ns:
            return
        stream = next((stream for stream in self._streams if stream.news is not None), None)
        if stream is not None:
            self._next_newcomer_ns = now_ns + _STRANGER_INTERVAL_NS
            self._announce(stream, now_ns)

    def _announce(self, stream: HeardStream, now_ns: int) -> None:
        if stream.news is not None:
            self._emit(replace(stream.news, time_ns=now_ns))
            stream.news = None

    def _begin(self, context: StreamContext, line: Line, now_ns: int) -> HeardStream:
        """Take up a new stream and return it, with its empty scene."""
        stream = self._new_stream(context, line, now_ns)
        self._streams.add(stream)
        return stream

    def _new_stream(self, context: StreamContext, line: Line, now_ns: int) -> HeardStream:
        model = context.model_hash.hex()
        fields: Fields = {
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
            news = Event(now_ns, "model_missing", fields | {"message": str(error)})
            return HeardStream(context, line, Scene(context.width_px, context.height_px, ()), news=news)
        scene = Scene(context.width_px, context.height_px, codec.entropy.groups)
        syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, context.width_px, context.height_px)
        return HeardStream(
            context,
            line,
            scene,
            syntax,
            lambda view: Renderer(load_scene_codec(artefact, view=view), scene),
            news=Event(now_ns, "sender_heard", fields),
        )

    def _show(self, now_ns: int) -> None:
        """Draw what is taken; of others than the sender heard last in turns."""
        newest: list[Wanted] = []
        others: list[Wanted] = []
        for stream in self._streams:
            if stream.capture_time_ns is not None:
                takers = self._takers(stream.context, now_ns - stream.capture_time_ns)
                wanted = newest if stream.context == self._heard_last else others
                wanted += [Wanted(stream, view, sinks) for view, sinks in takers.items()]
        for each in (*newest, *self._turns.choose(others)):
            self._draw(each, now_ns)
        for stream in self._streams:
            stream.forget(now_ns, now_ns - self._playout_delay_ns)

    def _takers(self, context: StreamContext, silence_ns: int) -> dict[View, list[Sink]]:
        """Return who takes the pictures of a stream, by view."""
        heard_last = context == self._heard_last
        takers: dict[View, list[Sink]] = {self._view: [*self._sinks]} if heard_last and self._sinks else {}
        silence_s = max(silence_ns, 0) / 1e9
        for watcher in self._watchers:
            for view in watcher.views(name_of(context), heard_last=heard_last, silence_s=silence_s):
                takers.setdefault(view, []).append(watcher)
        return takers

    def _draw(self, wanted: Wanted, now_ns: int) -> None:
        stream = wanted.stream
        shown_ns = now_ns - self._playout_delay_ns
        rendering = stream.draw(wanted.view, now_ns, shown_ns)
        if rendering is None or stream.capture_time_ns is None:
            return
        picture = Picture(
            time_ns=now_ns,
            shown_ns=shown_ns,
            capture_time_ns=stream.capture_time_ns,
            pixels=rendering.pixels,
            sender=name_of(stream.context),
            cell_age_s=rendering.cell_age_s,
            objects=rendering.objects,
            alarms=self._alarms.shown(stream.context, now_ns),
            view=wanted.view,
        )
        for sink in wanted.takers:
            sink.on_picture(picture)

    def _report(self, now_ns: int) -> None:
        """Tell how each line is, and each sender."""
        for line in self.lines:
            statistics = line.statistics
            fields: Fields = {
                "payloads_damaged": line.payloads_damaged,
                "payloads_cut": line.payloads_cut,
                "bit_error_rate": statistics.bit_error_rate,
                "packet_loss": statistics.packet_loss,
                "port": line.name,
            }
            self._emit(Event(now_ns, "link_report", asdict(statistics) | fields))
        for stream in self._streams.by_sender().values():
            self._emit(Event(now_ns, "sender_report", self._sender_report(stream, now_ns)))

    def _sender_report(self, stream: HeardStream, now_ns: int) -> Fields:
        statistics = self._statistics_of(stream)
        content_ns = stream.capture_time_ns
        return {
            **_who(stream.context),
            "port": stream.line.name,
            "packets_good": statistics.packets_good,
            "packets_lost": statistics.packets_lost,
            "packets_duplicate": statistics.packets_duplicate,
            "bit_error_rate": statistics.bit_error_rate,
            "packet_loss": statistics.packet_loss,
            "payloads_damaged": stream.payloads_damaged,
            "pictures": stream.pictures,
            "heard_age_s": round((now_ns - stream.heard_ns) / 1e9, 1),
            "content_age_s": None if content_ns is None else round((now_ns - content_ns) / 1e9, 1),
        }

    def _statistics_of(self, stream: HeardStream) -> StreamStatistics:
        return self.link.statistics_of(stream.context) or StreamStatistics()

    def _emit(self, event: Event) -> None:
        for sink in (*self._sinks, *self._watchers):
            sink.on_event(event)


def _who(context: StreamContext) -> dict[str, str | int]:
    """Return the fields of an event that name its sender."""
    return {"callsign": context.callsign, "sender": context.sender}
