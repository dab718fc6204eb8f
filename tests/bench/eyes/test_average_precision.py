"""Average precision: of perfect, missing, double and wrong boxes, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pantel_bench.metrics.average_precision import Judged, average_precision
from pantel_device.frame import Box

_TRUE = Box(10, 10, 30, 50, "person")
_OTHER = Box(100, 10, 120, 50, "person")


def _sure(box: Box, score: float) -> Box:
    return replace(box, score=score)


def test_perfect_boxes() -> None:
    assert average_precision([Judged([_TRUE, _OTHER], [_OTHER, _TRUE])]) == pytest.approx(1.0)


def test_nothing_to_find_has_no_precision() -> None:
    assert average_precision([Judged([_TRUE], [])]) is None


def test_nothing_found() -> None:
    assert average_precision([Judged([], [_TRUE])]) == 0.0


def test_half_is_found() -> None:
    assert average_precision([Judged([_TRUE], [_TRUE, _OTHER])]) == pytest.approx(51 / 101)  # recalls 0 to 0.5


def test_a_second_box_of_one_object_is_wrong() -> None:
    double = replace(_TRUE, x0=11, score=0.9)
    worse = average_precision([Judged([_sure(_TRUE, 0.95), double, _sure(_OTHER, 0.5)], [_TRUE, _OTHER])])
    # Right, wrong, right: a precision of 1 up to a recall of 0.5, then 2/3.
    assert worse == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_a_sure_box_in_the_wrong_place_costs_more_than_an_unsure_one() -> None:
    wrong = Box(200, 200, 220, 240, "person")
    sure = average_precision([Judged([_sure(wrong, 0.9), _sure(_TRUE, 0.5)], [_TRUE])])
    unsure = average_precision([Judged([_sure(wrong, 0.2), _sure(_TRUE, 0.5)], [_TRUE])])
    assert sure == pytest.approx(0.5)
    assert unsure == pytest.approx(1.0)


def test_scores_are_compared_over_all_pictures() -> None:
    wrong = Box(200, 200, 220, 240, "person")
    pictures = [Judged([_sure(wrong, 0.9)], []), Judged([_sure(_TRUE, 0.5)], [_TRUE])]
    assert average_precision(pictures) == pytest.approx(0.5)


def test_what_is_ignored_is_neither_right_nor_wrong() -> None:
    assert average_precision([Judged([_sure(_OTHER, 0.9), _sure(_TRUE, 0.5)], [_TRUE], [_OTHER])]) == pytest.approx(1.0)


@pytest.mark.parametrize(("shift", "found"), [(6, 1.0), (7, 0.0)])  # IoU 14/26 and 13/27
def test_half_of_the_union_must_be_shared(shift: float, found: float) -> None:
    moved = replace(_TRUE, x0=_TRUE.x0 + shift, x1=_TRUE.x1 + shift)
    assert average_precision([Judged([moved], [_TRUE])]) == pytest.approx(found)
