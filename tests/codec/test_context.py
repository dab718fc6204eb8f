"""The context network: its fixed-point arithmetic, and what it may see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec.context import ACTIVATION_BITS, KNOWN_LIMIT, ContextNetwork, KnownValues
from pantel_codec.errors import SymbolError
from pantel_codec.slices import ChannelSlices
from pantel_codec.stages import stages_of

SLICES = ChannelSlices.of((2, 3, 4), (1, 1, 3, 4))
REACHES = (1, 2, 1, 2)
ONE = 1 << ACTIVATION_BITS
Arrays = dict[str, NDArray[np.int32]]


def reference(
    arrays: Arrays, known: list[NDArray[np.int64]], seen: NDArray[np.int64], *, index: int, quality: int, stage: int
) -> NDArray[np.int64]:
    """Compute a network's outputs (2 * channels, rows, columns) as `docs/codec.md` describes it, in integers.

    Args:
        arrays: The artefact's arrays.
        known: Values (channels, rows, columns) of each slice up to the last of the group, zero where not known.
        seen: (slices, rows, columns), 1 where each of these slices is known.
        index: Of the predicted slice.
        quality: Index of the quantizer.
        stage: Index of the stage.
    """
    layer = {name: arrays[f"context{index}_{name}"].astype(np.int64) for name in ("spatial", "bias", "hidden", "head")}
    values = np.clip(np.concatenate(known), -KNOWN_LIMIT * ONE, KNOWN_LIMIT * ONE)
    dilation = stages_of(SLICES.groups[index])[stage].dilation
    border = REACHES[index] * dilation
    x = np.pad(np.concatenate([values, np.abs(values), seen * ONE]), ((0, 0), (border, border), (border, border)))
    rows, columns = seen.shape[1:]
    steps = range(0, 2 * border + 1, dilation)
    taps = [x[:, dy : dy + rows, dx : dx + columns] for dy in steps for dx in steps]
    weights = layer["spatial"][dilation - 1].T
    x = np.tensordot(weights, np.concatenate(taps), 1) + layer["bias"][quality, stage][:, None, None]
    x = np.clip((x + 512) >> 10, 0, 1 << 20)
    x = np.tensordot(layer["hidden"].T, x, 1) + arrays[f"context{index}_hidden_bias"][:, None, None]
    x = np.clip((x + 512) >> 10, 0, 1 << 20)
    x = np.tensordot(layer["head"].T, x, 1) + arrays[f"context{index}_head_bias"][:, None, None]
    return (x + 512) >> 10


def random_values(rng: np.random.Generator, index: int, rows: int, columns: int) -> NDArray[np.int64]:
    return np.rint(rng.laplace(0, ONE * rng.choice([1, 20]), (SLICES.sizes[index], rows, columns))).astype(np.int64)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_equals_the_plain_description(rows: int, columns: int, first: int, group: int, seed: int) -> None:
    """The groups before the first are no part of the block."""
    group = max(first, group)
    arrays = spread_arrays(seed)
    rng = np.random.default_rng(seed)
    known = KnownValues(SLICES, rows, columns)
    own = SLICES.of_group(group)
    values = [random_values(rng, index, rows, columns) for index in range(own.stop)]
    told = [np.zeros_like(each) for each in values]
    seen = np.zeros((own.stop, rows, columns), np.int64)

    def learn(index: int, stage: int) -> None:
        cells = known.cells[SLICES.groups[index]][stage]
        named = values[index].reshape(len(values[index]), -1)[:, cells]
        known.learn(index, stage, named)
        told[index].reshape(len(named), -1)[:, cells] = named
        seen[index].flat[cells] = 1

    for before in range(first, group):
        for index in SLICES.of_group(before):
            for stage in range(len(known.cells[before])):
                learn(index, stage)
    for stage, cells in enumerate(known.cells[group]):
        for index in own:
            network = ContextNetwork.from_arrays(arrays, index, SLICES)
            if not cells.size:
                continue
            prediction = network.predict(known, quality=1, stage=stage)
            expected = reference(arrays, told, seen, index=index, quality=1, stage=stage)
            got = np.concatenate([prediction.mean, prediction.log_scale])
            np.testing.assert_array_equal(got, expected.reshape(len(got), -1)[:, cells])
            learn(index, stage)


def spread_arrays(seed: int) -> Arrays:
    """Return arrays of random networks."""
    rng = np.random.default_rng(seed)
    width, arrays = 5, {}
    for index, channels in enumerate(SLICES.sizes):
        group = SLICES.groups[index]
        known = SLICES.sizes[: SLICES.of_group(group).stop]
        inputs = 2 * sum(known) + len(known)
        stages = stages_of(group)
        dilations = len({stage.dilation for stage in stages})
        shapes = {
            "spatial": (dilations, (2 * REACHES[index] + 1) ** 2 * inputs, width),
            "bias": (2, len(stages), width),
            "hidden": (width, width),
            "hidden_bias": (width,),
            "head": (width, 2 * channels),
            "head_bias": (2 * channels,),
        }
        for name, shape in shapes.items():
            arrays[f"context{index}_{name}"] = rng.integers(-1000, 1000, shape, np.int32)
    return arrays


@pytest.mark.parametrize("group", [0, 1])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 2), (1, 5), (4, 1), (3, 3), (9, 7)])
def test_the_stages_hold_every_cell_once(rows: int, columns: int, group: int) -> None:
    cells = KnownValues(SLICES, rows, columns).cells[group]
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
    network = ContextNetwork.from_arrays(spread_arrays(1), 2, SLICES)
    outputs = []
    for size in (KNOWN_LIMIT * ONE, KNOWN_LIMIT * ONE + 1, 2047 * ONE):
        known = KnownValues(SLICES, 2, 2)
        known.learn(0, 0, np.full((1, 1), -size))
        outputs.append(network.predict(known, 0, 0).mean)
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_the_largest_weights_and_inputs_stay_exact() -> None:
    """The accumulators come near their bound, and still nothing is rounded."""
    arrays = spread_arrays(2)
    arrays["context0_spatial"][:] = np.iinfo(np.int32).max
    arrays["context0_hidden"][:] = 3 << 28
    known = KnownValues(SLICES, 3, 3)
    prediction = ContextNetwork.from_arrays(arrays, 0, SLICES).predict(known, 0, 0)
    told, seen = [np.zeros((1, 3, 3), np.int64)] * 2, np.zeros((2, 3, 3), np.int64)
    expected = reference(arrays, told, seen, index=0, quality=0, stage=0)
    np.testing.assert_array_equal(prediction.mean, expected[:1].reshape(1, -1)[:, known.cells[0][0]])


@pytest.mark.parametrize("name", ["spatial", "bias", "hidden", "hidden_bias", "head", "head_bias"])
def test_arrays_that_do_not_fit_are_refused(arrays: Arrays, name: str) -> None:
    key = f"context1_{name}"
    arrays[key] = arrays[key][..., :-1]
    with pytest.raises(SymbolError, match="do not fit together"):
        ContextNetwork.from_arrays(arrays, 1, SLICES)
    del arrays[key]
    with pytest.raises(SymbolError, match=key):
        ContextNetwork.from_arrays(arrays, 1, SLICES)


def test_weights_that_could_lose_exactness_are_refused(arrays: Arrays) -> None:
    arrays["context0_hidden"][:] = np.iinfo(np.int32).max
    with pytest.raises(SymbolError, match="too large"):
        ContextNetwork.from_arrays(arrays, 0, SLICES)


@pytest.mark.parametrize("sizes", [(), (2, 3), (2, 3, 4, 1), (1, 4, 4), (2, 0, 3, 4), (3, 2, 4)])
def test_slices_that_do_not_cut_the_groups_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(SymbolError, match="do not cut groups"):
        ChannelSlices.of((2, 3, 4), sizes)


def test_slices_know_their_channels_and_their_group() -> None:
    assert SLICES.groups == (0, 0, 1, 2)
    assert [SLICES.channels(index) for index in range(4)] == [slice(0, 1), slice(1, 2), slice(2, 5), slice(5, 9)]
    assert [SLICES.of_group(group) for group in range(3)] == [range(2), range(2, 3), range(3, 4)]
