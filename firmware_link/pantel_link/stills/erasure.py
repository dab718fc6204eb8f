"""The erasure code of stills: any K of up to 256 symbols rebuild the K that hold the content.

Symbols are the values of a polynomial of degree below K over GF(256), octet by octet, at the points 0, 1, 2 and so on
(Reed and Solomon, "Polynomial codes over certain finite fields", 1960). The first K are the content itself, so nothing
has to be computed where nothing was lost. The code is maximum distance separable: no other gets along with fewer.
The field is that of the codewords' parity, x^8 + x^4 + x^3 + x^2 + 1 (0x11D).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_CONTENT_SYMBOLS", "MAX_SYMBOLS", "rebuild", "repair_symbol"]

MAX_SYMBOLS = 256
MAX_CONTENT_SYMBOLS = 128

_ORDER = 255


def _tables() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return logarithms (of 0 a value that leads to 0 in sums) and powers of 2, long enough for sums of two."""
    logarithms = np.full(256, 2 * _ORDER, np.int64)
    powers = np.zeros(4 * _ORDER + 1, np.uint8)
    value = 1
    for exponent in range(_ORDER):
        powers[exponent] = powers[exponent + _ORDER] = value
        logarithms[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return logarithms, powers


_LOG, _POWER = _tables()


def repair_symbol(content: Sequence[bytes], index: int) -> bytes:
    """Return a symbol of a content.

    Args:
        content: Its K symbols, of equal length; at most 128.
        index: 0 to 255; those below K are the content's own.
    """
    if index < len(content):
        return content[index]
    return bytes(_interpolate(range(len(content)), _rows(content), [index])[0])


def rebuild(symbols: Mapping[int, bytes], content_symbols: int) -> list[bytes]:
    """Return the content, from any K of its symbols.

    Args:
        symbols: At least K, of equal length, by index.
        content_symbols: K.

    Raises:
        ValueError: There are fewer.
    """
    if len(symbols) < content_symbols:
        raise ValueError(f"{content_symbols} symbols are needed and {len(symbols)} are there")
    missing = [index for index in range(content_symbols) if index not in symbols]
    if not missing:
        return [symbols[index] for index in range(content_symbols)]
    known = sorted(symbols)[:content_symbols]  # the content's own first
    found = _interpolate(known, _rows([symbols[index] for index in known]), missing)
    rebuilt = dict(zip(missing, (bytes(row) for row in found), strict=True))
    return [rebuilt.get(index) or symbols[index] for index in range(content_symbols)]


def _rows(symbols: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.stack([np.frombuffer(symbol, np.uint8) for symbol in symbols])


def _interpolate(known: Sequence[int], values: NDArray[np.uint8], wanted: Sequence[int]) -> NDArray[np.uint8]:
    """Return the values at other points, by Lagrange: (len(wanted), octets).

    Args:
        known: Points.
        values: (len(known), octets).
        wanted: Points that are not among the known.
    """
    at = np.array(known)
    between = _LOG[at[:, None] ^ at]
    np.fill_diagonal(between, 0)
    scale = between.sum(axis=1)  # logarithm of the product of differences to all other known points
    distance = _LOG[np.array(wanted)[:, None] ^ at]
    weight = (distance.sum(axis=1, keepdims=True) - distance - scale) % _ORDER
    products = _POWER[weight[:, :, None] + _LOG[values]]
    return np.asarray(np.bitwise_xor.reduce(products, axis=1), np.uint8)
