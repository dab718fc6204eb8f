"""Every command, option and argument has a line of help, and all of them are written alike."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from pantel_device.cli import make_parser
from pantel_device.parsers import actions_of, subcommands_of, walk


def _lines() -> Iterator[tuple[str, str | None]]:
    for parser in walk(make_parser()):
        for subcommand in subcommands_of(parser):
            yield subcommand.parser.prog, subcommand.help
        for action in actions_of(parser):
            name = action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest)
            yield f"{parser.prog} {name}", action.help


_LINES = dict(_lines())


def test_there_are_many() -> None:
    assert len(_LINES) > 150
    assert {"pantel send", "pantel doctor --json", "pantel key derive", "pantel key derive MASTER"} <= set(_LINES)


@pytest.mark.parametrize("name", _LINES)
def test_help(name: str) -> None:
    text = _LINES[name]
    assert text, "has no help"
    assert not text.endswith("."), text
    first = text.split()[0].rstrip(",;:")
    is_abbreviation = any(letter.isupper() or letter.isdigit() for letter in first[1:])  # TOML, ONNX, .ptl …
    assert first[0].islower() or not first[0].isalpha() or is_abbreviation, text
    assert "  " not in text
    assert not text.startswith(("of ", "that of ", "yours")), f"{text}: name the thing itself"


def test_every_command_says_what_it_does() -> None:
    for parser in walk(make_parser()):
        assert parser.description, parser.prog
        assert parser.description[0].isupper(), parser.prog


def test_what_the_help_shows_can_be_formatted() -> None:
    for parser in walk(make_parser()):
        assert isinstance(parser, argparse.ArgumentParser)
        assert parser.prog in parser.format_help()
