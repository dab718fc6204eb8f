"""A lapped transform of cells: what the linear paths of encoder and generator begin as.

A filter across each border of cells, then the Karhunen-Loeve transform of each cell; the way back undoes both. So the
functions that a picture is made of overlap by half a cell and fade out, and coarsely quantized cells make fewer stairs.

Source: Tran, Liang and Tu, "Lapped transform via time-domain pre- and post-filtering" (2003), with the filter of the
fast lapped transform, type II, and a scale of 1.3 for the border's gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LappedTransform", "lapped_transform"]

_SCALE = 1.3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LappedTransform:
    """Kernels of a lapped transform of cells of n x n pixels at a stride of n.

    Attributes:
        analysis: (channels, 3, 2n, 2n): the pixels' weights in each latent. At the border of a picture it needs
            the pixels mirrored.
        synthesis: Same shape: each latent's contribution to the pixels.
        mean: (3,): the colour to subtract before and to add after.
        parity: (2, channels) of -1 and 1: the factor that makes of a latent that of the cell mirrored up or down,
            or left or right.
    """

    analysis: Floats
    synthesis: Floats
    mean: Floats
    parity: Floats


def lapped_transform(crops: NDArray[np.float32], cell_px: int, channels: int) -> LappedTransform:
    """Fit a transform to crops (N, H, W, 3) in 0..1, with H and W multiples of the cell; coarse channels first."""
    filters = _border_filter(cell_px // 2)
    mean = crops.mean((0, 1, 2), dtype=np.float64)  # (3,)
    cells = _cells(_filter_borders(crops - mean, filters, cell_px), cell_px)  # (N, 3, n, n)
    covariance = np.zeros((3 * cell_px**2,) * 2)
    for mirrored in (cells, cells[:, :, ::-1], cells[..., ::-1], cells[:, :, ::-1, ::-1]):
        flat = mirrored.reshape(len(cells), -1)
        covariance += flat.T @ flat
    _, vectors = np.linalg.eigh(covariance)
    basis = vectors[:, ::-1][:, :channels].T.reshape(channels, 3, cell_px, cell_px)
    parity = np.stack([(basis * basis[:, :, ::-1]).sum((1, 2, 3)), (basis * basis[..., ::-1]).sum((1, 2, 3))])
    extension = _extension(filters, cell_px)
    inverse = _extension(np.asarray(np.linalg.inv(filters).T, np.float64), cell_px)
    return LappedTransform(
        analysis=np.einsum("ai,bj,ctij->ctab", extension, extension, basis),
        synthesis=np.einsum("ai,bj,ctij->ctab", inverse, inverse, basis),
        mean=mean,
        parity=np.where(parity < 0, -1.0, 1.0),
    )


def _border_filter(half: int) -> Floats:
    """Return the filter (2 half, 2 half) of the pixels on both sides of a border."""
    k, i = np.mgrid[:half, :half]
    second = np.sqrt(2 / half) * np.cos(np.pi * k * (2 * i + 1) / (2 * half))  # discrete cosine transform, type II
    second[0] /= np.sqrt(2)
    fourth = np.sqrt(2 / half) * np.cos(np.pi * (2 * k + 1) * (2 * i + 1) / (4 * half))  # type IV
    scale = np.eye(half)
    scale[0, 0] = _SCALE
    turned = (second.T @ scale @ fourth)[::-1, ::-1]
    same, mirror, zero = np.eye(half), np.eye(half)[::-1], np.zeros((half, half))
    butterfly = np.block([[same, mirror], [mirror, -same]])
    return np.asarray(butterfly @ np.block([[same, zero], [zero, turned]]) @ butterfly / 2)


def _filter_borders(crops: Floats, filters: Floats, cell_px: int) -> Floats:
    """Return crops (N, H, W, 3) with the filter applied across every inner border of cells."""
    result = crops.copy()
    half = cell_px // 2
    for axis in (1, 2):
        moved = np.moveaxis(result, axis, -1)  # a view: assignments change `result`
        for border in range(cell_px, moved.shape[-1], cell_px):
            span = slice(border - half, border + half)
            moved[..., span] = moved[..., span] @ filters.T
    return result


def _cells(crops: Floats, cell_px: int) -> Floats:
    """Cut crops (N, H, W, 3) into cells (M, 3, n, n)."""
    count, height, width, _ = crops.shape
    cut = crops.reshape(count, height // cell_px, cell_px, width // cell_px, cell_px, 3)
    return cut.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 3, cell_px, cell_px)


def _extension(filters: Floats, cell_px: int) -> Floats:
    """Return the map (2n, n) from a cell's filtered pixels to the pixels they stand for, half a cell beyond it.

    The adjoint of filtering both borders of the cell: the rows are pixels, the columns the cell's filtered pixels.
    """
    half = cell_px // 2
    result = np.zeros((2 * cell_px, cell_px))
    result[:cell_px, :half] = filters[half:].T  # the border before the cell: it holds the filter's second half
    result[cell_px:, half:] = filters[:half].T
    return result
