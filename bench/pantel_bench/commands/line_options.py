"""Options of all commands that simulate a line, and the types of their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from pantel_device.commands.options import share
from pantel_link.pacing import check_bitrate

__all__ = ["add_line_options", "bitrate", "seconds_up_to", "seed", "whole"]


def add_line_options(parser: argparse.ArgumentParser) -> None:
    """Declare ``--ber``, ``--loss`` and ``--seed``."""
    parser.add_argument("--ber", type=share, default=0.0, metavar="P", help="bit error rate of the simulated line")
    parser.add_argument("--loss", type=share, default=0.0, metavar="P", help="share of packets that the line drops")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the line's errors")


def seconds_up_to(longest_s: float, shortest_s: float = 1.0) -> Callable[[str], float]:
    """Return the type of an option that takes a time from 1 s on, or another shortest one."""

    def read(text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not shortest_s <= seconds <= longest_s:
            raise argparse.ArgumentTypeError(f"{text} is no time between {shortest_s:g} and {longest_s:g} s")
        return seconds

    return read


def bitrate(text: str) -> int:
    """Return the value of an option that takes the bit rate of a line [bit/s]."""
    try:
        bitrate_bps = int(text)
        check_bitrate(bitrate_bps)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no bit rate for a line: {error}") from error
    return bitrate_bps


def seed(text: str) -> int:
    """Return the value of an option that takes the seed of something random."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no seed; write a whole number, such as 7")
    return int(text)


def whole(lowest: int) -> Callable[[str], int]:
    """Return the type of an option that takes a whole number."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {lowest} on")
        return int(text)

    return read
