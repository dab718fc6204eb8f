"""What parsers know of themselves, for completion and the manual page."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from pantel_device.wording import sentence

__all__ = ["Subcommand", "actions_of", "describe_subcommands", "subcommands_of", "walk"]


@dataclass(frozen=True, slots=True, eq=False)
class Subcommand:
    """A word that may follow a command.

    Attributes:
        name: The word.
        help: One line about it.
        parser: Of what follows.
    """

    name: str
    help: str
    parser: argparse.ArgumentParser


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options and arguments of a parser, without its subcommands."""
    return [action for action in _actions(parser) if not isinstance(action.choices, dict)]


def subcommands_of(parser: argparse.ArgumentParser) -> list[Subcommand]:
    """Return the subcommands of a parser, in the order in which they are listed."""
    found = []
    for action in _actions(parser):
        if isinstance(action.choices, dict):
            listed: list[argparse.Action] = action._choices_actions  # type: ignore[attr-defined] # noqa: SLF001
            found += [Subcommand(each.dest, each.help or "", action.choices[each.dest]) for each in listed]
    return found


def walk(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of all its subcommands, each before what is below it."""
    yield parser
    for subcommand in subcommands_of(parser):
        yield from walk(subcommand.parser)


def describe_subcommands(parser: argparse.ArgumentParser) -> None:
    """Let the help of subcommands begin with the line that lists them, where it says nothing else."""
    for subcommand in subcommands_of(parser):
        if subcommand.parser.description is None:
            subcommand.parser.description = sentence(subcommand.help)
        describe_subcommands(subcommand.parser)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public list of them
