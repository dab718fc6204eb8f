"""The scene codec: its training, the artefact that comes of it, and its weights."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

from pantel_export.commands.options import add_options
from pantel_export.commands.running import finish, photographs
from pantel_models import MANIFEST

__all__ = ["add_commands"]


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    train = add("train", help="train the scene codec; continues a run that was interrupted")
    add_options(train, "config", "photos", "out")
    train.add_argument("--threads", type=int, default=1, help="more than one is often slower")
    train.add_argument("--warm-start", type=Path, metavar="DIR", help="begin with these 16-bit weights")
    train.set_defaults(run=_train)

    export = add("export", help="build a shipped artefact from a training run")
    add_options(export, "run", "name", "photos")
    export.add_argument("--weights", type=Path, default=Path("export/weights"), help="16-bit weights go here")
    export.set_defaults(run=_export)

    weights = add("weights", help="write the averaged weights of a run, finished or not, as 16-bit weights")
    add_options(weights, "run")
    weights.add_argument("--out", type=Path, required=True, help="folder for the weights")
    weights.set_defaults(run=_weights)

    reshape = add("reshape", help="fit 16-bit weights to networks of another shape, without channels that say nothing")
    add_options(reshape, "name")
    reshape.add_argument("--config", type=Path, required=True, help="settings of the new training, TOML")
    reshape.add_argument("--weights", type=Path, default=Path("export/weights"), help="the old 16-bit weights")
    reshape.add_argument("--out", type=Path, required=True, help="folder for the new weights")
    reshape.set_defaults(run=_reshape)

    contours = add("contour-table", help="print how probable contours are beside others, for pantel_codec.contours")
    add_options(contours, "photos")
    contours.set_defaults(run=_contour_table)


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.settings import TrainSettings
    from pantel_export.train import Trainer

    torch.set_num_threads(arguments.threads)
    settings = TrainSettings.from_toml(arguments.config)
    photos = photographs(arguments, settings.crop_px)
    print(f"pictures={len(photos)} out={arguments.out}")  # noqa: T201
    trainer = Trainer(settings, photos, arguments.out)
    finish(trainer, arguments.warm_start)


def _export(arguments: argparse.Namespace) -> None:
    import torch

    from pantel_export.build import build_artefact

    torch.set_num_threads(1)
    photos = photographs(arguments, 192)
    folder = build_artefact(arguments.run_folder, arguments.name, photos, arguments.artefacts, arguments.weights)
    print(f"wrote {folder}")  # noqa: T201


def _weights(arguments: argparse.Namespace) -> None:
    from pantel_export.train import load_networks
    from pantel_export.warm_start import save_warm_start

    networks, _, record = load_networks(arguments.run_folder)
    save_warm_start(arguments.out, networks.state_dict(), record)
    print(f"wrote the weights of step={record['step']} to {arguments.out}")  # noqa: T201


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
    if settings.network.groups == tuple(groups):  # nothing is to be dropped
        kept = [list(range(channels)) for channels in groups]
    networks = reshape_weights(load_warm_start(arguments.weights), groups, kept, settings.network)
    save_warm_start(arguments.out, networks.state_dict())
    print(f"kept channels={settings.network.channels} of {sum(groups)} out={arguments.out}")  # noqa: T201


def _contour_table(arguments: argparse.Namespace) -> None:
    import textwrap

    from pantel_export.contour_table import CROP_PX, contour_table

    table = contour_table(photographs(arguments, CROP_PX))
    print("\n".join(textwrap.wrap(table, 96)))  # noqa: T201
