"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pantel_models import MANIFEST

__all__ = ["add_options", "folder_pair"]

_OPTIONS: dict[str, dict[str, Any]] = {
    "config": {"required": True, "help": "settings, TOML"},
    "scene-run": {"required": True, "help": "run folder of the scene codec, or its 16-bit weights with their record"},
    "photos": {"nargs": "+", "required": True, "help": "folders of photographs"},
    "out": {"required": True, "help": "run folder"},
    "run": {"dest": "run_folder", "required": True, "help": "run folder"},
    "artefacts": {"default": MANIFEST.parent, "help": "folder of the manifest"},
    "weights": {"default": Path("export/weights"), "help": "the artefact's 16-bit weights"},
    "lpips": {"required": True, "help": "weights of LPIPS, lpips_squeeze_v01.npz"},
}


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options by their names; `name` is that of an artefact and comes with the folder of artefacts."""
    for name in names:
        if name == "name":
            parser.add_argument("--name", required=True, help="name of the artefact")
            add_options(parser, "artefacts")
        else:
            parser.add_argument(f"--{name}", type=Path, **_OPTIONS[name])


def folder_pair(text: str) -> tuple[Path, Path]:
    """Return the value of an option that takes PHOTOS:LABELS."""
    photos, _, labels = text.partition(":")
    if not Path(photos).is_dir() or not Path(labels).is_dir() or not labels:
        raise argparse.ArgumentTypeError(f"{text} does not name a folder of photographs and one of boxes or masks")
    return Path(photos), Path(labels)
