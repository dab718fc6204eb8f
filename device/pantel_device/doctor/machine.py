"""The machine as the doctor sees it: files below a root, programs, and the clock. Tests give it another one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["MISSING", "TIMED_OUT", "Done", "Machine", "run_program"]

MISSING = 127
"""Exit code of a program that is not there, as shells have it."""

TIMED_OUT = 124
"""Exit code of a program that did not end in time."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a program.

    Attributes:
        code: Exit code, negative for the signal that ended it; `MISSING`, `TIMED_OUT`.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    code: int
    output: str = ""
    errors: str = ""


def run_program(argv: Sequence[str], timeout_s: float) -> Done:
    """Run a program to its end, or until the time is over; then it is killed.

    Args:
        argv: The program and its arguments.
        timeout_s: Longest time that it may take [s].
    """
    # Python finds what this process finds, however that was started; programs speak English.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(  # noqa: S603 - a list, no shell; the programs are named in this package
            argv,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return Done(TIMED_OUT)
    except OSError as error:
        return Done(MISSING, errors=str(error.strerror))
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at.

    Attributes:
        root: Under which its files lie.
        run: Runs a program for at most so many seconds.
        utc_now: Tells what its clock says.
    """

    root: Path = Path("/")
    run: Callable[[Sequence[str], float], Done] = run_program
    utc_now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def path(self, name: str | Path) -> Path:
        """Return where a file of the machine is found; relative names are left as they are."""
        path = Path(name)
        return self.root / path.relative_to("/") if path.is_absolute() else path

    def name(self, path: Path) -> str:
        """Return what the machine calls a file: the inverse of `path`."""
        return f"/{path.relative_to(self.root)}" if path.is_relative_to(self.root) else str(path)

    def read(self, name: str | Path) -> str:
        """Return the text of a small file without white space around it; empty where it cannot be read."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace").strip(" \n\t\0")
        except OSError:
            return ""

    def glob(self, pattern: str) -> Iterator[Path]:
        """Yield the files whose absolute names match a pattern, sorted."""
        yield from sorted(self.root.glob(pattern.lstrip("/")))

    def python(self, *arguments: str, timeout_s: float) -> Done:
        """Run Python with this package in reach; whatever crashes or hangs there does not do so here."""
        return self.run([sys.executable, "-P", *arguments], timeout_s)

    @property
    def board(self) -> str:
        """Model of the board, such as "Raspberry Pi 4 Model B Rev 1.4"; empty where it has no device tree."""
        return self.read("/proc/device-tree/model")

    @property
    def is_raspberry_pi(self) -> bool:
        """Whether it is a Raspberry Pi."""
        return "Raspberry Pi" in self.board
