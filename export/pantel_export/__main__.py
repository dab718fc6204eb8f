"""Command line of the workshop: `python -m pantel_export COMMAND`, see `--help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pantel_export.commands import artefact, eyes, labels, perceptual, refinement, scene, thumbnails
from pantel_export.errors import ExportError
from pantel_models import ModelError

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pantel_export", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for module in (scene, artefact, labels, eyes, refinement, perceptual, thumbnails):
        module.add_commands(commands.add_parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the workshop; return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed here; run: make setup-export", file=sys.stderr)  # noqa: T201
        return 1
    except (ExportError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
