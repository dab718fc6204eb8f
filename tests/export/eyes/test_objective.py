"""Which cell answers for which object, and what wrong answers cost."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor

from pantel_export.eyes.network import cell_centres
from pantel_export.eyes.objective import assign, complete_iou, detection_loss, pairwise_iou, to_boxes

_CENTRES, _STRIDES = cell_centres(64, 64)


def _guess(size: float) -> Tensor:
    """Return for each cell a box of a size around its centre."""
    return torch.cat([_CENTRES - size / 2, _CENTRES + size / 2], 1)


def test_cells_of_all_scales() -> None:
    assert len(_CENTRES) == 64 + 16 + 4
    assert _CENTRES[0].tolist() == [4, 4]
    assert _CENTRES[64].tolist() == [8, 8]
    assert _STRIDES[[0, 63, 64, 80]].flatten().tolist() == [8, 8, 16, 32]


def test_boxes_of_distances() -> None:
    boxes = to_boxes(torch.zeros(len(_CENTRES), 4), _CENTRES, _STRIDES)
    assert boxes[0].tolist() == [-4, -4, 12, 12]
    assert boxes[-1].tolist() == [16, 16, 80, 80]


def test_cells_inside_answer_and_the_best_of_them_should_be_surest() -> None:
    box = torch.tensor([[16.0, 16.0, 40.0, 40.0]])
    scores = torch.full((len(_CENTRES), 5), 0.1)
    found = assign(scores, _guess(24), _CENTRES, boxes=box, classes=torch.tensor([3]), sure=torch.tensor([True]))
    assert 0 < int(found.answers.sum()) <= 10
    assert ((_CENTRES[found.answers] > 16) & (_CENTRES[found.answers] < 40)).all()
    best = int(found.scores[:, 3].argmax())
    assert _CENTRES[best].tolist() in ([28.0, 28.0], [24.0, 24.0])
    assert found.scores[:, 3].max() == pytest.approx(float(pairwise_iou(box, _guess(24)).max()), abs=1e-4)
    assert found.scores[:, [0, 1, 2, 4]].sum() == 0


def test_a_cell_answers_for_one_object_only() -> None:
    boxes = torch.tensor([[8.0, 8.0, 40.0, 40.0], [8.0, 8.0, 44.0, 44.0]])
    scores = torch.full((len(_CENTRES), 5), 0.1)
    found = assign(
        scores, _guess(32), _CENTRES, boxes=boxes, classes=torch.tensor([0, 2]), sure=torch.tensor([True, True])
    )
    assert (found.scores > 0).sum(1).max() == 1


def test_what_is_not_sure_is_neither_right_nor_wrong() -> None:
    box = torch.tensor([[16.0, 16.0, 40.0, 40.0]])
    scores = torch.full((len(_CENTRES), 5), 0.1)
    found = assign(scores, _guess(24), _CENTRES, boxes=box, classes=torch.tensor([2]), sure=torch.tensor([False]))
    assert not found.answers.any()
    logits = torch.full((1, len(_CENTRES), 5), -9.0)
    logits[0, found.counts[:, 2] == 0, 2] = 9.0
    quiet = detection_loss(torch.full_like(logits, -9.0), _guess(24)[None], [found], 1.0)[0]
    assert float(detection_loss(logits, _guess(24)[None], [found], 1.0)[0]) == pytest.approx(float(quiet), abs=0.02)


def test_small_objects_have_a_cell_too() -> None:
    box = torch.tensor([[6.5, 6.5, 9.5, 9.5]])  # no cell's centre lies inside
    scores = torch.full((len(_CENTRES), 5), 0.1)
    found = assign(scores, _guess(4), _CENTRES, boxes=box, classes=torch.tensor([0]), sure=torch.tensor([True]))
    assert found.answers.any()


def test_no_objects() -> None:
    scores = torch.full((len(_CENTRES), 5), 0.1)
    none = torch.zeros(0, dtype=torch.int64)
    found = assign(scores, _guess(8), _CENTRES, boxes=torch.zeros(0, 4), classes=none, sure=none > 0)
    loss, _ = detection_loss(torch.full((1, len(_CENTRES), 5), -9.0), _guess(8)[None], [found], 5.0)
    assert float(loss) < 0.1


def test_complete_iou_of_equal_and_distant_boxes() -> None:
    box = torch.tensor([[0.0, 0.0, 10.0, 20.0]])
    assert float(complete_iou(box, box)) == pytest.approx(1.0, abs=1e-4)
    near, far = torch.tensor([[12.0, 0.0, 22.0, 20.0]]), torch.tensor([[60.0, 0.0, 70.0, 20.0]])
    assert float(complete_iou(box, far)) < float(complete_iou(box, near)) < 0
