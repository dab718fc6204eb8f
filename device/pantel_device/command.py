"""What a subcommand of `pantel` is, and the two ways in which it ends badly.

Subcommands are found through the entry-point group ``pantel.commands``, so other components add theirs
without this package importing them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Command", "CommandError", "UsageError"]


class UsageError(Exception):
    """The user asked for something impossible; one line that says what to do, exit code 2."""


class CommandError(Exception):
    """The command was right but could not be carried out; one line, exit code 1."""


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
