"""What is done to an artefact that there is: parts that are replaced, and what its encoder loses."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from pantel_models import MANIFEST

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    context = add("context", help="put context networks that were trained alone into an artefact; its hash changes")
    context.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    context.add_argument("--name", required=True, help="name of the artefact")
    context.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    context.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    context.add_argument("--weights", type=Path, default=Path("export/weights"), help="the artefact's 16-bit weights")
    context.set_defaults(run=_context)

    enlarger = add("enlarger", help="put the enlarger of a run that trained nothing else into an artefact")
    enlarger.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    enlarger.add_argument("--name", required=True, help="name of the artefact")
    enlarger.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    enlarger.set_defaults(run=_enlarger)

    refit = add("refit", help="fit the coding tables of an artefact again; its hash changes")
    refit.add_argument("--name", required=True, help="name of the artefact")
    refit.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refit.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    refit.set_defaults(run=_refit)

    int8 = add("int8-loss", help="compare the int8 encoder of an artefact with the float one")
    int8.add_argument("--name", required=True, help="name of the artefact")
    int8.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    int8.add_argument("--weights", type=Path, default=Path("export/weights"), help="the artefact's 16-bit weights")
    int8.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    int8.add_argument("--qualities", type=int, nargs="+", default=[4, 8, 12, 16], metavar="Q")
    int8.add_argument("--pictures", type=int, default=48, metavar="N", help="crops of 256x256 pixels")
    int8.set_defaults(run=_int8_loss)


def _context(arguments: argparse.Namespace) -> None:
    from pantel_export.context_networks import add_context
    from pantel_export.data import PhotoSet
    from pantel_export.train import photo_roots

    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    add_context(arguments.run_folder, arguments.name, photos, arguments.artefacts, arguments.weights)
    print(f"added the context networks of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _enlarger(arguments: argparse.Namespace) -> None:
    from pantel_export.build import add_enlarger

    add_enlarger(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the enlarger of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _refit(arguments: argparse.Namespace) -> None:
    from pantel_export.build import refit_tables
    from pantel_export.data import PhotoSet
    from pantel_export.train import photo_roots

    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    refit_tables(arguments.name, photos, arguments.artefacts)
    print(f"fitted the coding tables of {arguments.name}")  # noqa: T201


def _int8_loss(arguments: argparse.Namespace) -> None:
    from pantel_export.data import PhotoSet
    from pantel_export.int8_loss import measure_int8_loss
    from pantel_export.train import photo_roots
    from pantel_models import find_artefact

    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=256)
    artefact = find_artefact(name=arguments.name, manifest=arguments.artefacts / MANIFEST.name)
    losses = measure_int8_loss(
        artefact, arguments.weights, photos, qualities=arguments.qualities, pictures=arguments.pictures
    )
    for loss in losses:
        print(  # noqa: T201
            f"quality={loss.quality} bits_per_pixel={loss.bits_per_pixel:.4f} rate={loss.rate:+.2%}"
            f" psnr_db={loss.psnr_db:+.3f}"
        )
