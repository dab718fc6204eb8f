"""Turns the trained context model into the integer network of `pantel_codec.context`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pantel_codec.context import ACTIVATION_BITS, WEIGHT_BITS
from pantel_export.networks import ContextModel, interpolate_anchors
from pantel_export.refinement.networks import RefinementContext

__all__ = ["context_arrays", "quality_grid"]


def quality_grid(qualities: int) -> torch.Tensor:
    """Return the trained quality 0..1 of each quantizer index."""
    return torch.linspace(0, 1, qualities)


@torch.no_grad()
def context_arrays(model: ContextModel | RefinementContext, qualities: int) -> dict[str, NDArray[np.int32]]:
    """Return the integer arrays `context{i}_*` of all slices and `slices`, or `refinement{g}_*` of all groups.

    Weights get 10 fractional bits; biases 18, those of the accumulator they are added to.
    """
    refining = isinstance(model, RefinementContext)
    arrays: dict[str, NDArray[np.int32]] = {}
    if not refining:
        arrays["slices"] = np.array([net.own.stop - net.own.start for net in model.nets], np.int32)
    for index, net in enumerate(model.nets):
        convolutions = [net.spatial] if refining else list(net.spatial)
        width, inputs = convolutions[0].weight.shape[:2]
        # (dilations, width, inputs, 3, 3), or 5, 5 -> taps row by row, inputs fastest
        weights = torch.stack([convolution.weight for convolution in convolutions])
        taps = weights[0, 0, 0].numel()
        spatial = weights.permute(0, 3, 4, 2, 1).reshape(len(weights), taps * inputs, width)
        own_bias = {convolution.dilation[0]: convolution.bias for convolution in convolutions}
        bias = interpolate_anchors(net.bias, quality_grid(qualities)).view(qualities, len(net.stages), width)
        bias = bias + torch.stack([own_bias[stage.dilation] for stage in net.stages])
        deep = WEIGHT_BITS + ACTIVATION_BITS
        parts = {
            "spatial": (spatial, WEIGHT_BITS),
            "bias": (bias, deep),
            "hidden": (net.hidden.weight[:, :, 0, 0].t(), WEIGHT_BITS),
            "hidden_bias": (net.hidden.bias, deep),
            "head": (net.head.weight[:, :, 0, 0].t(), WEIGHT_BITS),
            "head_bias": (net.head.bias, deep),
        }
        if refining:
            parts["base_bias"] = (interpolate_anchors(net.base_bias, quality_grid(qualities)), deep)
        for name, (values, bits) in parts.items():
            key = f"{'refinement' if refining else 'context'}{index}_{name}"
            arrays[key] = np.rint(values.double().numpy() * 2**bits).astype(np.int32)
    return arrays
