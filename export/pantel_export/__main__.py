"""Command line of the workshop: `python -m pantel_export COMMAND`, see `--help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pantel_export.errors import ExportError
from pantel_models import MANIFEST

__all__ = ["main"]


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.settings import TrainSettings
    from pantel_export.train import Trainer, photo_roots
    from pantel_export.warm_start import load_warm_start

    torch.set_num_threads(arguments.threads)
    settings = TrainSettings.from_toml(arguments.config)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = Trainer(settings, photos, arguments.out)
    if trainer.resume():
        print(f"resumed step={trainer.step}")  # noqa: T201
    elif arguments.warm_start:
        trainer.warm_start(load_warm_start(arguments.warm_start))
    trainer.run()


def _export(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.build import build_artefact
    from pantel_export.data import PhotoSet
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    folder = build_artefact(arguments.run_folder, arguments.name, photos, arguments.artefacts, arguments.weights)
    print(f"wrote {folder}")  # noqa: T201


def _thumbnails(arguments: argparse.Namespace) -> None:
    from pantel_export.add_thumbnails import add_thumbnails

    count = add_thumbnails(arguments.name, arguments.objects, arguments.artefacts)
    print(f"fitted thumbnails to objects={count}")  # noqa: T201


def _folders(text: str) -> tuple[Path, Path]:
    """Read PHOTOS:BOXES."""
    photos, _, boxes = text.partition(":")
    if not Path(photos).is_dir() or not Path(boxes).is_dir() or not boxes:
        raise argparse.ArgumentTypeError(f"{text} does not name a folder of photographs and one of boxes")
    return Path(photos), Path(boxes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pantel_export", description=__doc__)
    commands = parser.add_subparsers(required=True)

    train = commands.add_parser("train", help="train the scene codec; continues a run that was interrupted")
    train.add_argument("--config", type=Path, required=True, help="settings, TOML")
    train.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    train.add_argument("--out", type=Path, required=True, help="run folder")
    train.add_argument("--threads", type=int, default=1, help="more than one is often slower")
    train.add_argument("--warm-start", type=Path, metavar="DIR", help="begin with these 16-bit weights")
    train.set_defaults(run=_train)

    export = commands.add_parser("export", help="build a shipped artefact from a training run")
    export.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    export.add_argument("--name", required=True, help="name of the artefact")
    export.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    export.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    export.add_argument("--weights", type=Path, default=Path("export/weights"), help="16-bit weights go here")
    export.set_defaults(run=_export)

    thumbnails = commands.add_parser("thumbnails", help="fit the thumbnails of an artefact to objects in photographs")
    thumbnails.add_argument("--name", required=True, help="name of the artefact")
    thumbnails.add_argument(
        "--objects", type=_folders, nargs="+", required=True, metavar="PHOTOS:BOXES", help="folders, boxes as YOLO text"
    )
    thumbnails.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    thumbnails.set_defaults(run=_thumbnails)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the workshop; return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
