"""The command line: finds the subcommand, runs it, and turns every failure into one line and an exit code.

Exit codes: 0 done; 1 the command failed; 2 it was used wrongly; 130 interrupted; 141 nobody reads the output any
more; 143 terminated.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points, version
from types import FrameType
from typing import Any, NoReturn

from pantel_device.command import Command, CommandError, UsageError
from pantel_device.log_format import configure_logging, error_line
from pantel_device.parsers import describe_subcommands

__all__ = ["main", "make_parser"]

_GROUP = "pantel.commands"
_LOG_LEVELS = ("debug", "info", "warning", "error")


class _Terminated(BaseException):
    """SIGTERM has come; no `SystemExit`, so that guards around plug-ins, which may call `sys.exit`, let it pass."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line and go the way of all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Complain of unknown arguments in the parser that met them: the outermost would name its own help."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pantel` and return its exit code.

    Args:
        argv: Arguments without the program's name; those of the process by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # NumPy reads it when it is loaded, which subcommands do. Its matrices are small: threads only wait for each other,
    # for seconds where another process has one of their cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with _ending_on_sigterm():
            return _run(arguments)
    except SystemExit as finished:  # argparse has printed help or the version
        return _code_of(finished)
    except _Terminated:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _forget_stdout()
        return 141
    except Exception as error:  # whatever happens ends in one line
        if "--debug" in arguments:
            raise
        sys.stderr.write(error_line(" ".join(_describe(error).split())))
        return 2 if isinstance(error, UsageError) else 1


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the program, so that no half-written file stays; daemons set a handler of their own."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python allows signal handlers in the main thread alone
        return

    def end(_: int, __: FrameType | None) -> NoReturn:
        raise _Terminated

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run(argv: list[str]) -> int:
    parser = make_parser(next((argument for argument in argv if not argument.startswith("-")), None))
    arguments = parser.parse_args(argv)
    configure_logging(getattr(arguments, "log_level", "info"))
    code: int = arguments.run(arguments)
    sys.stdout.flush()
    return code


def make_parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        wanted: The command that will run: it alone is imported. None, or a word that is no command: all of them are.

    Raises:
        CommandError: The wanted command cannot be loaded.
    """
    points = {
        point.name: point for point in sorted(entry_points(group=_GROUP), key=_is_own)
    }  # our own come last and win
    # Common options may stand on either side of the command, so neither side may set a default.
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--log-level", choices=_LOG_LEVELS, help="how much to log on standard error (default: info)")
    common.add_argument("--debug", action="store_true", help="show where in the program an error comes from")
    parser = _Parser(
        prog="pantel",
        description="Live pictures over any link of less than one kilobit per second.",
        epilog="pantel COMMAND --help explains a command.",
        parents=[common],
    )
    parser.add_argument(
        "--version", action="version", version=f"pantel {version('pantel')}", help="show the version and exit"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name in [wanted] if wanted in points else sorted(points):
        try:
            command = _load(points[name])
        except CommandError as error:
            if name == wanted:
                raise
            commands.add_parser(name, help=f"({error})")
            continue
        arguments = commands.add_parser(name, help=command.help, parents=[common])
        command.add_arguments(arguments)
        arguments.set_defaults(run=command.run)
    describe_subcommands(parser)
    return parser


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "pantel"


def _load(point: EntryPoint) -> Command:
    try:
        command: Command = point.load()
    except (Exception, SystemExit) as error:  # a plug-in may raise anything
        owner = "pantel" if point.dist is None else point.dist.name
        raise CommandError(f"the command {point.name} cannot be loaded: {error}; install {owner} again") from error
    return command


def _code_of(finished: SystemExit) -> int:
    """Return the exit code of `sys.exit`; a text is a complaint, as to the interpreter."""
    if finished.code is None or isinstance(finished.code, int):
        return finished.code or 0
    sys.stderr.write(error_line(" ".join(str(finished.code).split())))
    return 1


def _describe(error: Exception) -> str:
    """Return what a user can do something with."""
    if type(error).__module__.startswith("pantel_"):  # the text of our own errors is a line for the user
        return str(error)
    if isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        return f"{text}; make room or name another place" if error.errno in {errno.ENOSPC, errno.EDQUOT} else text
    return f"internal error, {type(error).__name__}: {error}; run it again with --debug and report what it shows"


def _forget_stdout() -> None:
    """Point standard output to nowhere, so that the interpreter does not trip over the pipe again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
