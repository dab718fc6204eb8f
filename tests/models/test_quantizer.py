"""Quantization: what a residual costs and what it is worth decide about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import VALUE_LIMIT, VALUE_ONE, Base, EntropyModel, Step
from pantel_models import Quantizer

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
    quantizer: Quantizer, model: EntropyModel, latents: NDArray[np.float32], values: NDArray[np.int64], price: float
) -> float:
    """Return distortion + price * bits of values of quality 2, worked out the long way."""
    total = 0.0
    scaled = latents.astype(np.float64) / quantizer.steps[2].astype(np.float64)[:, None, None]
    worth = quantizer.sensitivity.astype(np.float64) * quantizer.steps[2].astype(np.float64) ** 2 / 3

    def visit(step: Step) -> NDArray[np.int64]:
        nonlocal total
        chosen = values.reshape(CHANNELS, -1)[step.channels, step.cells] / VALUE_ONE
        target = scaled[step.channels].reshape(len(step.mean), -1)[:, step.cells]
        total += float((worth[step.channels, None] * (chosen - target) ** 2).sum())
        residual = step.residual(values.reshape(CHANNELS, -1))
        total += price * float(model.bits(step.table, residual).sum())
        return residual

    _, rows, columns = values.shape
    model.walk(rows, columns, 2, LEVELS, visit)
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, QUALITIES - 1))
def test_without_a_price_values_are_the_nearest(
    quantizer: Quantizer, model: EntropyModel, seed: int, rows: int, quality: int
) -> None:
    latents = latents_of(seed, rows, 7 - rows)
    quantized = quantizer.quantize(latents, model, quality, strength=0.0)
    error = quantizer.dequantize(quantized.values, quality) - latents
    assert np.all(np.abs(error) <= quantizer.steps[quality][:, None, None] * 0.5001)


def test_each_residual_has_the_least_cost_of_its_candidates(quantizer: Quantizer, model: EntropyModel) -> None:
    """In the last step, on which no context depends, no other candidate would be cheaper."""
    latents = latents_of(4)
    values = quantizer.quantize(latents, model, 2, strength=1.0).values
    price = float(quantizer.rate_weight[2])
    best = cost(quantizer, model, latents, values, price)
    for channel in range(5, CHANNELS):
        for row, column in ((0, 1), (2, 3), (4, 5)):  # the second half of the checkerboard
            for change in (-1, 1):
                other = values.copy()
                other[channel, row, column] += change * VALUE_ONE
                assert cost(quantizer, model, latents, other, price) >= best - 1e-6


def test_bits_and_gain_are_those_of_the_values(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(5)
    quantized = quantizer.quantize(latents, model, 2)
    bits = cost(quantizer, model, latents, quantized.values, 1.0) - cost(
        quantizer, model, latents, quantized.values, 0.0
    )
    error = cost(quantizer, model, latents, quantized.values, 0.0)
    worth = quantizer.sensitivity.astype(np.float64) / 3  # of a unit error in a latent
    nothing = float((worth[:, None, None] * latents.astype(np.float64) ** 2).sum())
    assert quantized.bits.sum() == pytest.approx(bits)
    assert quantized.gain.sum() == pytest.approx(nothing - error, rel=1e-5)


def test_more_strength_gives_fewer_bits_and_more_error(quantizer: Quantizer, model: EntropyModel) -> None:
    results = [quantizer.quantize(latents_of(6), model, 2, strength=strength) for strength in (0, 2, 8, 1000)]
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
    before, after = (
        ((quantizer.dequantize(result.values, 2) - latents) ** 2).sum(axis=(0, 1)) for result in (plain, weighted)
    )
    assert after[:3].sum() < before[:3].sum()
    assert after[3:].sum() > before[3:].sum()


def test_what_refines_a_base_says_by_how_much_it_differs(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(8)
    held = quantizer.quantize(latents, model, 1).values
    base = Base(held, np.full(held.shape[1:], LEVELS, np.uint8), 1)
    refined = quantizer.quantize(latents, model, 4, base=base, strength=0.0)
    error = quantizer.dequantize(refined.values, 4) - latents
    assert np.abs(error / quantizer.steps[4][:, None, None]).max() <= 0.5 + 1e-6
    other = quantizer.quantize(latents, model, 4, strength=0.0)
    assert not np.array_equal(refined.values, other.values)


def test_absurd_latents_stay_within_what_can_be_coded(quantizer: Quantizer, model: EntropyModel) -> None:
    latents = latents_of(9) * np.float32(1e6)
    assert VALUE_LIMIT - 2 * VALUE_ONE < np.abs(quantizer.quantize(latents, model, 0).values).max() <= VALUE_LIMIT


@pytest.mark.parametrize(
    ("spread", "levels"), [((3, 3, 3), 3), ((3, 3, 0.01), 2), ((3, 0.01, 3), 3), ((0.01, 0.01, 0.01), 1)]
)
def test_levels_end_with_the_last_that_pays(
    quantizer: Quantizer, model: EntropyModel, spread: tuple[float, ...], levels: int
) -> None:
    """Groups that are hardly spread have nothing to tell."""
    latents = latents_of(10, spread=1.0) * np.repeat(np.array(spread, np.float32), model.groups)[:, None, None]
    whole = quantizer.quantize(latents, model, 2)
    assert whole.levels == LEVELS
    for least in (1, 2, 3):
        found = quantizer.quantize(latents, model, 2, at_least=least)
        assert found.levels == max(levels, least)
        told = sum(model.groups[: found.levels])
        np.testing.assert_array_equal(found.values[:told], whole.values[:told])
        assert not found.values[told:].any()
        np.testing.assert_array_equal(found.bits, np.where(np.arange(LEVELS) < found.levels, whole.bits, 0))
        assert found.cell_bits.sum() == pytest.approx(found.bits.sum())


def test_dequantization_multiplies_with_the_steps(quantizer: Quantizer) -> None:
    values = (np.arange(CHANNELS)[:, None, None] - 4) * VALUE_ONE
    latents = quantizer.dequantize(values, 3)
    assert latents.dtype == np.float32
    np.testing.assert_allclose(latents[:, 0, 0], (np.arange(CHANNELS) - 4) * quantizer.steps[3], rtol=1e-6)
