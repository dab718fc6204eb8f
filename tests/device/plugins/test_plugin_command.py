"""Words for the command line that plug-ins bring."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plugin_distributions import install_plugin

from pantel_device.cli import main

_SOURCE = """
from pantel_device import Command

COMMAND = Command("hello", "greet", lambda parser: None, lambda arguments: print("hello"))
"""


def test_a_plug_in_adds_a_word_and_takes_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install_plugin(folder, "a-hello", {"commands hello": "COMMAND", "commands models": "COMMAND"}, _SOURCE)
    install_plugin(folder, "z-hello", {"commands models": "COMMAND"}, _SOURCE)
    main(["hello"])
    assert capsys.readouterr().out == "hello\n"
    main(["models", "list"])
    assert "scene-v4" in capsys.readouterr().out


def test_one_that_cannot_be_loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install_plugin(folder, "broken-word", {"commands broken": "COMMAND"}, "raise LookupError('lost')")
    assert main(["broken"]) == 1
    line = "pantel: error: the command broken cannot be loaded: lost; install broken-word again\n"
    assert capsys.readouterr().err == line
    assert main(["--help"]) == 0
    assert "(the command broken cannot be loaded: lost; install broken-word again)" in " ".join(
        capsys.readouterr().out.split()
    )
