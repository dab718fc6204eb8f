"""The entropy model: the order of a walk, the choice of means and tables, and costs."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Base, EntropyModel, Step, SymbolError, Writer, make_encoder
from pantel_codec.context import Prediction
from pantel_codec.entropy import RESIDUAL_LIMIT, SCALE_LEVELS, VALUE_LIMIT, VALUE_ONE, _step

Arrays = dict[str, NDArray[np.int32]]


def steps_of(model: EntropyModel, rows: int, columns: int, levels: int, base: Base | None = None) -> list[Step]:
    steps: list[Step] = []

    def visit(step: Step) -> NDArray[np.int64]:
        steps.append(step)
        return np.full(step.mean.shape, len(steps))

    values = model.walk(rows, columns, 0, levels, visit, base=base).reshape(model.channels, -1)
    for number, step in enumerate(steps, 1):
        assert np.all(values[step.channels, step.cells] == step.mean + number * VALUE_ONE)
        assert np.all(step.residual(values) == number)
    return steps


def test_a_walk_goes_group_by_group_stage_by_stage_and_slice_by_slice(model: EntropyModel) -> None:
    steps = steps_of(model, 3, 3, 3)
    first, second, *others = (slice(0, 1), slice(1, 2), slice(2, 5), slice(5, 9))  # the coarsest group has two slices
    order = [(0, own, cells) for cells in ([0], [8], [2, 6], [4], [1, 3, 5, 7]) for own in (first, second)]
    order += [(group, own, cells) for group, own in enumerate(others, 1) for cells in ([0, 2, 4, 6, 8], [1, 3, 5, 7])]
    assert [(step.group, step.channels, step.cells.tolist()) for step in steps] == order
    for step in steps:
        size = step.channels.stop - step.channels.start
        assert step.mean.shape == step.table.shape == (size, len(step.cells))


def test_a_single_cell_has_one_stage_in_each_group(model: EntropyModel) -> None:
    assert [step.group for step in steps_of(model, 1, 1, 3)] == [0, 0, 1, 2]


def test_groups_that_are_not_coded_stay_zero(model: EntropyModel) -> None:
    values = model.walk(2, 2, 0, 2, lambda step: np.ones_like(step.mean))
    assert values[:5].all()
    assert not values[5:].any()


@pytest.mark.parametrize("levels", [0, 4, -1])
def test_groups_that_do_not_exist_are_refused(model: EntropyModel, levels: int) -> None:
    with pytest.raises(SymbolError, match="channel groups"):
        model.walk(2, 2, 0, levels, lambda step: step.mean)


def test_a_walk_over_cells_that_are_refined_has_two_stages_and_its_own_tables(model: EntropyModel) -> None:
    base = Base(np.zeros((9, 3, 3), np.int64), np.full((3, 3), 2, np.uint8), 1)
    steps = steps_of(model, 3, 3, 3, base)
    cells = [[0, 2, 4, 6, 8], [1, 3, 5, 7]]
    assert [(step.group, step.cells.tolist()) for step in steps] == [(g, half) for g in range(3) for half in cells]
    assert all(SCALE_LEVELS <= step.table.min() <= step.table.max() < 2 * SCALE_LEVELS for step in steps)


def test_means_follow_the_base(model: EntropyModel, arrays: Arrays) -> None:
    values = np.zeros((9, 1, 1), np.int64)
    values[0] = 100_000  # beyond what the networks are shown
    ratio = float(arrays["steps"][1, 0]) / float(arrays["steps"][0, 0])
    held = [
        Base(each, np.full((1, 1), 3, np.uint8), 1)
        for each in (values, values + 5000 * (np.arange(9) == 0)[:, None, None])
    ]
    first, second = (steps_of(model, 1, 1, 3, base)[0] for base in held)
    assert (second.mean - first.mean)[0].item() == round(105_000 * ratio) - round(100_000 * ratio)
    assert (second.mean - first.mean)[1].item() == 0


def test_bases_that_do_not_fit_are_refused(model: EntropyModel) -> None:
    values, level = np.zeros((9, 2, 2), np.int64), np.full((2, 2), 2, np.uint8)
    for base in (
        Base(values, level, 5),
        Base(values, level * 0, 1),
        Base(values, level + 1, 1),  # three levels, of which two are told
        Base(values[:8], level, 1),
        Base(values[:, :1], level[:1], 1),
    ):
        with pytest.raises(SymbolError, match="base"):
            model.walk(2, 2, 0, 2, lambda step: step.mean, base=base)


@pytest.mark.parametrize("quality", [-1, 5])
def test_qualities_that_do_not_exist_are_refused(model: EntropyModel, quality: int) -> None:
    with pytest.raises(SymbolError, match="quality"):
        model.walk(2, 2, quality, 1, lambda step: step.mean)


def test_a_mean_stays_as_it_is() -> None:
    mean = np.array([[-1000.0, 0, 31, VALUE_LIMIT]])
    step = _step(0, slice(0, 1), np.arange(4), Prediction(mean, np.zeros((1, 4))), 0)
    np.testing.assert_array_equal(step.mean, mean)


def test_values_of_another_context_are_refused() -> None:
    step = Step(0, slice(0, 1), np.arange(2), mean=np.array([[3, 70]]), table=np.zeros((1, 2), np.int64))
    np.testing.assert_array_equal(step.residual(np.array([[3 - VALUE_ONE, 70 + 2 * VALUE_ONE]])), [[-1, 2]])
    with pytest.raises(SymbolError, match="whole steps"):
        step.residual(np.array([[3, 71]]))


@pytest.mark.parametrize(
    ("log_scale", "level"),
    [(-3 * 256, 0), (-3 * 256 + 31, 0), (-3 * 256 + 32, 1), (0, 24), (3 * 256 - 1, 47), (3 * 256, 47)],
)
def test_a_log_scale_becomes_a_bucket_of_an_eighth_neper(log_scale: int, level: int) -> None:
    step = _step(0, slice(0, 1), np.zeros(1, np.intp), Prediction(np.zeros((1, 1)), np.array([[log_scale]], float)), 0)
    assert step.table.item() == level


@pytest.mark.parametrize("sign", [-1, 1])
def test_absurd_predictions_become_the_nearest_sensible_ones(model: EntropyModel, sign: int) -> None:
    absurd = np.array([[sign * 2.0**50]])
    step = _step(0, slice(0, 1), np.zeros(1, np.intp), Prediction(absurd, absurd), 0)
    assert step.mean.item() == sign * VALUE_LIMIT
    assert 0 <= step.table.item() < len(model.tables)


def test_bits_are_those_of_the_tables(model: EntropyModel) -> None:
    table = np.array([3, 40])
    expected = [model.tables[3].cost_bits[RESIDUAL_LIMIT + 2], model.tables[40].cost_bits[RESIDUAL_LIMIT - 15]]
    np.testing.assert_array_equal(model.bits(table, np.array([2, -15])), expected)


@pytest.mark.parametrize(
    ("residual", "extra"), [(16, 1), (-16, 1), (17, 3), (18, 3), (19, 5), (-31, 9), (16 + 4078, 23)]
)
def test_escaped_residuals_cost_an_exp_golomb_code_more(model: EntropyModel, residual: int, extra: int) -> None:
    end = model.tables[30].cost_bits[0 if residual < 0 else -1]
    assert model.bits(np.array([30]), np.array([residual])).item() == end + extra


def test_bits_add_up_to_what_the_range_coder_counts(
    model: EntropyModel, values_of: Callable[..., NDArray[np.int64]]
) -> None:
    residuals = np.rint(np.random.default_rng(1).laplace(0, 4, (9, 7, 6))).astype(np.int64)
    residuals[4, 3, 3] = 300
    encoder = make_encoder()
    writer = Writer(model, values_of(residuals, 2, 3), encoder)
    bits = 0.0

    def visit(step: Step) -> NDArray[np.int64]:
        nonlocal bits
        written = writer(step)
        bits += float(model.bits(step.table, written).sum())
        return written

    model.walk(7, 6, 2, 3, visit)
    assert encoder.information_bits == pytest.approx(bits, abs=0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("groups", np.zeros(0, np.int32)),
        ("groups", np.array([2, 0, 4], np.int32)),
        ("slices", np.array([1, 2, 2, 4], np.int32)),
        ("slices", np.array([2, 3, 4], np.int32)),
        ("residual_counts", np.ones((48, 32), np.int32)),
        ("residual_counts", np.full((48, 33), -1, np.int32)),
        ("context1_bias", np.zeros((4, 2, 8), np.int32)),
        ("refinement_counts", np.ones((47, 33), np.int32)),
        ("refinement1_bias", np.zeros((4, 2, 8), np.int32)),
        ("refinement2_base_bias", np.zeros((4, 8), np.int32)),
        ("steps", np.ones((5, 8), np.float32)),
        ("steps", np.zeros((5, 9), np.float32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: Arrays, name: str, value: NDArray[np.int32]) -> None:
    arrays[name] = value
    with pytest.raises(SymbolError):
        EntropyModel(arrays)


@pytest.mark.parametrize("name", ["groups", "residual_counts", "context2_head", "refinement0_base_bias"])
def test_missing_arrays_are_named(arrays: Arrays, name: str) -> None:
    del arrays[name]
    with pytest.raises(SymbolError, match=name):
        EntropyModel(arrays)
