"""What is done to an artefact that there is: parts that are replaced, and what its encoder loses."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from pantel_export.commands.options import add_options
from pantel_export.commands.running import photographs
from pantel_models import MANIFEST

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    context = add("context", help="put context networks that were trained alone into an artefact; its hash changes")
    add_options(context, "run", "name", "photos", "weights")
    context.set_defaults(run=_context)

    enlarger = add("enlarger", help="put the enlarger of a run that trained nothing else into an artefact")
    add_options(enlarger, "run", "name")
    enlarger.set_defaults(run=_enlarger)

    refit = add("refit", help="fit the coding tables of an artefact again; its hash changes")
    add_options(refit, "name", "photos")
    refit.set_defaults(run=_refit)

    int8 = add("int8-loss", help="compare the int8 encoder of an artefact with the float one")
    add_options(int8, "name", "photos", "weights")
    int8.add_argument("--qualities", type=int, nargs="+", default=[4, 8, 12, 16], metavar="Q")
    int8.add_argument("--pictures", type=int, default=48, metavar="N", help="crops of 256x256 pixels")
    int8.set_defaults(run=_int8_loss)


def _context(arguments: argparse.Namespace) -> None:
    from pantel_export.context_networks import add_context

    photos = photographs(arguments, 192)
    add_context(arguments.run_folder, arguments.name, photos, arguments.artefacts, arguments.weights)
    print(f"added the context networks of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _enlarger(arguments: argparse.Namespace) -> None:
    from pantel_export.build import add_enlarger

    add_enlarger(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the enlarger of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _refit(arguments: argparse.Namespace) -> None:
    from pantel_export.build import refit_tables

    photos = photographs(arguments, 192)
    refit_tables(arguments.name, photos, arguments.artefacts)
    print(f"fitted the coding tables of {arguments.name}")  # noqa: T201


def _int8_loss(arguments: argparse.Namespace) -> None:
    from pantel_export.int8_loss import measure_int8_loss
    from pantel_models import find_artefact

    photos = photographs(arguments, 256)
    artefact = find_artefact(name=arguments.name, manifest=arguments.artefacts / MANIFEST.name)
    losses = measure_int8_loss(
        artefact, arguments.weights, photos, qualities=arguments.qualities, pictures=arguments.pictures
    )
    for loss in losses:
        print(  # noqa: T201
            f"quality={loss.quality} bits_per_pixel={loss.bits_per_pixel:.4f} rate={loss.rate:+.2%}"
            f" psnr_db={loss.psnr_db:+.3f}"
        )
