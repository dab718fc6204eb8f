"""Fits trained weights to scene networks of another shape: fewer channels, wider contexts, more blocks.

What the networks compute stays the same, but for channels that are dropped: whatever is added begins without effect.
Only context networks of slices that are not the groups begin anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pantel_codec.stages import stages_of
from pantel_export.errors import RunError
from pantel_export.networks import SceneNetworks
from pantel_export.settings import NetworkSettings

__all__ = ["live_channels", "reshape_weights"]

_DEAD = 0.05  # share of the median sensitivity below which a channel says nothing
_CHANNEL_AXIS = {
    "encoder.linear.weight": 0,
    "encoder.linear.bias": 0,
    "encoder.head.weight": 0,
    "encoder.head.bias": 0,
    "generator.correction.weight": 0,
    "generator.correction.bias": 0,
    "generator.parity": 1,
    "generator.luma.weight": 1,
    "generator.chroma.weight": 1,
    "generator.trunk.0.weight": 1,
    "gain.log_gain": 1,
}


def live_channels(sensitivity: NDArray[np.float32], groups: Sequence[int]) -> list[list[int]]:
    """Return for each group those of its channels, counted within it, to which the generator listens.

    Args:
        sensitivity: (channels,), squared error for a unit error in each latent, as `tables.npz` has it.
        groups: Channels of each group.
    """
    heard = sensitivity >= _DEAD * np.median(sensitivity)
    return [np.flatnonzero(part).tolist() for part in np.split(heard, np.cumsum(groups)[:-1])]


def reshape_weights(
    state: dict[str, Tensor], groups: Sequence[int], kept: Sequence[Sequence[int]], settings: NetworkSettings
) -> SceneNetworks:
    """Return networks of a new shape that begin with the weights of an old one.

    Args:
        state: The old weights.
        groups: Channels of each group that they have.
        kept: For each group those of its channels that stay.
        settings: The new shape; its groups have as many channels as are kept.

    Raises:
        RunError: The groups differ, or something would have to become narrower that is no channel.
    """
    if tuple(len(channels) for channels in kept) != settings.groups:
        raise RunError(f"{[len(channels) for channels in kept]} channels are kept; the settings say {settings.groups}")
    starts = np.cumsum([0, *groups])
    index = [torch.tensor(channels) + int(start) for channels, start in zip(kept, starts, strict=False)]
    torch.manual_seed(0)  # what is added
    networks = SceneNetworks(settings)
    new = networks.state_dict()
    for key, value in new.items():
        if key not in state:
            if ".reduce." in key:  # of a block that is new: it adds nothing
                value.zero_()
            continue
        old = state[key]
        if key.startswith("context."):
            if settings.context_slices != settings.groups:
                continue  # of other slices nothing can be taken over
            group = int(key.split(".")[2])
            old = _channels_of_context(key, old, group, torch.tensor(kept[group]), torch.cat(index[: group + 1]))
            _widen_context(key, value, old, len(stages_of(group)))
            continue
        if (axis := _CHANNEL_AXIS.get(key)) is not None:
            # Behind the channels the trunk is given planes of its own.
            planes = torch.arange(int(starts[-1]), old.shape[axis])
            old = old.index_select(axis, torch.cat([*index, planes]))
        if old.shape != value.shape:
            raise RunError(f"{key} has the shape {tuple(old.shape)}; {tuple(value.shape)} is wanted")
        value.copy_(old)
    networks.load_state_dict(new)
    return networks


def _channels_of_context(key: str, old: Tensor, group: int, own: Tensor, known: Tensor) -> Tensor:
    """Return a weight of a group's context network without the channels that are dropped.

    Args:
        key: Its name.
        old: The weight.
        group: Of the network.
        own: The channels of the group that stay, counted within it.
        known: The channels of this group and those before it that stay, counted over all groups.
    """
    if ".spatial." in key and old.ndim == 4:  # values, their magnitudes, and planes that tell what is known
        channels = (old.shape[1] - group - 1) // 2
        return old[:, torch.cat([known, known + channels, torch.arange(2 * channels, old.shape[1])])]
    if ".head." in key:  # means, then scales
        return old[torch.cat([own, own + len(old) // 2])]
    return old


def _widen_context(key: str, new: Tensor, old: Tensor, stages: int) -> None:
    """Copy a weight of a context network into that of a wider one; what is added has no effect yet."""
    if key.endswith((".hidden.weight", ".head.weight")):
        new[: len(old)] = 0
        new[: len(old), : old.shape[1]] = old
    elif key.endswith("bias") and ".spatial." not in key and ".hidden." not in key and ".head." not in key:
        new.view(len(new), stages, -1)[..., : old.shape[1] // stages] = old.view(len(old), stages, -1)
    elif old.ndim == 4:  # a convolution that looks farther sees what it saw in its middle
        farther = (new.shape[-1] - old.shape[-1]) // 2
        new[: len(old)] = functional.pad(old, (farther,) * 4)
    else:
        new[: len(old)] = old
