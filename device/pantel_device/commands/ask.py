"""`pantel ask`: tells a mast what to do, over the back-channel."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from pantel_device.command import Command, CommandError, UsageError
from pantel_device.config import default_state_dir
from pantel_device.outbox import COMMANDS, Outbox
from pantel_device.receiving.ground import LONGEST_WITHIN_S, WITHIN_S, Request
from pantel_link import Preset
from pantel_link.back_channel import AskStill, Region, SetLine, Watch
from pantel_link.pacing import check_bitrate

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    things = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    still = things.add_parser("still", help="ask for a still of what the mast sees now")
    still.add_argument(
        "--still-bytes", type=int, default=0, metavar="N", help="size of its file [byte] (default: the mast's)"
    )
    still.add_argument(
        "--region",
        type=_region,
        metavar="L,T,R,B",
        help="what matters most in it, in shares of width and height: 0,0,0.5,0.5 is the upper left quarter",
    )
    still.set_defaults(command=lambda arguments: AskStill(arguments.still_bytes, arguments.region))
    line = things.add_parser(
        "line", help="ask for another bit rate or preset; the mast goes back if you do not hear it any more"
    )
    line.add_argument(
        "--bitrate-bps", type=int, default=0, metavar="N", help="octets on the line times 8 [bit/s] (default: as it is)"
    )
    line.add_argument("--preset", choices=[each.value for each in Preset], help="error protection (default: as it is)")
    line.set_defaults(command=_line)
    watch = things.add_parser("watch", help="let a part of the picture matter more for some time")
    watch.add_argument(
        "--region",
        type=_region,
        default=Region(0.0, 0.0, 1.0, 1.0),
        metavar="L,T,R,B",
        help="the part, in shares of width and height (default: all of it)",
    )
    watch.add_argument(
        "--seconds",
        type=int,
        default=60,
        metavar="S",
        help="time for which it does; 0 to end it (default: %(default)s)",
    )
    watch.set_defaults(command=lambda arguments: Watch(arguments.region, arguments.seconds))
    for each in (parser, still, line, watch):
        _add_addressee(each)
    parser.set_defaults(callsign="", sender=None, within=WITHIN_S, state_dir=default_state_dir())


def _add_addressee(parser: argparse.ArgumentParser) -> None:
    """Declare what may stand on either side of WHAT; so neither side may set a default that hides the other's value."""
    add = partial(parser.add_argument, default=argparse.SUPPRESS)
    add("--callsign", metavar="C", help="callsign of the mast (default: the one heard last)")
    add("--sender", type=int, metavar="N", help="number of the mast (default: any)")
    add(
        "--within",
        type=int,
        metavar="S",
        help=f"time within which the mast must be heard [s], or the request is dropped (default: {WITHIN_S})",
    )
    folder = str(default_state_dir()).replace("%", "%%")
    add("--state-dir", type=Path, metavar="DIR", help=f"state_dir of pantel receive (default: {folder})")


def _line(arguments: argparse.Namespace) -> SetLine:
    if not arguments.bitrate_bps and arguments.preset is None:
        raise UsageError("there is nothing to set: give --bitrate-bps or --preset")
    if arguments.bitrate_bps:
        try:
            check_bitrate(arguments.bitrate_bps)
        except ValueError as error:
            raise UsageError(f"--bitrate-bps: {error}") from error
    return SetLine(arguments.bitrate_bps, None if arguments.preset is None else Preset(arguments.preset))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.what == "still" and not 0 <= arguments.still_bytes <= 13000:
        raise UsageError(f"--still-bytes is {arguments.still_bytes} and must lie in 0..13000")
    if arguments.what == "watch" and not 0 <= arguments.seconds <= 65535:
        raise UsageError(f"--seconds is {arguments.seconds} and must lie in 0..65535")
    if not 1 <= arguments.within <= LONGEST_WITHIN_S:
        raise UsageError(f"--within is {arguments.within} and must lie in 1..{LONGEST_WITHIN_S}")
    command = arguments.command(arguments)
    outbox = Outbox(arguments.state_dir / COMMANDS)
    if not outbox.is_attended:
        raise CommandError(
            f"no pantel receive with back_channel reads {arguments.state_dir / COMMANDS}: start it, or name its "
            "state_dir with --state-dir"
        )
    outbox.put(Request(command, arguments.sender, arguments.callsign.upper(), arguments.within).to_text())
    sys.stdout.write("left for pantel receive; its events tell what becomes of it\n")
    return 0


def _region(text: str) -> Region:
    try:
        return Region(*(float(side) for side in text.split(",")))
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no region; write for example 0.25,0.25,0.75,0.75") from error


COMMAND = Command("ask", "ask a mast for a still, to look somewhere, or to send otherwise", _add_arguments, _run)
