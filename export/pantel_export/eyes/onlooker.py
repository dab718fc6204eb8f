"""A detector of the workshop as an onlooker: gradients of its verdict reach the picture it looks at."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from pantel_export.detector_network import Verdict
from pantel_export.errors import RunError
from pantel_export.eyes.classes import CLASSES
from pantel_export.eyes.network import Detector
from pantel_export.eyes.settings import DetectorShape
from pantel_export.eyes.train import load_weights

__all__ = ["DetectorOnlooker"]

_COCO_CLASSES = 80
_IN_COCO = (0, 1, 2, 7, 16)  # for each of `CLASSES` one of COCO's: any that is of the same kind
_SIDE_PX = 320


class DetectorOnlooker(nn.Module):
    """A detector of `train-detector` with fixed weights.

    Attributes:
        side_px: Width and height of the pictures that it looks at.
    """

    def __init__(self, folder: Path) -> None:
        """Read a detector of the default shape.

        Args:
            folder: Of its run, or of its weights.

        Raises:
            RunError: There are none, or they are those of a detector of another shape.
        """
        super().__init__()
        self.side_px = _SIDE_PX
        network = Detector(DetectorShape())
        try:
            network.load_state_dict(load_weights(folder))
        except RuntimeError as error:
            raise RunError(f"the weights in {folder} are not those of a detector of the default shape") from error
        self._network = network.fused().requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Verdict:
        """Judge a picture.

        Args:
            x: (1, 3, side_px, side_px), RGB in 0..1.
        """
        logits, distances = self._network(x)
        scores = torch.zeros(logits.shape[1], _COCO_CLASSES, device=x.device)
        scores[:, _IN_COCO[: len(CLASSES)]] = logits[0].float().sigmoid()
        return Verdict(scores, distances[0].float())
