"""Fits the coding tables: how residuals are distributed, given the scale that the context predicts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Base, Block, CellUpdate, EntropyModel, Step
from pantel_codec.entropy import ALPHABET, RESIDUAL_LIMIT, SCALE_LEVELS
from pantel_models import Quantizer

__all__ = ["count_refinements", "count_residuals", "fit_counts", "logistic_counts"]

_PRIOR_SYMBOLS = 400.0  # how many observations the parametric form is worth
_TOTAL = 1 << 22
_STRENGTHS = (0.15, 0.3, 0.5)  # of rate-distortion optimization: those with which stills are coded
_REFINED_STRENGTHS = (0.7, 1.0, 1.3)


def _logistic_masses() -> NDArray[np.float64]:
    """Return (tables, 33) masses of a logistic distribution at the middle of each bucket."""
    scale = np.exp(-3 + (np.arange(SCALE_LEVELS) + 0.5) / 8)[:, None]
    edges = np.arange(-RESIDUAL_LIMIT, RESIDUAL_LIMIT) + 0.5
    cdf = 0.5 * (1 + np.tanh(0.5 * edges / scale))  # a sigmoid that does not overflow
    cdf = np.concatenate([np.zeros_like(scale), cdf, np.ones_like(scale)], axis=1)
    return np.diff(cdf, axis=1)


def logistic_counts() -> NDArray[np.int32]:
    """Return (tables, 33) int32 counts of the parametric form, at least 1."""
    return np.maximum(np.rint(_logistic_masses() * _TOTAL), 1).astype(np.int32)


def fit_counts(observed: NDArray[np.int64]) -> NDArray[np.int32]:
    """Blend observed residuals (tables, 33) with the parametric form and return counts of at least 1.

    Residuals of either sign are alike, so they share what was observed.
    """
    shared = (observed + observed[:, ::-1]).astype(np.float64)
    blended = shared + _PRIOR_SYMBOLS * _logistic_masses()
    blended /= blended.sum(axis=1, keepdims=True)
    return np.maximum(np.rint(blended * _TOTAL), 1).astype(np.int32)


def count_residuals(
    latents: Iterable[NDArray[np.float32]],
    model: EntropyModel,
    quantizer: Quantizer,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Quantize pictures at random qualities and strengths and count residuals by table.

    Args:
        latents: Pictures as latents (channels, rows, columns).
        model: The entropy model that steers the quantization.
        quantizer: Steps and prices.
        rng: Draws qualities and strengths.

    Returns:
        (tables, 33) int64.
    """
    counts = np.zeros((len(model.tables), ALPHABET), np.int64)
    for y in latents:
        quality = int(rng.integers(model.qualities))
        strength = float(rng.choice(_STRENGTHS))
        values = quantizer.quantize(y, model, quality, strength=strength).values
        rows, columns = y.shape[1:]
        _count(counts, model, CellUpdate(Block(0, 0, columns, rows), quality, len(model.groups), values), None)
    return counts


def count_refinements(
    latents: Iterable[NDArray[np.float32]],
    model: EntropyModel,
    quantizer: Quantizer,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Refine pictures once or twice at random qualities and strengths and count residuals by table.

    Args:
        latents: Pictures as latents (channels, rows, columns).
        model: The entropy model that steers the quantization.
        quantizer: Steps and prices.
        rng: Draws qualities, strengths and blocks.

    Returns:
        (tables, 33) int64: those of cells that are coded for themselves come first and were not counted.
    """
    counts = np.zeros((len(model.tables), ALPHABET), np.int64)
    for y in latents:
        rows, columns = rng.integers(1, np.array(y.shape[1:]) + 1).tolist()
        row, column = rng.integers(0, np.array(y.shape[1:]) - (rows, columns) + 1).tolist()
        block = Block(column, row, columns, rows)
        ladder = np.sort(rng.choice(model.qualities, rng.integers(2, 4), replace=False)).tolist()
        strength = float(rng.choice(_REFINED_STRENGTHS))
        base: Base | None = None
        for quality in ladder:
            held = 1 if base is None else int(base.level.max())
            quantized = quantizer.quantize(
                y[:, *block.window], model, quality, strength=strength, base=base, at_least=held
            )
            levels = quantized.levels
            if base is not None:
                _count(counts, model, CellUpdate(block, quality, levels, quantized.values), base)
            base = Base(quantized.values, np.full((rows, columns), levels, np.uint8), quality)
    return counts


def _count(counts: NDArray[np.int64], model: EntropyModel, update: CellUpdate, base: Base | None) -> None:
    """Add the residuals of an update to the counts."""
    block = update.block
    flat = update.values.reshape(len(update.values), -1)

    def count(step: Step) -> NDArray[np.int64]:
        residual = step.residual(flat)
        index = np.clip(residual, -RESIDUAL_LIMIT, RESIDUAL_LIMIT) + RESIDUAL_LIMIT
        np.add.at(counts, (step.table.ravel(), index.ravel()), 1)
        return residual

    model.walk(block.rows, block.columns, update.quality, update.levels, count, base=base)
