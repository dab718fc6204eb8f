"""The integer probabilities of one alphabet, as the range coder takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pantel_codec.errors import SymbolError

__all__ = ["MAX_SYMBOLS", "PRECISION_BITS", "CodingTable", "check_cdf"]

PRECISION_BITS = 24
"""The probabilities of a table sum to 2**24, the precision of constriction's default models."""

MAX_SYMBOLS = 1 << 16
"""The largest alphabet of one table; code a larger number in parts."""

Form = TypeVar("Form")


def check_cdf(cdf: NDArray[np.uint32]) -> None:
    """Check that an array is a cumulative distribution that the range coder can use.

    Args:
        cdf: (S + 1,) uint32, strictly increasing from 0 to 2**24, 1 <= S <= 65536.

    Raises:
        SymbolError: It is anything else.
    """
    if cdf.dtype != np.uint32 or cdf.ndim != 1:
        raise SymbolError(f"a cdf is a uint32 vector, not {cdf.dtype} of shape {cdf.shape}")
    if not 2 <= cdf.size <= MAX_SYMBOLS + 1:
        raise SymbolError(f"a cdf of 1 to {MAX_SYMBOLS} symbols has one entry more, not {cdf.size} entries")
    if cdf[0] != 0 or cdf[-1] != 1 << PRECISION_BITS:
        raise SymbolError(f"a cdf runs from 0 to 2**{PRECISION_BITS}, not from {cdf[0]} to {cdf[-1]}")
    if not np.all(cdf[1:] > cdf[:-1]):
        raise SymbolError("a cdf increases strictly: every symbol needs a probability of at least 1")


@dataclass(frozen=True, eq=False)
class CodingTable:
    """The probabilities of one alphabet, checked once and then used for any number of symbols.

    Build a table once and keep it: each range coder makes its own form of it at first use, which takes as
    long as coding hundreds of symbols, and finds it here again. Tables compare by identity.

    Attributes:
        cdf: (S + 1,) uint32, strictly increasing from 0 to 2**24; becomes read-only.

    Raises:
        SymbolError: `cdf` is no such array.
    """

    cdf: NDArray[np.uint32]
    _forms: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_cdf(self.cdf)
        self.cdf.flags.writeable = False

    @staticmethod
    def from_counts(counts: Sequence[int] | NDArray[np.integer[Any]]) -> CodingTable:
        """Scale counts to probabilities, every symbol at least 2**-24, in integer arithmetic only.

        Args:
            counts: (S,) of any integer type, none negative, with a sum of 1 to 2**40.

        Raises:
            SymbolError: The counts are none of that.
        """
        counts = np.asarray(counts)
        if counts.ndim != 1 or not np.issubdtype(counts.dtype, np.integer):
            raise SymbolError(f"counts are a vector of integers, not {counts.dtype} of shape {counts.shape}")
        if not 1 <= counts.size <= MAX_SYMBOLS:
            raise SymbolError(f"counts of 1 to {MAX_SYMBOLS} symbols are needed, not {counts.size}")
        # Bounding each count first keeps the 64-bit sums and products below from wrapping round.
        if counts.min() < 0 or counts.max() > 1 << 40 or not 1 <= counts.sum(dtype=np.uint64) <= 1 << 40:
            raise SymbolError("counts must not be negative, and their sum must lie between 1 and 2**40")
        # One unit for each symbol beforehand; the free rest is shared out in proportion.
        free = np.uint64((1 << PRECISION_BITS) - counts.size)
        cumulative = np.zeros(counts.size + 1, np.uint64)
        cumulative[1:] = np.cumsum(counts, dtype=np.uint64)
        cdf = cumulative * free // cumulative[-1] + np.arange(counts.size + 1, dtype=np.uint64)
        return CodingTable(cdf.astype(np.uint32))

    @staticmethod
    def uniform(size: int) -> CodingTable:
        """Return the table of `size` symbols with the same probability, as nearly as 2**24 divides.

        Syntax fields of any size are coded with such tables, so they are kept and shared.

        Raises:
            SymbolError: `size` is not within 1 to 65536.
        """
        if not 1 <= size <= MAX_SYMBOLS:
            raise SymbolError(f"an alphabet has 1 to {MAX_SYMBOLS} symbols, not {size}")
        return _uniform(size)

    @property
    def size(self) -> int:
        """The number of symbols S."""
        return self.cdf.size - 1

    @cached_property
    def cost_bits(self) -> NDArray[np.float64]:
        """What each symbol costs, -log2 of its probability [bit]: (S,) float64, read-only."""
        cost = PRECISION_BITS - np.log2(np.diff(self.cdf))
        cost.flags.writeable = False
        return cost

    def compiled(self, compiler: Callable[[NDArray[np.uint32]], Form]) -> Form:
        """Return the form of the cdf that a range coder works with, made at first use and then kept.

        Args:
            compiler: Makes that form from `cdf`; a function of a module, for the form is kept under it.
        """
        form: Form | None = self._forms.get(compiler)
        if form is None:
            form = self._forms[compiler] = compiler(self.cdf)
        return form


@lru_cache(maxsize=1024)
def _uniform(size: int) -> CodingTable:
    steps = np.arange(size + 1, dtype=np.uint64) << np.uint64(PRECISION_BITS)
    return CodingTable((steps // np.uint64(size)).astype(np.uint32))
