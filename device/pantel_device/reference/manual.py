"""The manual page pantel(1): every command, option and key, as the parsers and models have them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib.metadata import version

from pydantic import BaseModel

from pantel_device.cli import make_parser
from pantel_device.config import ReceiverConfig, SenderConfig, default_state_dir
from pantel_device.config.fields import choices_of, default_text, meaning_of, values_text
from pantel_device.parsers import actions_of, subcommands_of
from pantel_device.reference import roff
from pantel_device.wording import sentence

__all__ = ["manual_page"]

_DESCRIPTION = """\
Pantel shows what a camera sees over a line of less than one kilobit per second: a serial cable, a radio, a modem. \
`pantel send` runs where the camera is, `pantel receive` where somebody looks; `pantel doctor` says what keeps them \
from working. All other commands help to set up, test and understand a line.

Each key of a configuration is set by an option (`--bitrate-bps 480`), else by an environment variable \
(`PANTEL_BITRATE_BPS=480`), else by a line of the TOML file that `--config` names (`bitrate_bps = 480`); else the \
default holds. Keys that do not exist are errors."""
_FILES = (
    ("/etc/pantel/sender-NAME.toml, /etc/pantel/receiver-NAME.toml", "configurations of the services"),
    ("/etc/pantel/keys/", "keys, which none but the services may read"),
    ("/var/lib/pantel/", "what the services must remember over a restart"),
    ("~/.local/state/pantel/", "the same for who starts `pantel` by hand; `XDG_STATE_HOME` puts it elsewhere"),
)
_ENVIRONMENT = (
    ("PANTEL_KEY", "sets a key of the configuration, such as `PANTEL_BITRATE_BPS`; unknown ones are errors"),
    ("XDG_STATE_HOME", "folder below which `state_dir` lies by default"),
    ("NO_COLOR", "if set, `pantel doctor` uses no colours"),
)
_EXITS = (
    ("0", "done"),
    ("1", "it failed: a port, camera or another device is not there, a disk is full; of `pantel doctor`: a problem"),
    ("2", "it was used wrongly: an option, or a name in the configuration that cannot be"),
    ("130, 143", "interrupted, terminated"),
)
_CONFIGURED: dict[str, type[BaseModel]] = {"pantel send": SenderConfig, "pantel receive": ReceiverConfig}
_HIDDEN = ("help", "log_level", "debug")  # of every command, told once


def manual_page(date: str) -> str:
    """Return the page in roff.

    Args:
        date: Of the page, such as 2026-05-01.
    """
    parser = make_parser()
    page = "".join(
        [
            roff.title("pantel", 1, date, f"pantel {version('pantel')}", "User Commands"),
            roff.heading("NAME"),
            f"pantel {roff.escape('-')} live pictures over any link of less than one kilobit per second\n",
            roff.heading("SYNOPSIS"),
            f"{roff.bold('pantel')} [options] {roff.bold('COMMAND')} [options] [arguments]\n",
            roff.heading("DESCRIPTION"),
            *_text(_DESCRIPTION),
            roff.heading("OPTIONS"),
            roff.paragraph("Of every command:"),
            *(_option(action) for action in actions_of(parser)),
            roff.heading("COMMANDS"),
            *_commands(parser),
            *_list("ENVIRONMENT", _ENVIRONMENT),
            *_list("FILES", _FILES),
            *_list("EXIT STATUS", _EXITS),
        ]
    )
    return re.sub(r"(?m)^(\.S[HS] .*\n)\.PP\n", r"\1", page)  # what follows a heading is a paragraph anyway


def _list(name: str, entries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield roff.heading(name)
    for tag, text in entries:
        yield roff.tagged(roff.bold(tag), sentence(text))


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for subcommand in subcommands_of(parser):
        below = subcommands_of(subcommand.parser)
        yield from _command(subcommand.parser, is_whole=not below)
        if below:
            yield from _commands(subcommand.parser)


def _command(parser: argparse.ArgumentParser, *, is_whole: bool) -> Iterator[str]:
    arguments = [_argument(action) for action in actions_of(parser) if not action.option_strings]
    yield roff.subheading(" ".join([parser.prog, *(arguments if is_whole else ["…"])]))
    yield from _text(parser.description or "")
    model = _CONFIGURED.get(parser.prog)
    for action in actions_of(parser):
        if action.dest in _HIDDEN:
            continue
        field = model.model_fields.get(action.dest) if model is not None else None
        if model is None or field is None:
            yield _option(action)
        else:
            values = "" if choices_of(field) else values_text(model, action.dest)  # choices stand in the tag
            default = f"Default: {default_text(field, symbolic=True)}{f'; values: {values}' if values else ''}."
            yield roff.tagged(_tag(action), f"{meaning_of(field)} {default}")


def _text(description: str) -> Iterator[str]:
    """Yield the paragraphs of a description; lines that are indented stand as they are."""
    for block in description.split("\n\n"):
        if block.startswith("  "):
            yield f".PP\n.nf\n{roff.escape(block)}\n.fi\n"
        elif block:
            yield roff.paragraph(block)


def _option(action: argparse.Action) -> str:
    names = {"default": action.default, "choices": ", ".join(map(str, action.choices or ()))}
    help_text = (action.help or "") % names
    return roff.tagged(_tag(action), sentence(help_text.replace(str(default_state_dir()), "~/.local/state/pantel")))


def _tag(action: argparse.Action) -> str:
    if not action.option_strings:
        return roff.bold(_argument(action))
    names = ", ".join(roff.bold(name) for name in action.option_strings)
    takes = action.nargs != 0
    value = _argument(action) if takes else ""
    return f"{names} {roff.escape(value)}" if value else names


def _argument(action: argparse.Action) -> str:
    """Return what stands for the value of an option or argument."""
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices is not None else action.dest.upper()
    name = str(action.metavar or choices)
    match action.nargs:
        case "?":
            return f"[{name}]"
        case "+":
            return f"{name} …"
    return name
