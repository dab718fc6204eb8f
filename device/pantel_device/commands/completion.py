"""`pantel completion`: what makes a shell complete commands, options, files and words."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pantel_device.command import Command
from pantel_device.commands.options import file_name
from pantel_device.config import ReceiverConfig, SenderConfig
from pantel_device.config.fields import choices_of, field_of
from pantel_device.parsers import actions_of, walk

__all__ = ["COMMAND", "script"]

_SHELLS = ("bash", "zsh")
_DESCRIPTION = """Print what makes a shell complete commands, options, files and words of Pantel. For one's own account:

  pantel completion bash > ~/.local/share/bash-completion/completions/pantel
  pantel completion zsh > ~/.zfunc/_pantel     # with fpath+=~/.zfunc before compinit in ~/.zshrc

The Debian package brings both."""

_FILE_METAVARS = {"CSV", "FILE", "IN", "NPZ", "ONNX", "OUT"}
_FILE_KEYS = {"capture", "detector", "edge_model", "events", "picture", "port"}
_FOLDER_KEYS = {"recordings", "ring", "stills"}


def script(shell: str) -> str:
    """Return the script for a shell.

    Args:
        shell: ``bash`` or ``zsh``.
    """
    import shtab

    from pantel_device.cli import make_parser  # not before: it is what runs this command

    parser = make_parser()
    for each in walk(parser):
        for action in actions_of(each):
            field = field_of((SenderConfig, ReceiverConfig), action.dest)
            if action.choices is None and field is not None:
                action.choices = choices_of(field) or None
            files = _files(action)
            if files and action.choices is None:
                action.complete = shtab.FILE if files == "file" else shtab.DIRECTORY  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)


def _files(action: argparse.Action) -> str:
    """Return whether an option or argument is a ``file`` or a ``folder``; empty if it is neither."""
    if action.metavar == "DIR" or action.dest in _FOLDER_KEYS:
        return "folder"
    if action.type in (Path, file_name) or action.metavar in _FILE_METAVARS or action.dest in _FILE_KEYS:
        return "file"
    return ""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=_SHELLS, help="the shell")


def _run(arguments: argparse.Namespace) -> int:
    sys.stdout.write(script(arguments.shell))
    return 0


COMMAND = Command("completion", "let the shell complete commands, options and files", _add_arguments, _run)
