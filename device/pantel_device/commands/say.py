"""`pantel say`: a line of text beside the pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pantel_device.command import Command, CommandError, UsageError
from pantel_device.config import default_state_dir
from pantel_device.outbox import LINES, Outbox

__all__ = ["COMMAND"]

_MAX_BYTES = 480  # of standard and light packets; heavy ones hold 300


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help=f"what to say, at most {_MAX_BYTES} bytes of UTF-8")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=default_state_dir(),
        metavar="DIR",
        help="state_dir of pantel send (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace) -> int:
    text = arguments.text.strip()
    if not text:
        raise UsageError("there is nothing to say: give a text")
    size = len(text.encode())
    if size > _MAX_BYTES:
        raise UsageError(f"the text has {size} bytes and may have {_MAX_BYTES}; say it in two")
    outbox = Outbox(arguments.state_dir / LINES)
    if not outbox.is_attended:
        raise CommandError(
            f"no pantel send reads {arguments.state_dir / LINES}: start it, or name its state_dir with --state-dir"
        )
    outbox.put(text)
    sys.stdout.write("left for the sender\n")
    return 0


COMMAND = Command("say", "let the sender say a line of text", _add_arguments, _run)
