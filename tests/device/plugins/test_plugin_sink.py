"""Sinks that plug-ins bring: they take what the receiver hands on, and their failures are not its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from pantel_device.cli import main
from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig, load_config
from pantel_device.receiving.plugin_sink import PluginSink, open_plugin_sinks
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture, SenderName, Sink
from pantel_link import PluginError
from pantel_link.captures import read_capture
from pantel_link.plugins import find_plugin
from pantel_models import View

_SENDER = SenderName("N0CALL", 0)
_EVENT = Event(0, "text", {})


def _picture() -> Picture:
    return Picture(0, 0, 0, np.zeros((4, 6, 3), np.uint8), _SENDER, np.zeros((1, 1), np.float32))


def _wrapped(sink: Sink, clock_s: Iterator[float] | None = None) -> PluginSink:
    plugin = find_plugin("sink", "notes")
    assert plugin is not None
    times_s = clock_s or iter(lambda: 0.0, 1.0)
    return PluginSink(sink, plugin, View.FAITHFUL, clock_s=lambda: next(times_s))


class _Moody:
    """Raises at those calls whose numbers it is told, from 1 on."""

    def __init__(self, *fails_at: int) -> None:
        self.calls = 0
        self._fails_at = fails_at

    def on_picture(self, picture: Picture) -> None:
        del picture
        self.calls += 1
        if self.calls in self._fails_at:
            raise RuntimeError(f"call {self.calls}")

    def on_event(self, event: Event) -> None:
        del event

    def close(self) -> None:
        raise RuntimeError("stuck")


def test_a_sink_takes_the_pictures_of_the_sender_heard_last() -> None:
    sink = _wrapped(_Moody())
    assert sink.views(_SENDER, heard_last=True, silence_s=0) == (View.FAITHFUL,)
    assert sink.views(_SENDER, heard_last=False, silence_s=0) == ()


def test_a_watcher_says_itself_what_it_takes() -> None:
    with ExitStack() as stack:
        (sink,) = open_plugin_sinks(["picky:taken"], View.PERCEPTUAL, stack)
        assert sink.views(_SENDER, heard_last=False, silence_s=9) == [View.FAITHFUL]
        assert sink.views(SenderName("DK1AB", 0), heard_last=True, silence_s=0) == []


def test_failures_in_a_row_are_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    inner = _Moody(1, 2, 3, 5)
    sink = _wrapped(inner)
    for _ in range(6):
        sink.on_picture(_picture())
    assert (inner.calls, sink.failures, sink.dropped) == (6, 4, False)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" reason=")[0] for line in lines] == ["sink failed failures=1", "sink failed failures=4"]
    assert "the sink 'notes' of garden 1.0 failed (RuntimeError: call 1); report it to its makers; all else" in lines[0]


def test_one_that_goes_on_failing_is_given_up_and_closed(caplog: pytest.LogCaptureFixture) -> None:
    inner = _Moody(*range(1, 100))
    sink = _wrapped(inner)
    for _ in range(30):
        sink.on_picture(_picture())
        sink.on_event(_EVENT)  # which works, and changes nothing
    assert (inner.calls, sink.dropped) == (10, True)
    assert sink.views(_SENDER, heard_last=True, silence_s=0) == ()
    sink.close()
    given_up = [record.getMessage() for record in caplog.records if "given up" in record.getMessage()]
    assert given_up == [
        "sink given up failures=10: the sink 'notes' of garden 1.0; start the receiver again to try it again"
    ]


class _Fussy(_Moody):
    """Knows what it wants, and cannot take it."""

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:
        del sender, heard_last, silence_s
        return (View.FAITHFUL,)


def test_a_watcher_that_only_asks_without_failing_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    sink = _wrapped(_Fussy(*range(1, 100)))
    for _ in range(50):
        for _ in sink.views(_SENDER, heard_last=True, silence_s=0):
            sink.on_picture(_picture())
    assert (sink.failures, sink.dropped) == (10, True)
    assert len(caplog.records) == 2


class _Leaver(_Moody):
    """Wants to end the process."""

    def on_event(self, event: Event) -> None:
        del event
        sys.exit("bye")


def test_one_that_wants_to_end_the_process_fails(caplog: pytest.LogCaptureFixture) -> None:
    _wrapped(_Leaver()).on_event(_EVENT)
    assert "the sink 'notes' of garden 1.0 failed (SystemExit: bye); report it to its makers" in caplog.text


def test_one_that_is_slow_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    sink = _wrapped(_Moody(), iter([0.0, 0.4, 1.0, 1.6, 2.0, 2.9, 3.0, 4.0]))
    for _ in range(3):
        sink.on_picture(_picture())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "sink slow took_s=0.6, in which nothing is received: the sink 'notes' of garden 1.0"


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("tape:1", UsageError, "there is no sink 'tape'; installed are grumpy, noimport, notes, picky"),
        ("notes", UsageError, "the sink notes needs a file: write notes:FILE"),
        ("notes:odd", PluginError, r"the sink 'notes' of garden 1\.0 failed \(IndexError: odd\); report it"),
        ("notes:exit", PluginError, r"the sink 'notes' of garden 1\.0 failed \(SystemExit: bye\); report it"),
        ("noimport", PluginError, r"the sink 'noimport' of no-import 1\.0 cannot be loaded \(ModuleNotFoundError"),
    ],
)
def test_one_that_cannot_be_opened(name: str, kind: type[Exception], line: str) -> None:
    with ExitStack() as stack, pytest.raises(kind, match=line):
        open_plugin_sinks(["grumpy", name], View.FAITHFUL, stack)


def test_the_others_get_everything_while_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    capture = Path(__file__).parents[2] / "captures" / "scene.pcapng"
    with ExitStack() as stack:
        opened = open_plugin_sinks(["grumpy", "notes:taken.json"], View.FAITHFUL, stack)
        (run,) = replay(read_capture(capture), opened)
    assert run.statistics.packets_good > 20
    lines = json.loads(Path("taken.json").read_text())
    assert len([line for line in lines if line[0] == "picture"]) > 80
    assert ["event", "sender_heard"] in lines
    said = [record.getMessage() for record in caplog.records if record.name.endswith("plugin_sink")]
    assert [line.partition(" failures")[0] for line in said] == ["sink failed", "sink given up"]


@pytest.mark.parametrize(
    ("sinks", "code", "line"),
    [
        ("tape", 2, "pantel: error: there is no sink 'tape'; installed are grumpy, noimport, notes, picky"),
        ("noimport", 1, "pantel: error: the sink 'noimport' of no-import 1.0 cannot be loaded (ModuleNotFoundError: "),
        ("grumpy,notes:taken.json", 0, ""),
    ],
)
def test_a_receiver_with_sinks(
    sinks: str, code: int, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    quiet = ["--port", "pty:", "--web", "", "--events", "", "--picture", "", "--log-level", "warning"]
    assert main(["receive", *quiet, "--seconds", "0.3", "--sinks", sinks]) == code
    said = [error for error in capsys.readouterr().err.splitlines() if error.startswith("pantel: error: ")]
    assert len(said) == (code != 0)
    assert all(error.startswith(line) for error in said)
    assert Path("taken.json").exists() == (code == 0)


def test_how_sinks_are_written() -> None:
    assert load_config(ReceiverConfig, None, {"sinks": "notes:a.json, grumpy"}).sinks == ("notes:a.json", "grumpy")
    assert load_config(ReceiverConfig, None, {}).sinks == ()
    with pytest.raises(UsageError, match="--sinks cannot be ':x': write names of plug-ins as NAME or NAME:ARGUMENT"):
        load_config(ReceiverConfig, None, {"sinks": ":x"})
