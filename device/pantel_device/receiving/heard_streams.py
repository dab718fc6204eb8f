"""The streams that a receiver draws: their scenes, who sends them, and which of them make room for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pantel_codec import MissingBase, Scene, SceneSyntax, apply_element
from pantel_device.receiving.line import Line
from pantel_device.receiving.sink import Event, SenderName
from pantel_device.rendering.renderer import Renderer, Rendering
from pantel_link import StreamContext, StreamStatistics
from pantel_models import View

__all__ = ["Contact", "HeardStream", "HeardStreams", "name_of"]

_MAX_STREAMS = 128  # as many as the link knows
_LINE_KEPT_NS = 30_000_000_000  # two introductions
_RENDERER_KEPT_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Contact:
    """When a sender was last heard.

    Attributes:
        sender: Who it is.
        heard_ns: Monotonic time at which its newest packet arrived.
        capture_time_ns: Capture time of its newest content; None while there is none.
        statistics: What was counted of its present stream; they begin anew when it starts again.
        port: Name of the port at which it is heard.
    """

    sender: SenderName
    heard_ns: int
    capture_time_ns: int | None
    statistics: StreamStatistics = field(default_factory=StreamStatistics)
    port: str = ""


@dataclass(slots=True, eq=False)
class HeardStream:
    """What a receiver keeps of one stream.

    Attributes:
        context: Of the stream.
        line: On which it is heard.
        scene: What is known of it.
        syntax: Reads its payloads; None while its model is not installed.
        make_renderer: Makes what draws it; None as above.
        heard_ns: When its newest packet arrived.
        capture_time_ns: Of the newest content; None while there is none.
        told: Whether anything but introductions has come.
        news: What is to be told of its beginning; None once that has been done.
        drawn_ns: When it was drawn last, by view.
        pictures: How many were drawn.
        payloads_damaged: Payloads that passed the checksum and could not be decoded.
    """

    context: StreamContext
    line: Line
    scene: Scene
    syntax: SceneSyntax | None = None
    make_renderer: Callable[[View], Renderer] | None = None
    heard_ns: int = 0
    capture_time_ns: int | None = None
    told: bool = False
    news: Event | None = None
    drawn_ns: dict[View, int] = field(default_factory=dict)
    pictures: int = 0
    payloads_damaged: int = 0
    _renderers: dict[View, Renderer] = field(default_factory=dict)
    _line_ns: int = 0

    def hear(self, line: Line, arrival_ns: int) -> None:
        """Note that a packet has come, and on which line.

        Of two lines that both hear the sender one is kept, so that what goes back to it keeps to one way.
        """
        self.heard_ns = max(self.heard_ns, arrival_ns)
        if line is self.line or arrival_ns - self._line_ns > _LINE_KEPT_NS:
            self.line, self._line_ns = line, arrival_ns

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

    def draw(self, view: View, now_ns: int, shown_ns: int) -> Rendering | None:
        """Return a picture; None while nothing is known, or the model that reads it is missing."""
        if self.make_renderer is None or self.capture_time_ns is None:
            return None
        if view not in self._renderers:
            self._renderers[view] = self.make_renderer(view)
        self.drawn_ns[view] = now_ns
        self.pictures += 1
        return self._renderers[view].draw(shown_ns)

    def forget(self, now_ns: int, shown_ns: int) -> None:
        """Let go of objects that have left, and of what draws the scene if nobody has wanted to see it for a minute."""
        self.scene.forget(shown_ns)
        for view in [view for view, drawn_ns in self.drawn_ns.items() if now_ns - drawn_ns > _RENDERER_KEPT_NS]:
            del self.drawn_ns[view]
            del self._renderers[view]


class HeardStreams:
    """The 128 streams heard last; those of which nothing but introductions has come make room first."""

    def __init__(self) -> None:
        self._streams: dict[StreamContext, HeardStream] = {}

    def __iter__(self) -> Iterator[HeardStream]:
        return iter(self._streams.values())

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, context: StreamContext) -> HeardStream | None:
        """Return a stream, from now on the one heard last; None if it is not known."""
        stream = self._streams.pop(context, None)
        if stream is not None:
            self._streams[context] = stream
        return stream

    def add(self, stream: HeardStream) -> None:
        """Take up a new stream, for which another may have to go."""
        if len(self._streams) >= _MAX_STREAMS:
            silent = (context for context, each in self._streams.items() if not each.told)
            del self._streams[next(silent, next(iter(self._streams)))]
        self._streams[stream.context] = stream

    def note_told(self, stream: HeardStream) -> None:
        """Note that a stream has told something: it takes the place of earlier starts of its sender.

        Its introduction alone, which anybody can forge, does not.
        """
        stream.told = True
        name = name_of(stream.context)
        for other in [each for each in self if each is not stream and name_of(each.context) == name]:
            del self._streams[other.context]

    def by_sender(self) -> dict[SenderName, HeardStream]:
        """Return the present stream of each sender: that which has told something, else the one heard last."""
        found: dict[SenderName, HeardStream] = {}
        for stream in sorted(self, key=lambda each: each.told):
            found[name_of(stream.context)] = stream
        return found


def name_of(context: StreamContext) -> SenderName:
    """Return by what people call the sender of a stream."""
    return SenderName(context.callsign, context.sender)
