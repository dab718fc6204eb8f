"""How a line is broken and mended on command: by shell commands that switch a relay, a hub or a power supply."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pantel_link import Clock

__all__ = ["Break", "BreakError", "ShellSwitch", "Switch", "switch_now"]

_LONGEST_COMMAND_S = 60.0
_POLL_S = 0.05
_STANDARD_ERROR = 2


class BreakError(Exception):
    """The line could not be broken or mended as was asked for; one line."""


class Switch(Protocol):
    """Something that takes a moment, while packets go on."""

    def begin(self) -> None:
        """Begin to switch.

        Raises:
            BreakError: It cannot.
        """
        ...

    def finished(self) -> bool:
        """Whether it has switched.

        Raises:
            BreakError: It failed.
        """
        ...

    def stop(self) -> None:
        """Give it up if it has not finished."""
        ...


@dataclass(frozen=True, slots=True)
class Break:
    """What breaks a line, and what mends it.

    Attributes:
        breaking: Breaks it.
        mending: Mends it; None if `breaking` mends it, too, before it has finished.
    """

    breaking: Switch
    mending: Switch | None


class ShellSwitch:
    """A shell command. What it prints goes to standard error.

    Args:
        option: Where the command comes from, for messages.
        command: The operator's.
        clock: Ends what takes more than a minute.
    """

    def __init__(self, option: str, command: str, clock: Clock) -> None:
        self._option = option
        self._command = command
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._until_ns = 0

    def begin(self) -> None:
        """Start the command; see `Switch.begin`."""
        self._until_ns = self._clock.now_ns() + round(_LONGEST_COMMAND_S * 1e9)
        try:
            self._process = subprocess.Popen(  # noqa: S602 - a command line of the operator's own
                self._command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=_STANDARD_ERROR,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise BreakError(f"{self._option} cannot be run: {error}") from error

    def finished(self) -> bool:
        """Whether the command has ended; see `Switch.finished`."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            if self._clock.now_ns() >= self._until_ns:
                raise BreakError(f"{self._option} did not end within {_LONGEST_COMMAND_S:g} s: {self._command}")
            return False
        if code:
            raise BreakError(f"{self._option} ended with exit code {code}: {self._command}")
        return True

    def stop(self) -> None:
        """End the command, and all that it has started."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def switch_now(switch: Switch, clock: Clock) -> None:
    """Switch, and wait for it.

    Raises:
        BreakError: It failed.
    """
    switch.begin()
    try:
        while not switch.finished():
            clock.sleep(_POLL_S)
    finally:
        switch.stop()
