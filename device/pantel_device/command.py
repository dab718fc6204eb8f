"""What a subcommand of `pantel` is, and the two ways in which it ends badly.

Subcommands are found through the entry-point group ``pantel.commands``, so other components add theirs
without this package importing them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Command", "CommandError", "UsageError", "used_wrongly"]


class UsageError(Exception):
    """The user asked for something impossible; one line that says what to do, exit code 2."""


class CommandError(Exception):
    """The command was right but could not be carried out; one line, exit code 1."""


@contextmanager
def used_wrongly(*errors: type[Exception]) -> Iterator[None]:
    """Make usage errors of what goes wrong with a name or a file that the user has given.

    Args:
        errors: Those whose text is a line for the user.

    Raises:
        UsageError: Instead of one of them.
    """
    try:
        yield
    except errors as error:
        raise UsageError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand of the command line.

    Attributes:
        name: The word after ``pantel``.
        help: One line for ``pantel --help``.
        add_arguments: Declares the arguments on a parser of the command's own.
        run: Does the work and returns the exit code.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
