"""Quantization: what a symbol costs and what it is worth decide about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import SYMBOL_LIMIT, EntropyModel, Step
from pantel_models import Quantized, Quantizer

CHANNELS, QUALITIES, LEVELS = 9, 5, 3


@pytest.fixture(scope="module")
def quantizer() -> Quantizer:
    steps = np.geomspace(4, 0.5, QUALITIES)[:, None] * np.linspace(1, 2, CHANNELS)
    return Quantizer(
        steps.astype(np.float32),
        rate_weight=np.geomspace(1, 0.01, QUALITIES).astype(np.float32),
        sensitivity=np.linspace(1, 0.1, CHANNELS).astype(np.float32),
    )


def latents_of(seed: int, rows: int = 5, columns: int = 6, spread: float = 3.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).laplace(0, spread, (CHANNELS, rows, columns)).astype(np.float32)


def cost(
    quantizer: Quantizer, model: EntropyModel, latents: NDArray[np.float32], symbols: NDArray[np.int64], price: float
) -> float:
    """Return distortion + price * bits of symbols of quality 2, worked out the long way."""
    total = 0.0
    scaled = latents.astype(np.float64) / quantizer.steps[2].astype(np.float64)[:, None, None]
    worth = quantizer.sensitivity.astype(np.float64) * quantizer.steps[2].astype(np.float64) ** 2 / 3

    def visit(step: Step) -> NDArray[np.int64]:
        nonlocal total
        chosen = symbols[step.channels].reshape(len(step.center), -1)[:, step.cells]
        target = scaled[step.channels].reshape(len(step.center), -1)[:, step.cells]
        total += float((worth[step.channels, None] * (chosen - target) ** 2).sum())
        total += price * float(model.step_bits(step, chosen).sum())
        return chosen

    _, rows, columns = symbols.shape
    model.walk(rows, columns, 2, range(LEVELS), visit)
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, QUALITIES - 1))
def test_without_a_price_symbols_are_the_nearest(
    quantizer: Quantizer, model: EntropyModel, seed: int, rows: int, quality: int
) -> None:
    latents = latents_of(seed, rows, 7 - rows)
    quantized = quantizer.quantize(latents, model, quality, strength=0.0)
    nearest = np.rint(latents / quantizer.steps[quality][:, None, None])
    np.testing.assert_array_equal(quantized.symbols, nearest)


def test_each_symbol_has_the_least_cost_of_its_candidates(quantizer: Quantizer, model: EntropyModel) -> None:
    """In the last step, on which no context depends, no other candidate would be cheaper."""
    latents = latents_of(4)
    symbols = quantizer.quantize(latents, model, 2, strength=1.0).symbols
    price = float(quantizer.rate_weight[2])
    best = cost(quantizer, model, latents, symbols, price)
    nearest = np.rint(latents / quantizer.steps[2][:, None, None]).astype(np.int64)
    for channel in range(5, CHANNELS):
        for row, column in ((0, 1), (2, 3), (4, 5)):  # the second half of the checkerboard
            for candidate in {0, int(nearest[channel, row, column])}:
                other = symbols.copy()
                other[channel, row, column] = candidate
                assert cost(quantizer, model, latents, other, price) >= best - 1e-6


def test_bits_and_gain_are_those_of_the_symbols(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(5)
    quantized = quantizer.quantize(latents, model, 2)
    bits = cost(quantizer, model, latents, quantized.symbols, 1.0) - cost(
        quantizer, model, latents, quantized.symbols, 0.0
    )
    error = cost(quantizer, model, latents, quantized.symbols, 0.0)
    nothing = cost(quantizer, model, latents, np.zeros_like(quantized.symbols), 0.0)
    assert quantized.bits.sum() == pytest.approx(bits)
    assert quantized.gain.sum() == pytest.approx(nothing - error, rel=1e-5)


def test_more_strength_gives_fewer_bits_and_more_error(quantizer: Quantizer, model: EntropyModel) -> None:
    results = [quantizer.quantize(latents_of(6), model, 2, strength=strength) for strength in (0, 0.5, 2, 8, 1000)]
    bits = [result.bits.sum() for result in results]
    gains = [result.gain.sum() for result in results]
    assert bits == sorted(bits, reverse=True)
    assert gains == sorted(gains, reverse=True)


def test_important_cells_are_quantized_with_more_care(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(7)
    importance = np.full((5, 6), 0.05, np.float32)
    importance[:, :3] = 20
    plain, weighted = (
        quantizer.quantize(latents, model, 2, strength=2.0, importance=given) for given in (None, importance)
    )
    errors = [
        ((quantizer.dequantize(result.symbols, 2) - latents)[:, :, :3] ** 2).sum() for result in (plain, weighted)
    ]
    assert errors[1] < errors[0]
    assert np.count_nonzero(weighted.symbols[:, :, 3:]) < np.count_nonzero(plain.symbols[:, :, 3:])


def test_only_the_groups_asked_for_are_quantized(quantizer: Quantizer, model: EntropyModel) -> None:
    quantized = quantizer.quantize(latents_of(8), model, 4, groups=range(1, 2))
    assert quantized.symbols[2:5].any()
    assert not quantized.symbols[:2].any()
    assert not quantized.symbols[5:].any()
    assert [bits > 0 for bits in quantized.bits] == [False, True, False]


def test_absurd_latents_stay_within_what_can_be_coded(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(9) * np.float32(1e6)
    assert np.abs(quantizer.quantize(latents, model, 0).symbols).max() == SYMBOL_LIMIT


@pytest.mark.parametrize(
    ("gain", "levels"), [([5, 5, 5], 3), ([5, 5, 0], 2), ([5, 0, 5], 3), ([5, 0, 1], 1), ([0, 0, 0], 1)]
)
def test_levels_end_with_the_last_that_pays(quantizer: Quantizer, gain: list[float], levels: int) -> None:
    price = float(quantizer.rate_weight[2])
    quantized = Quantized(np.zeros((CHANNELS, 1, 1), np.int64), np.full(LEVELS, 1 / price), np.array(gain, float))
    assert quantizer.levels_worth_coding(quantized, 2) == levels


def test_dequantization_multiplies_with_the_steps(quantizer: Quantizer) -> None:
    symbols = np.arange(CHANNELS)[:, None, None] - 4
    latents = quantizer.dequantize(symbols, 3)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents[:, 0, 0], (np.arange(CHANNELS) - 4) * quantizer.steps[3], rtol=1e-6)
