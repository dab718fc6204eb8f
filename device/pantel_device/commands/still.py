"""`pantel encode` and `pantel decode`: still pictures to `.ptl` files and back."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_codec import MAX_SIDE_PX, MIN_SIDE_PX, CodecError
from pantel_device.atomic_file import check_writable, write_atomically
from pantel_device.command import Command, CommandError, UsageError
from pantel_device.commands.options import file_name
from pantel_device.pictures import (
    check_picture_suffix,
    is_picture_suffix,
    read_picture,
    scale_to_fit,
    without_colour,
    write_picture,
)
from pantel_models import REGION_WEIGHT, ModelError, View, decode_still, load_still_codec, region_importance

__all__ = ["DECODE", "ENCODE"]

_DEFAULT_BPP = 0.05
_FILLED = 0.9  # files that leave more of the budget empty have reached the finest quality


def _add_encode_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=file_name, metavar="IN", help="picture file (PNG, JPEG, WebP and others)")
    parser.add_argument("output", type=file_name, metavar="OUT", help=".ptl file to write")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--bytes", type=int, metavar="N", help="largest size of the file [byte]")
    size.add_argument("--bpp", type=float, metavar="X", help=f"the same in bit/pixel (default: {_DEFAULT_BPP})")
    parser.add_argument("--fit", action="store_true", help=f"scale down a picture with more than {MAX_SIDE_PX} pixels")
    parser.add_argument(
        "--roi",
        type=_rectangle,
        action="append",
        default=[],
        metavar="X,Y,W,H",
        help="region of interest [px]: gets most of the bytes; may be repeated",
    )
    parser.add_argument(
        "--roi-weight",
        type=float,
        default=REGION_WEIGHT,
        metavar="N",
        help="how many times as much an error counts there (default: %(default)g)",
    )
    parser.add_argument("--model", metavar="NAME", help="model to encode with, see pantel models list")


def _rectangle(text: str) -> tuple[int, int, int, int]:
    """Read X,Y,W,H."""
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no region; write for example 40,30,64,96") from None
    return left, top, width, height


def _shrunk(region: tuple[int, int, int, int], factor: float) -> tuple[int, int, int, int]:
    """Return a region of a picture that was scaled down, rounded outwards."""
    left, top, width, height = region
    x0, y0 = (math.floor(start * factor) for start in (left, top))
    x1, y1 = (math.ceil(end * factor) for end in (left + width, top + height))
    return x0, y0, x1 - x0, y1 - y0


def _encode(arguments: argparse.Namespace) -> int:
    output: Path = arguments.output
    if is_picture_suffix(output):
        raise UsageError(f"{output} would hold a .ptl file; let its name end in .ptl")
    check_writable(output)
    pixels = read_picture(arguments.input)
    whole_px = pixels.shape[1]
    if arguments.fit:
        pixels = scale_to_fit(pixels, MAX_SIDE_PX)
    _check_size(arguments.input, pixels, fitted=arguments.fit)
    height, width = pixels.shape[:2]
    grey = without_colour(pixels)
    codec = load_still_codec(arguments.model)
    try:
        budget = _budget_bytes(arguments, width * height)
        importance = None
        if arguments.roi:
            regions = [_shrunk(region, width / whole_px) for region in arguments.roi]
            importance = region_importance(width, height, regions, arguments.roi_weight)
        data = codec.encode(pixels if grey is None else grey, budget, importance=importance)
    except ModelError as error:
        raise UsageError(str(error)) from error
    write_atomically(output, data)
    bpp = 8 * len(data) / (width * height)
    name = codec.codec.artefact.name
    finest = ", its finest quality" if len(data) < _FILLED * budget - 2 else ""
    sys.stdout.write(f"{output}: {len(data)} bytes, {bpp:.4f} bpp, {width}x{height} pixels, model {name}{finest}\n")
    return 0


def _budget_bytes(arguments: argparse.Namespace, area_px: int) -> int:
    if arguments.bytes is not None:
        if arguments.bytes < 1:
            raise UsageError(f"--bytes {arguments.bytes} is no size; write for example --bytes 400")
        return min(int(arguments.bytes), sys.maxsize)
    bpp = _DEFAULT_BPP if arguments.bpp is None else arguments.bpp
    if not (math.isfinite(bpp) and bpp > 0):
        raise UsageError(f"--bpp {bpp:g} is no rate; write for example --bpp {_DEFAULT_BPP}")
    return math.floor(min(bpp * area_px / 8, sys.maxsize))


def _check_size(path: Path, pixels: NDArray[np.uint8], *, fitted: bool) -> None:
    short, long = sorted(pixels.shape[:2])
    if short >= MIN_SIDE_PX and long <= MAX_SIDE_PX:
        return
    if fitted or short * MAX_SIDE_PX < MIN_SIDE_PX * long:
        advice = "crop it"
    else:
        advice = "add --fit to scale it down" if long > MAX_SIDE_PX else "enlarge it"
    size = f"{pixels.shape[1]}x{pixels.shape[0]} pixels{' when scaled down' if fitted else ''}"
    raise UsageError(f"{path} has {size}; sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} can be encoded: {advice}")


def _add_decode_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=file_name, metavar="IN", help=".ptl file, whole or cut off")
    parser.add_argument("output", type=file_name, metavar="OUT", help="picture file to write, format by suffix")
    parser.add_argument(
        "--view",
        choices=[view.value for view in View],
        default=View.FAITHFUL.value,
        help="faithful has the least error, perceptual is nicest to look at (default: %(default)s)",
    )


def _decode(arguments: argparse.Namespace) -> int:
    output: Path = arguments.output
    check_picture_suffix(output)
    check_writable(output)
    try:
        data = arguments.input.read_bytes()
        still = decode_still(data, view=View(arguments.view))
    except OSError as error:
        raise CommandError(f"cannot read {arguments.input}: {error.strerror}") from error
    except CodecError as error:
        raise CommandError(f"cannot decode {arguments.input}: {error}") from error
    if still.warning:
        sys.stderr.write(f"pantel: warning: {arguments.input}: {still.warning}\n")
    write_picture(output, still.pixels[..., 0] if still.grey else still.pixels)
    height, width = still.pixels.shape[:2]
    bpp = 8 * len(data) / (width * height)
    sys.stdout.write(f"{output}: {width}x{height} pixels from {len(data)} bytes, {bpp:.4f} bpp\n")
    return 0


ENCODE = Command("encode", "encode a picture into a .ptl file of a given size", _add_encode_arguments, _encode)
DECODE = Command("decode", "decode a .ptl file into a picture", _add_decode_arguments, _decode)
