"""Sinks of plug-ins: one that fails is told of once, and given up if it goes on; the receiver does not end for it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol, cast

from pantel_device.command import UsageError, used_wrongly
from pantel_device.errors import SinkError
from pantel_device.receiving.sink import Event, Picture, SenderName, Sink, Watcher
from pantel_link import PluginError
from pantel_link.plugins import PLUGIN_FAILURES, Plugin, find_plugin, installed_plugins
from pantel_models import View

__all__ = ["PluginSink", "SinkFactory", "open_plugin_sinks"]

log = logging.getLogger(__name__)

_MOST_FAILURES = 10  # in a row: a second of pictures
_SLOW_S = 0.5  # ten pictures a second are drawn, and nothing is received meanwhile


class SinkFactory(Protocol):
    """What an entry point of the group ``pantel.sinks`` names, such as a class; its own name is the sink's."""

    def __call__(self, argument: str) -> Sink:
        """Open a sink, which may be a `Watcher`.

        Args:
            argument: What the user has written behind the sink's name and a colon; empty for nothing.

        Raises:
            SinkError: It cannot be used; the message is one line that says what to do.
        """
        ...


def open_plugin_sinks(names: Sequence[str], view: View, stack: ExitStack) -> list[Watcher]:
    """Open the sinks that a configuration names.

    Args:
        names: ``NAME`` or ``NAME:ARGUMENT``.
        view: In which those take pictures that do not say themselves which they want.
        stack: Closes them.

    Raises:
        UsageError: There is no such sink, or it refuses its argument.
        PluginError: A plug-in cannot be loaded, or fails.
    """
    opened: list[Watcher] = []
    for name in names:
        sink = _open(name, view)
        stack.callback(sink.close)
        opened.append(sink)
    return opened


def _open(text: str, view: View) -> PluginSink:
    name, _, argument = text.partition(":")
    plugin = find_plugin("sink", name)
    if plugin is None:
        known = ", ".join(plugin.name for plugin in installed_plugins("sink"))
        advice = f"installed are {known}" if known else "install the plug-in that brings it"
        raise UsageError(f"there is no sink {name!r}; {advice}")
    factory: SinkFactory = plugin.load()
    with used_wrongly(SinkError):
        try:
            sink = factory(argument)
        except SinkError:
            raise
        except PLUGIN_FAILURES as error:
            raise PluginError(plugin.blamed(error)) from error
    return PluginSink(sink, plugin, view)


class PluginSink:
    """Wraps the sink of a plug-in. Each call that raises is counted, and the first in a row of its kind is logged.

    After ten in a row of one kind, such as pictures, the sink is given up: it is not called any more, but to be closed.

    Args:
        sink: A sink, or a watcher.
        plugin: Who brings it.
        view: Of the pictures that a sink takes, which are those of the sender heard last.
        clock_s: Measures how long a call takes [s]; the first that takes too long is logged.

    Attributes:
        failures: How many calls have raised.
        dropped: Whether it has been given up.
    """

    def __init__(
        self, sink: Sink, plugin: Plugin, view: View, *, clock_s: Callable[[], float] = time.perf_counter
    ) -> None:
        self.failures = 0
        self.dropped = False
        self._sink = sink
        self._plugin = plugin
        self._view = view
        self._clock_s = clock_s
        self._in_a_row = Counter[str]()  # by what is called: a watcher is asked before each picture, and may answer
        self._is_slow = False

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:
        """Return the views that the watcher wants; of a sink, the receiver's of the sender heard last."""
        if self.dropped:
            return ()
        if not hasattr(self._sink, "views"):
            return (self._view,) if heard_last else ()
        with self._guarded("views"):
            asked = cast(Watcher, self._sink).views(sender, heard_last=heard_last, silence_s=silence_s)
            return [View(view) for view in asked]
        return ()

    def on_picture(self, picture: Picture) -> None:
        """Hand a picture on."""
        if not self.dropped:
            with self._guarded("on_picture"):
                self._sink.on_picture(picture)

    def on_event(self, event: Event) -> None:
        """Hand an event on."""
        if not self.dropped:
            with self._guarded("on_event"):
                self._sink.on_event(event)

    def close(self) -> None:
        """Close the sink, whatever has become of it."""
        with self._guarded("close"):
            self._sink.close()

    @contextmanager
    def _guarded(self, call: str) -> Iterator[None]:
        began_s = self._clock_s()
        try:
            yield
        except PLUGIN_FAILURES as error:  # whatever it is, the receiver goes on
            self._failed(call, error)
        else:
            self._in_a_row[call] = 0
        if not self._is_slow and (took_s := self._clock_s() - began_s) > _SLOW_S:
            self._is_slow = True
            log.warning("sink slow took_s=%.1f, in which nothing is received: %s", took_s, self._plugin)

    def _failed(self, call: str, error: BaseException) -> None:
        self.failures += 1
        self._in_a_row[call] += 1
        if self._in_a_row[call] == 1 and not self.dropped:
            log.error("sink failed failures=%d reason=%s; all else goes on", self.failures, self._plugin.blamed(error))
        if self._in_a_row[call] == _MOST_FAILURES and not self.dropped:
            self.dropped = True
            log.error(
                "sink given up failures=%d: %s; start the receiver again to try it again", self.failures, self._plugin
            )
