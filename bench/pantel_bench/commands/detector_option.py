"""How often the sender's detector looks, in benchmarks, whose results must not depend on the machine's load."""

from __future__ import annotations

import argparse

__all__ = ["add_detect_every"]


def add_detect_every(parser: argparse.ArgumentParser, default: int) -> None:
    """Declare ``--detect-every``."""
    parser.add_argument(
        "--detect-every",
        type=_frames,
        default=default,
        metavar="N",
        help="frames from one run of the detector to the next; a sender finds out what its machine can bear (default: "
        "%(default)s)",
    )


def _frames(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no number of frames, such as 5")
    return int(text)
