"""The context network: its fixed-point arithmetic, and what it may see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec.context import ACTIVATION_BITS, KNOWN_LIMIT, ContextNetwork, KnownValues
from pantel_codec.errors import SymbolError
from pantel_codec.stages import stages_of

GROUPS = (2, 3, 4)
ONE = 1 << ACTIVATION_BITS
Arrays = dict[str, NDArray[np.int32]]


def reference(
    arrays: Arrays, known: list[NDArray[np.int64]], seen: NDArray[np.int64], *, quality: int, stage: int
) -> NDArray[np.int64]:
    """Compute a network's outputs (2 * channels, rows, columns) as `docs/codec.md` describes it, in integers.

    Args:
        arrays: The artefact's arrays.
        known: Values (channels, rows, columns) of each group up to the predicted one, zero where not known.
        seen: (groups, rows, columns), 1 where each of these groups is known.
        quality: Index of the quantizer.
        stage: Index of the stage.
    """
    group = len(known) - 1
    layer = {name: arrays[f"context{group}_{name}"].astype(np.int64) for name in ("spatial", "bias", "hidden", "head")}
    values = np.clip(np.concatenate(known), -KNOWN_LIMIT * ONE, KNOWN_LIMIT * ONE)
    dilation = stages_of(group)[stage].dilation
    x = np.pad(
        np.concatenate([values, np.abs(values), seen * ONE]), ((0, 0), (dilation, dilation), (dilation, dilation))
    )
    rows, columns = seen.shape[1:]
    steps = range(0, 3 * dilation, dilation)
    taps = [x[:, dy : dy + rows, dx : dx + columns] for dy in steps for dx in steps]
    weights = layer["spatial"][dilation - 1].T
    x = np.tensordot(weights, np.concatenate(taps), 1) + layer["bias"][quality, stage][:, None, None]
    x = np.clip((x + 512) >> 10, 0, 1 << 20)
    x = np.tensordot(layer["hidden"].T, x, 1) + arrays[f"context{group}_hidden_bias"][:, None, None]
    x = np.clip((x + 512) >> 10, 0, 1 << 20)
    x = np.tensordot(layer["head"].T, x, 1) + arrays[f"context{group}_head_bias"][:, None, None]
    return (x + 512) >> 10


def random_values(rng: np.random.Generator, group: int, rows: int, columns: int) -> NDArray[np.int64]:
    return np.rint(rng.laplace(0, ONE * rng.choice([1, 20]), (GROUPS[group], rows, columns))).astype(np.int64)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_equals_the_plain_description(rows: int, columns: int, first: int, group: int, seed: int) -> None:
    group = max(first, group)
    arrays = spread_arrays(seed)
    network = ContextNetwork.from_arrays(arrays, group, GROUPS)
    rng = np.random.default_rng(seed)
    values = [random_values(rng, g, rows, columns) * (g >= first) for g in range(group + 1)]
    known = KnownValues(GROUPS, rows, columns)
    seen = np.zeros((group + 1, rows, columns), np.int64)
    for g in range(first, group):
        seen[g] = 1
        for stage, cells in enumerate(known.cells[g]):
            known.learn(g, stage, values[g].reshape(GROUPS[g], -1)[:, cells])
    own = np.zeros_like(values[group])

    for stage, cells in enumerate(known.cells[group]):
        if not cells.size:
            continue
        prediction = network.predict(known, quality=1, stage=stage)
        expected = reference(arrays, [*values[:group], own], seen, quality=1, stage=stage)
        got = np.concatenate([prediction.mean, prediction.log_scale])
        np.testing.assert_array_equal(got, expected.reshape(len(got), -1)[:, cells])
        named = values[group].reshape(GROUPS[group], -1)[:, cells]
        known.learn(group, stage, named)
        own.reshape(GROUPS[group], -1)[:, cells] = named
        seen[group].flat[cells] = 1


def spread_arrays(seed: int) -> Arrays:
    """Return arrays of random networks."""
    rng = np.random.default_rng(seed)
    width, arrays = 5, {}
    for group, channels in enumerate(GROUPS):
        inputs = 2 * sum(GROUPS[: group + 1]) + group + 1
        stages = stages_of(group)
        dilations = len({stage.dilation for stage in stages})
        shapes = {
            "spatial": (dilations, 9 * inputs, width),
            "bias": (2, len(stages), width),
            "hidden": (width, width),
            "hidden_bias": (width,),
            "head": (width, 2 * channels),
            "head_bias": (2 * channels,),
        }
        for name, shape in shapes.items():
            arrays[f"context{group}_{name}"] = rng.integers(-1000, 1000, shape, np.int32)
    return arrays


@pytest.mark.parametrize("group", [0, 1])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 2), (1, 5), (4, 1), (3, 3), (9, 7)])
def test_the_stages_hold_every_cell_once(rows: int, columns: int, group: int) -> None:
    cells = KnownValues(GROUPS, rows, columns).cells[group]
    assert sorted(np.concatenate(cells)) == list(range(rows * columns))


@pytest.mark.parametrize(("group", "neighbours"), [(0, (0, 4, 4, 4, 4)), (1, (0, 4))])
def test_later_stages_stand_between_known_cells(group: int, neighbours: tuple[int, ...]) -> None:
    known = np.zeros((13, 13), int)
    for stage, count in zip(stages_of(group), neighbours, strict=True):
        mask = stage.mask(13, 13)
        for row, column in np.argwhere(mask[4:9, 4:9]) + 4:
            d = stage.dilation
            assert known[row - d : row + d + 1 : d, column - d : column + d + 1 : d].sum() >= count
        known += mask
    assert np.all(known == 1)


def test_values_beyond_the_limit_look_like_the_limit() -> None:
    network = ContextNetwork.from_arrays(spread_arrays(1), 1, GROUPS)
    outputs = []
    for size in (KNOWN_LIMIT * ONE, KNOWN_LIMIT * ONE + 1, 2047 * ONE):
        known = KnownValues(GROUPS, 2, 2)
        known.learn(0, 0, np.full((2, 1), -size))
        outputs.append(network.predict(known, 0, 0).mean)
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_the_largest_weights_and_inputs_stay_exact() -> None:
    """The accumulators come near their bound, and still nothing is rounded."""
    arrays = spread_arrays(2)
    arrays["context0_spatial"][:] = np.iinfo(np.int32).max
    arrays["context0_hidden"][:] = 3 << 28
    known = KnownValues(GROUPS, 3, 3)
    prediction = ContextNetwork.from_arrays(arrays, 0, GROUPS).predict(known, 0, 0)
    expected = reference(arrays, [np.zeros((2, 3, 3), np.int64)], np.zeros((1, 3, 3), np.int64), quality=0, stage=0)
    np.testing.assert_array_equal(prediction.mean, expected[:2].reshape(2, -1)[:, known.cells[0][0]])


@pytest.mark.parametrize("name", ["spatial", "bias", "hidden", "hidden_bias", "head", "head_bias"])
def test_arrays_that_do_not_fit_are_refused(arrays: Arrays, name: str) -> None:
    key = f"context1_{name}"
    arrays[key] = arrays[key][..., :-1]
    with pytest.raises(SymbolError, match="do not fit together"):
        ContextNetwork.from_arrays(arrays, 1, GROUPS)
    del arrays[key]
    with pytest.raises(SymbolError, match=key):
        ContextNetwork.from_arrays(arrays, 1, GROUPS)


def test_weights_that_could_lose_exactness_are_refused(arrays: Arrays) -> None:
    arrays["context0_hidden"][:] = np.iinfo(np.int32).max
    with pytest.raises(SymbolError, match="too large"):
        ContextNetwork.from_arrays(arrays, 0, GROUPS)
