"""What a detector is trained for: which cell answers for which object, and how wrong its answer is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Assignment", "assign", "complete_iou", "detection_loss", "to_boxes"]

_CANDIDATES = 10  # cells that answer for an object
_SCORE_POWER, _IOU_POWER = 0.5, 6.0
_LEAST_SIDE_PX = 12.0  # a smaller object may have no cell's centre inside
_LONGEST = 4.0  # logarithm of a distance, in strides


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What the cells of one picture should say.

    Attributes:
        scores: (cells, classes) wanted scores, 0..1.
        boxes: (cells, 4) wanted boxes [px], where a cell answers for one.
        answers: (cells,) bool.
        counts: (cells, classes) 0 where it is not known whether there is something.
    """

    scores: Tensor
    boxes: Tensor
    answers: Tensor
    counts: Tensor


def to_boxes(distances: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Return boxes (..., cells, 4) x0, y0, x1, y1 [px] of the logarithms of distances (..., cells, 4)."""
    reach = distances.float().clamp(max=_LONGEST).exp() * strides
    return torch.cat([centres - reach[..., :2], centres + reach[..., 2:]], -1)


@torch.no_grad()
def assign(
    scores: Tensor, found: Tensor, centres: Tensor, *, boxes: Tensor, classes: Tensor, sure: Tensor
) -> Assignment:
    """Decide which cells answer for which objects: those whose answer is best already.

    Task alignment learning of Feng et al., "TOOD: task-aligned one-stage object detection" (ICCV 2021).

    Args:
        scores: (cells, classes), 0..1, as the network has them.
        found: (cells, 4) boxes as the network has them [px].
        centres: (cells, 2) [px].
        boxes: (N, 4) [px].
        classes: (N,) int64.
        sure: (N,) bool; for what is not sure no cell answers, and none is wrong to.
    """
    wanted, counts = torch.zeros_like(scores), torch.ones_like(scores)
    target = torch.zeros_like(found)
    answers = torch.zeros(len(found), dtype=torch.bool)
    for box, index in zip(boxes[~sure], classes[~sure].tolist(), strict=True):
        counts[_inside(centres, box[None])[0], index] = 0
    boxes, classes = boxes[sure], classes[sure]
    if not len(boxes):
        return Assignment(wanted, target, answers, counts)
    iou = pairwise_iou(boxes, found)  # (N, cells)
    inside = _inside(centres, boxes)
    fit = scores[:, classes].T.pow(_SCORE_POWER) * iou.pow(_IOU_POWER) * inside
    best = fit.topk(min(_CANDIDATES, fit.shape[1]), dim=1)
    chosen = torch.zeros_like(fit).scatter_(1, best.indices, 1.0) * (fit > 0)
    owner = torch.where(chosen > 0, iou, -1.0).argmax(0)  # a cell answers for the object that it covers best
    own = functional.one_hot(owner, len(boxes)).T * chosen
    answers = own.amax(0) > 0
    fit, iou = fit * own, iou * own
    scaled = fit / fit.amax(1, keepdim=True).clamp(min=1e-9) * iou.amax(1, keepdim=True)
    cells = answers.nonzero()[:, 0]
    wanted[cells, classes[owner[cells]]] = scaled.amax(0)[cells].clamp(0, 1)
    counts[cells] = 1
    target[cells] = boxes[owner[cells]]
    return Assignment(wanted, target, answers, counts)


def detection_loss(
    logits: Tensor, found: Tensor, assignments: list[Assignment], box_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch, and its parts for people.

    Args:
        logits: (B, cells, classes).
        found: (B, cells, 4) [px].
        assignments: One for each picture.
        box_weight: Of the boxes beside the classes.
    """
    wanted, target, answers, counts = (
        torch.stack(values)
        for values in zip(*((a.scores, a.boxes, a.answers, a.counts) for a in assignments), strict=True)
    )
    total = wanted.sum().clamp(min=1)
    entropy = functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
    scores = (entropy * counts).sum() / total
    weight = wanted.sum(2)[answers]
    boxes = ((1 - complete_iou(found[answers], target[answers])) * weight).sum() / total
    loss = scores + box_weight * boxes
    return loss, {
        "loss": float(loss.detach()),
        "scores": float(scores.detach()),
        "boxes": float(boxes.detach()),
    }


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Return (N, M) intersection over union of boxes (N, 4) and (M, 4)."""
    both = (torch.minimum(a[:, None, 2:], b[None, :, 2:]) - torch.maximum(a[:, None, :2], b[None, :, :2])).clamp(min=0)
    intersection = both.prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1) for boxes in (a, b)]
    return intersection / (areas[0][:, None] + areas[1][None] - intersection).clamp(min=1e-6)


def complete_iou(a: Tensor, b: Tensor) -> Tensor:
    """Return (N,) of pairs of boxes: IoU less the distance of the centres and the difference of aspects.

    Zheng et al., "Distance-IoU loss: faster and better learning for bounding box regression" (AAAI 2020).
    """
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    intersection = (high - low).clamp(min=0).prod(1)
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    iou = intersection / (size_a.prod(1) + size_b.prod(1) - intersection + 1e-6)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    distance = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(1)
    aspects = [torch.atan(size[:, 0] / (size[:, 1] + 1e-6)) for size in (size_a, size_b)]
    difference = (4 / math.pi**2) * (aspects[0] - aspects[1]).square()
    with torch.no_grad():
        weight = difference / (1 - iou + difference + 1e-6)
    return iou - distance / (hull.square().sum(1) + 1e-6) - weight * difference


def _inside(centres: Tensor, boxes: Tensor) -> Tensor:
    """Return (N, cells) bool: whose centre lies in a box; small boxes count as larger."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=_LEAST_SIDE_PX / 2)
    return ((centres[None] - middle[:, None]).abs() < half[:, None]).all(-1)
