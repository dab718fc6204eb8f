"""`pantel models`: which models are installed, and whether they are what they should be."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from pantel_device.command import Command, CommandError, UsageError
from pantel_models import Artefact, ModelError, list_artefacts, macs_per_pixel

__all__ = ["COMMAND"]

_HEADINGS = ("name", "hash", "tag", "file", "bytes", "MAC/pixel")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the installed models, the default one first")
    listing.set_defaults(run_action=_list)
    check = actions.add_parser("check", help="compare the models' files with the manifest")
    check.add_argument(
        "model", nargs="?", metavar="NAME|FILE", help="one model, or a file to be recognized (default: all models)"
    )
    check.set_defaults(run_action=_check)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run_action(arguments)
    return code


def _list(_: argparse.Namespace) -> int:
    rows = [_HEADINGS]
    for artefact in list_artefacts():
        for role, name in artefact.files.items():
            path = artefact.folder / name
            size = f"{path.stat().st_size:,}" if path.is_file() else "missing"
            first = (artefact.name, artefact.hash[:8], f"{artefact.tag:#04x}") if role == "tables" else ("", "", "")
            rows.append((*first, name, size, _macs(path)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    for row in rows:
        left = "  ".join(text.ljust(width) for text, width in zip(row[:4], widths[:4], strict=True))
        right = "  ".join(text.rjust(width) for text, width in zip(row[4:], widths[4:], strict=True))
        sys.stdout.write(f"{left}  {right}\n")
    return 0


def _macs(path: Path) -> str:
    """Return the multiply-accumulates of a network, counted where onnx is installed."""
    if path.suffix != ".onnx" or not path.is_file():
        return "-"
    try:
        return f"{macs_per_pixel(path):,.0f}"
    except ImportError:
        return "needs onnx"
    except ModelError:
        return "damaged"  # `pantel models check` says more


def _check(arguments: argparse.Namespace) -> int:
    artefacts = list_artefacts()
    wanted: str | None = arguments.model
    named = [artefact for artefact in artefacts if wanted in {None, artefact.name}]
    if named:
        found = []
        for artefact in named:
            try:
                artefact.check()
                sys.stdout.write(f"{artefact.name}: {len(artefact.files)} files as in the manifest\n")
            except ModelError as error:
                found.append(str(error))
        if found:
            raise CommandError("; ".join(found))
        return 0
    path = Path(str(wanted))
    if not path.exists():
        known = ", ".join(artefact.name for artefact in artefacts)
        raise UsageError(f"there is no model and no file {wanted}; installed models: {known}")
    sys.stdout.write(f"{path}: {_recognize(path, artefacts)}\n")
    return 0


def _recognize(path: Path, artefacts: tuple[Artefact, ...]) -> str:
    """Return what a file is, by its hash."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    for artefact in artefacts:
        for role, expected in artefact.sha256.items():
            if digest == expected:
                return f"{role} of {artefact.name}, as in the manifest"
    raise CommandError(f"{path} is no file of an installed model: its SHA-256 {digest} is not in the manifest")


COMMAND = Command("models", "list and check the installed models", _add_arguments, _run)
