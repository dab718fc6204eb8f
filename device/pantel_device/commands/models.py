"""`pantel models`: which models are installed, whether they are what they should be, and what a detector is."""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from pantel_device.command import Command, CommandError, UsageError
from pantel_device.commands.detector_check import check_detector, drawing_place
from pantel_device.commands.options import file_name
from pantel_device.errors import DetectorError
from pantel_models import Artefact, ModelError, detector_macs, list_artefacts, list_detectors, macs_per_pixel

__all__ = ["COMMAND"]

_DETECTOR_PX = (320, 256)  # what a picture of 4:3 is scaled to
_HEADINGS = ("name", "hash", "tag", "file", "bytes", "MAC/pixel")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the installed models, the default one first")
    listing.set_defaults(run_action=_list)
    check = actions.add_parser("check", help="compare the models' files with the manifest, or try a detector")
    check.add_argument(
        "model",
        nargs="?",
        metavar="NAME|FILE",
        help="one model, or a file to be recognized, such as a detector of your own (default: all models)",
    )
    check.add_argument("--picture", type=file_name, metavar="IN", help="let the detector look at this picture, too")
    check.add_argument(
        "--out",
        type=file_name,
        metavar="OUT",
        help="draw what the detector finds into this file (default: NAME-check.png here)",
    )
    check.set_defaults(run_action=_check)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run_action(arguments)
    return code


def _list(_: argparse.Namespace) -> int:
    rows = [_HEADINGS]
    for artefact in (*list_artefacts(), *list_detectors()):
        for role, name in artefact.files.items():
            path = artefact.folder / name
            size = f"{path.stat().st_size:,}" if path.is_file() else "missing"
            tag = f"{artefact.tag:#04x}" if role == "tables" else "-"
            first = (artefact.name, artefact.hash[:8], tag) if role in {"tables", "detector"} else ("", "", "")
            rows.append((*first, name, size, _macs(path, role)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    for row in rows:
        left = "  ".join(text.ljust(width) for text, width in zip(row[:4], widths[:4], strict=True))
        right = "  ".join(text.rjust(width) for text, width in zip(row[4:], widths[4:], strict=True))
        sys.stdout.write(f"{left}  {right}\n")
    return 0


def _macs(path: Path, role: str) -> str:
    """Return the multiply-accumulates of a network for each pixel, counted where onnx is installed."""
    if path.suffix != ".onnx" or not path.is_file():
        return "-"
    try:
        if role == "detector":
            return f"{detector_macs(path, _DETECTOR_PX) / math.prod(_DETECTOR_PX):,.0f}"
        return f"{macs_per_pixel(path):,.0f}"
    except ImportError:
        return "needs onnx"
    except ModelError:
        return "damaged"  # `pantel models check` says more


def _check(arguments: argparse.Namespace) -> int:
    detectors = list_detectors()
    artefacts = (*list_artefacts(), *detectors)
    wanted: str | None = arguments.model
    if wanted == "":
        raise UsageError("the name of the model or file is empty; name one, or leave it out to check all models")
    trying = arguments.picture is not None or arguments.out is not None
    named = [artefact for artefact in artefacts if wanted in {None, artefact.name}]
    if named:
        if not trying:
            _compare(named)
            return 0
        if named[0] not in detectors:
            raise UsageError("--picture and --out are for a detector; name it or its file")
        path = named[0].path("detector")
        target = drawing_place(path, arguments.out)
        _compare(named)
        check_detector(path, arguments.picture, target)
        return 0
    path = Path(str(wanted))
    if not path.exists():
        known = ", ".join(artefact.name for artefact in artefacts)
        raise UsageError(f"there is no model and no file {wanted}; installed models: {known}")
    target = drawing_place(path, arguments.out)
    digest = _digest(path)
    recognized = _recognized(digest, artefacts)
    if recognized is not None:
        role, name = recognized
        if trying and role != "detector":
            raise UsageError(f"--picture and --out are for a detector, and {path} is the {role} of {name}")
        sys.stdout.write(f"{path}: {role} of {name}, as in the manifest\n")
        if role != "detector":
            return 0
    try:
        check_detector(path, arguments.picture, target)
    except DetectorError as error:
        what = "" if recognized is not None else f"{path} is no file of an installed model (SHA-256 {digest}), and "
        raise CommandError(f"{what}{error}") from error
    return 0


def _recognized(digest: str, artefacts: Sequence[Artefact]) -> tuple[str, str] | None:
    """Return which file of which model has a digest; None if none has."""
    for artefact in artefacts:
        for role, expected in artefact.sha256.items():
            if digest == expected:
                return role, artefact.name
    return None


def _compare(artefacts: Sequence[Artefact]) -> None:
    """Compare the files of some artefacts with the manifest."""
    found = []
    for artefact in artefacts:
        try:
            artefact.check()
            files = "file" if len(artefact.files) == 1 else "files"
            sys.stdout.write(f"{artefact.name}: {len(artefact.files)} {files} as in the manifest\n")
        except ModelError as error:
            found.append(str(error))
    if found:
        raise CommandError("; ".join(found))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error


COMMAND = Command("models", "list and check the installed models, try a detector", _add_arguments, _run)
