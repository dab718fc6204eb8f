"""Command line of the workshop: `python -m pantel_export COMMAND`, see `--help`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pantel_export.errors import ExportError
from pantel_models import MANIFEST, ModelError

if TYPE_CHECKING:  # it needs PyTorch
    from pantel_export.training_run import TrainingRun

__all__ = ["main"]


def _finish(trainer: TrainingRun, warm_start: Path | None = None) -> None:
    """Train to the last step, from the checkpoint on if there is one, else from 16-bit weights if they are named."""
    if trainer.resume():
        print(f"resumed step={trainer.step}")  # noqa: T201
    elif warm_start:
        from pantel_export.warm_start import load_warm_start

        trainer.warm_start(load_warm_start(warm_start))
    trainer.run()


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.settings import TrainSettings
    from pantel_export.train import Trainer, photo_roots

    torch.set_num_threads(arguments.threads)
    settings = TrainSettings.from_toml(arguments.config)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = Trainer(settings, photos, arguments.out)
    _finish(trainer, arguments.warm_start)


def _reshape(arguments: argparse.Namespace) -> None:
    import numpy as np

    from pantel_export.reshape import live_channels, reshape_weights
    from pantel_export.settings import TrainSettings
    from pantel_export.warm_start import load_warm_start, save_warm_start
    from pantel_models import find_artefact

    settings = TrainSettings.from_toml(arguments.config)
    artefact = find_artefact(name=arguments.name, manifest=arguments.artefacts / MANIFEST.name)
    with np.load(io.BytesIO(artefact.read("tables"))) as tables:
        groups = tables["groups"].tolist()
        kept = live_channels(tables["sensitivity"], groups)
    networks = reshape_weights(load_warm_start(arguments.weights), groups, kept, settings.network)
    save_warm_start(arguments.out, networks.state_dict())
    print(f"kept channels={settings.network.channels} of {sum(groups)} out={arguments.out}")  # noqa: T201


def _weights(arguments: argparse.Namespace) -> None:
    from pantel_export.train import load_networks
    from pantel_export.warm_start import save_warm_start

    networks, _, record = load_networks(arguments.run_folder)
    save_warm_start(arguments.out, networks.state_dict(), record)
    print(f"wrote the weights of step={record['step']} to {arguments.out}")  # noqa: T201


def _export(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.build import build_artefact
    from pantel_export.data import PhotoSet
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    folder = build_artefact(arguments.run_folder, arguments.name, photos, arguments.artefacts, arguments.weights)
    print(f"wrote {folder}")  # noqa: T201


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


def _boxes(arguments: argparse.Namespace) -> None:
    from pantel_export.pseudo_labels import write_pseudo_labels

    for photos in arguments.photos:
        count = write_pseudo_labels(arguments.detector, photos, arguments.out / photos.name)
        print(f"wrote boxes={count} to {arguments.out / photos.name}")  # noqa: T201


def _train_thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.thumbnails.crops import gather
    from pantel_export.thumbnails.settings import ThumbnailSettings
    from pantel_export.thumbnails.train import ThumbnailTrainer

    torch.set_num_threads(1)
    settings = ThumbnailSettings.from_toml(arguments.config)
    crops, sources = gather(arguments.objects, arguments.masked)
    print(f"objects={len(crops)} out={arguments.out}")  # noqa: T201
    trainer = ThumbnailTrainer(settings, crops, arguments.out, sources)
    _finish(trainer)


def _thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.thumbnails.add import add_thumbnails
    from pantel_export.thumbnails.crops import gather

    torch.set_num_threads(1)
    crops, _ = gather(arguments.objects, arguments.masked)
    add_thumbnails(arguments.run_folder, arguments.name, crops, arguments.artefacts)
    print(f"added the thumbnails of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _train_perceptual(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.perceptual.settings import PerceptualSettings
    from pantel_export.perceptual.train import PerceptualTrainer
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    settings = PerceptualSettings.from_toml(arguments.config)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = PerceptualTrainer(settings, arguments.scene_run, arguments.lpips, photos, arguments.out)
    _finish(trainer)


def _train_refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.refinement.settings import RefinementSettings
    from pantel_export.refinement.train import RefinementTrainer
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    settings = RefinementSettings.from_toml(arguments.config)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = RefinementTrainer(settings, arguments.scene_run, photos, arguments.out)
    _finish(trainer)


def _refinement(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.refinement.add import add_refinement
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=192)
    add_refinement(arguments.run_folder, arguments.name, photos, arguments.artefacts)
    print(f"added the refinement context of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _perceptual(arguments: argparse.Namespace) -> None:
    from pantel_export.perceptual.add import add_perceptual

    add_perceptual(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the perceptual generator of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _train_perceptual_thumbnails(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.data import PhotoSet
    from pantel_export.thumbnails.crops import gather
    from pantel_export.thumbnails.perceptual import Onlookers, PerceptualThumbnailTrainer
    from pantel_export.thumbnails.settings import PerceptualThumbnailSettings
    from pantel_export.train import photo_roots

    torch.set_num_threads(1)
    settings = PerceptualThumbnailSettings.from_toml(arguments.config)
    crops, _ = gather(arguments.objects, arguments.masked)
    print(f"objects={len(crops)} out={arguments.out}")  # noqa: T201
    photos = PhotoSet(photo_roots(arguments.photos), minimum_px=64)
    onlookers = Onlookers(arguments.lpips, arguments.detectors, photos)
    trainer = PerceptualThumbnailTrainer(settings, arguments.thumbnail_run, onlookers, crops, arguments.out)
    _finish(trainer)


def _perceptual_thumbnails(arguments: argparse.Namespace) -> None:
    from pantel_export.thumbnails.add import add_perceptual_thumbnails

    add_perceptual_thumbnails(arguments.run_folder, arguments.name, arguments.artefacts)
    print(f"added the perceptual thumbnails of {arguments.run_folder} to {arguments.name}")  # noqa: T201


def _folders(text: str) -> tuple[Path, Path]:
    """Read PHOTOS:LABELS."""
    photos, _, labels = text.partition(":")
    if not Path(photos).is_dir() or not Path(labels).is_dir() or not labels:
        raise argparse.ArgumentTypeError(f"{text} does not name a folder of photographs and one of boxes or masks")
    return Path(photos), Path(labels)


def _add_objects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--objects", type=_folders, nargs="+", required=True, metavar="PHOTOS:BOXES", help="folders, boxes as YOLO text"
    )
    parser.add_argument(
        "--masked", type=_folders, nargs="+", default=[], metavar="PHOTOS:MASKS", help="folders of people with masks"
    )


def _add_scene_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    train = add("train", help="train the scene codec; continues a run that was interrupted")
    train.add_argument("--config", type=Path, required=True, help="settings, TOML")
    train.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    train.add_argument("--out", type=Path, required=True, help="run folder")
    train.add_argument("--threads", type=int, default=1, help="more than one is often slower")
    train.add_argument("--warm-start", type=Path, metavar="DIR", help="begin with these 16-bit weights")
    train.set_defaults(run=_train)

    export = add("export", help="build a shipped artefact from a training run")
    export.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    export.add_argument("--name", required=True, help="name of the artefact")
    export.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    export.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    export.add_argument("--weights", type=Path, default=Path("export/weights"), help="16-bit weights go here")
    export.set_defaults(run=_export)

    refinement = add("train-refinement", help="train the refinement context on top of a run")
    refinement.add_argument("--config", type=Path, required=True, help="settings, TOML")
    refinement.add_argument("--scene-run", type=Path, required=True, help="run folder of the scene codec")
    refinement.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refinement.add_argument("--out", type=Path, required=True, help="run folder")
    refinement.set_defaults(run=_train_refinement)

    refinement = add("refinement", help="put the refinement context of a run into an artefact")
    refinement.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    refinement.add_argument("--name", required=True, help="name of the artefact")
    refinement.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refinement.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    refinement.set_defaults(run=_refinement)

    perceptual = add("train-perceptual", help="train the perceptual generator on top of a run")
    perceptual.add_argument("--config", type=Path, required=True, help="settings, TOML")
    perceptual.add_argument("--scene-run", type=Path, required=True, help="run folder of the scene codec")
    perceptual.add_argument("--lpips", type=Path, required=True, help="weights of LPIPS, lpips_squeeze_v01.npz")
    perceptual.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    perceptual.add_argument("--out", type=Path, required=True, help="run folder")
    perceptual.set_defaults(run=_train_perceptual)

    perceptual = add("perceptual", help="put the perceptual generator of a run into an artefact")
    perceptual.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    perceptual.add_argument("--name", required=True, help="name of the artefact")
    perceptual.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    perceptual.set_defaults(run=_perceptual)


def _add_weight_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    reshape = add("reshape", help="fit 16-bit weights to networks of another shape, without channels that say nothing")
    reshape.add_argument("--config", type=Path, required=True, help="settings of the new training, TOML")
    reshape.add_argument("--weights", type=Path, default=Path("export/weights"), help="the old 16-bit weights")
    reshape.add_argument("--name", required=True, help="the artefact that they became")
    reshape.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    reshape.add_argument("--out", type=Path, required=True, help="folder for the new weights")
    reshape.set_defaults(run=_reshape)

    weights = add("weights", help="write the averaged weights of a run, finished or not, as 16-bit weights")
    weights.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    weights.add_argument("--out", type=Path, required=True, help="folder for the weights")
    weights.set_defaults(run=_weights)

    refit = add("refit", help="fit the coding tables of an artefact again; its hash changes")
    refit.add_argument("--name", required=True, help="name of the artefact")
    refit.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    refit.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    refit.set_defaults(run=_refit)

    enlarger = add("enlarger", help="put the enlarger of a run that trained nothing else into an artefact")
    enlarger.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    enlarger.add_argument("--name", required=True, help="name of the artefact")
    enlarger.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    enlarger.set_defaults(run=_enlarger)


def _add_thumbnail_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    boxes = add("boxes", help="let a detector find the objects of photographs that have no boxes")
    boxes.add_argument("--detector", type=Path, required=True, help="a YOLOX export, ONNX")
    boxes.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    boxes.add_argument("--out", type=Path, required=True, help="a folder for each folder of photographs goes here")
    boxes.set_defaults(run=_boxes)

    train = add("train-thumbnails", help="train thumbnails; continues a run that was interrupted")
    train.add_argument("--config", type=Path, required=True, help="settings, TOML")
    _add_objects(train)
    train.add_argument("--out", type=Path, required=True, help="run folder")
    train.set_defaults(run=_train_thumbnails)

    thumbnails = add("thumbnails", help="put the thumbnails of a training run into an artefact")
    thumbnails.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    thumbnails.add_argument("--name", required=True, help="name of the artefact")
    _add_objects(thumbnails)
    thumbnails.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    thumbnails.set_defaults(run=_thumbnails)

    painted = add("train-perceptual-thumbnails", help="train the perceptual generator of thumbnails on top of a run")
    painted.add_argument("--config", type=Path, required=True, help="settings, TOML")
    painted.add_argument("--thumbnail-run", type=Path, required=True, help="run folder of the thumbnails")
    painted.add_argument("--lpips", type=Path, required=True, help="weights of LPIPS, lpips_squeeze_v01.npz")
    painted.add_argument(
        "--detectors", type=Path, nargs="+", required=True, metavar="ONNX", help="should recognize what is painted"
    )
    painted.add_argument("--photos", type=Path, nargs="+", required=True, help="photographs to stand before")
    _add_objects(painted)
    painted.add_argument("--out", type=Path, required=True, help="run folder")
    painted.set_defaults(run=_train_perceptual_thumbnails)

    painted = add("perceptual-thumbnails", help="put the perceptual generator of thumbnails of a run into an artefact")
    painted.add_argument("--run", dest="run_folder", type=Path, required=True, help="run folder")
    painted.add_argument("--name", required=True, help="name of the artefact")
    painted.add_argument("--artefacts", type=Path, default=MANIFEST.parent, help="folder of the manifest")
    painted.set_defaults(run=_perceptual_thumbnails)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pantel_export", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_scene_commands(commands.add_parser)
    _add_weight_commands(commands.add_parser)
    _add_thumbnail_commands(commands.add_parser)
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
