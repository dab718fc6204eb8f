"""The command line: how commands are found, and that every failure is one line with the right exit code."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pantel_codec import BitstreamError
from pantel_device import cli
from pantel_device.command import Command, CommandError, UsageError, used_wrongly
from pantel_device.errors import CameraError, CameraNameError
from pantel_link import PortGone
from pantel_link.plugins import PLUGIN_FAILURES
from pantel_models import ManifestError

_PANTEL = Path(sys.executable).with_name("pantel")


class _Point:
    """An entry point that was never installed."""

    def __init__(self, name: str, load: Callable[[], Command]) -> None:
        self.name = name
        self.dist = None
        self.loaded = 0
        self._load = load

    def load(self) -> Command:
        self.loaded += 1
        return self._load()


def _unfit() -> Command:
    sys.exit("not on this machine")


def _install(monkeypatch: pytest.MonkeyPatch, *points: _Point) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group: points if group == "pantel.commands" else ())


def _raising(error: BaseException) -> _Point:
    def run(_: argparse.Namespace) -> int:
        raise error

    return _Point("work", lambda: Command("work", "work hard", lambda _: None, run))


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in ("send", "receive", "encode", "decode", "models", "bench", "demo"):
        assert f"    {name} " in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pantel ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["telegraph"], "invalid choice: 'telegraph'"),
        (["encode"], "the following arguments are required: IN, OUT"),
        (["encode", "--speed", "5", "a", "b"], "unrecognized arguments: --speed b; see pantel encode --help"),
        (["ask", "still", "--to", "K1ABC"], "unrecognized arguments: --to K1ABC; see pantel ask still --help"),
        (["--to", "ask", "still"], "unrecognized arguments: --to; see pantel --help"),
        (["encode", "--log-level", "loud", "a", "b"], "argument --log-level: invalid choice: 'loud'"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    _assert_one_line(capsys.readouterr().err, said)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such thing; name another"), 2, "no such thing; name another"),
        (CommandError("went wrong; try again"), 1, "went wrong; try again"),
        (CameraError("no camera\nat all"), 1, "no camera at all"),
        (PortGone("port gone"), 1, "port gone"),
        (ManifestError("no model"), 1, "no model"),
        (BitstreamError("damaged"), 1, "damaged"),
        (OSError(28, "No space left on device", "out.png"), 1, "out.png: No space left on device"),
        (OSError("odd"), 1, "odd"),
        (RuntimeError("a bug"), 1, "internal error, RuntimeError: a bug; run it again with --debug"),
    ],
)
def test_failures_are_one_line(
    error: Exception, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _install(monkeypatch, _raising(error))
    assert cli.main(["work"]) == code
    _assert_one_line(capsys.readouterr().err, said)


def test_a_name_that_cannot_be_is_wrong_use() -> None:
    with pytest.raises(UsageError, match=r"^no camera; name another$"), used_wrongly(CameraNameError):
        raise CameraNameError("no camera; name another")
    with pytest.raises(CameraError, match=r"^unplugged$"), used_wrongly(CameraNameError):
        raise CameraError("unplugged")


@pytest.mark.parametrize("argv", [["--debug", "work"], ["work", "--debug"]])
def test_debug_shows_where_an_error_comes_from(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _raising(CommandError("went wrong")))
    with pytest.raises(CommandError):
        cli.main(argv)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_interruptions_are_silent(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _install(monkeypatch, _raising(error))
    assert cli.main(["work"]) == code
    assert capsys.readouterr().err == ""


def test_only_the_command_that_runs_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _Point("one", lambda: Command("one", "first", lambda _: None, lambda _: 7))
    two = _Point("two", lambda: Command("two", "second", lambda _: None, lambda _: 8))
    _install(monkeypatch, one, two)
    assert cli.main(["--log-level=debug", "one"]) == 7
    assert (one.loaded, two.loaded) == (1, 0)


def test_a_command_that_cannot_be_imported_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> Command:
        raise ImportError("No module named 'matplotlib'")

    _install(monkeypatch, _Point("plot", load))
    assert cli.main(["plot", "--json", "out.json", "more"]) == 1
    _assert_one_line(capsys.readouterr().err, "the command plot cannot be loaded: No module named 'matplotlib'")
    assert cli.main(["--help"]) == 0
    assert "cannot be loaded" in capsys.readouterr().out


def test_the_installed_program_reports_bad_use() -> None:
    done = _run_installed(_PANTEL, "encode", "nothing.png", "nothing.txt.png")
    assert done.returncode == 2
    _assert_one_line(done.stderr, "would hold a .ptl file")


def test_the_installed_program_ends_silently_when_nobody_reads() -> None:
    command = f"{_PANTEL} models list | true; exit ${{PIPESTATUS[0]}}"
    done = _run_installed("bash", "-c", command)
    assert done.returncode in {0, 141}  # 0 when the pipe took it all before its end was closed
    assert done.stderr == ""


def _run_installed(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True)


def _assert_one_line(shown: str, said: str) -> None:
    assert shown.startswith("pantel: error: ")
    assert shown.count("\n") == 1
    assert said in shown


def test_sigterm_unwinds_a_command_so_that_nothing_half_done_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = []

    def run(_: argparse.Namespace) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    _install(monkeypatch, _Point("work", lambda: Command("work", "work hard", lambda _: None, run)))
    assert cli.main(["work"]) == 143
    assert cleaned
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_ends_by_a_text_says_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _install(monkeypatch, _raising(SystemExit("bye\nthen")))
    assert cli.main(["work"]) == 1
    _assert_one_line(capsys.readouterr().err, "bye then")


def test_a_command_that_exits_while_it_is_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _install(monkeypatch, _Point("work", _unfit))
    assert cli.main(["work"]) == 1
    _assert_one_line(capsys.readouterr().err, "the command work cannot be loaded: not on this machine")


def test_sigterm_passes_what_guards_against_plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: argparse.Namespace) -> int:
        with suppress(*PLUGIN_FAILURES):
            signal.raise_signal(signal.SIGTERM)
        return 0

    _install(monkeypatch, _Point("work", lambda: Command("work", "work hard", lambda _: None, run)))
    assert cli.main(["work"]) == 143
