"""Puts the context networks of a training run among the weights of the scene codec, where another training begins."""

from __future__ import annotations

from pathlib import Path

from pantel_export.context.train import load_context
from pantel_export.errors import ExportError
from pantel_export.networks import SceneNetworks
from pantel_export.train import load_networks
from pantel_export.warm_start import save_warm_start

__all__ = ["merge_context"]

_PREFIX = "context."


def merge_context(run: Path, weights: Path, out: Path) -> None:
    """Write the weights of a scene codec with other context networks.

    Args:
        run: Folder of the training run of the context networks, finished or not.
        weights: Folder of the scene codec's weights, or of its run; those on which they were trained.
        out: Folder for the new weights, 16-bit floats.

    Raises:
        ExportError: There is no such run, there are no such weights, or they do not belong together.
    """
    context, network, record = load_context(run)
    networks, _, trained = load_networks(weights)
    if record["scene_run"] != {key: trained[key] for key in ("step", "settings")}:
        raise ExportError(f"{run} was trained on other weights than {weights}; name those")
    others = {key: value for key, value in networks.state_dict().items() if not key.startswith(_PREFIX)}
    own = {f"{_PREFIX}{key}": value for key, value in context.state_dict().items()}
    merged = SceneNetworks(network)
    merged.load_state_dict(others | own)
    save_warm_start(out, merged.state_dict())
