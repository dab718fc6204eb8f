"""A second decoder, written from `docs/codec.md` alone with Python's integers, finds the same symbols.

It shares no code with `pantel_codec`, is slow, and knows whole files only.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import StillHeader, StillSymbols, write_still

Cell = tuple[int, int]


def cdf_of_counts(counts: list[int]) -> list[int]:
    free, total = (1 << 24) - len(counts), sum(counts)
    return [sum(counts[:i]) * free // total + i for i in range(len(counts) + 1)]


class Bits:
    """Section 3: the range decoder."""

    def __init__(self, data: bytes) -> None:
        self.rest = iter(data)
        self.width = (1 << 64) - 1
        self.offset = self.take(8)

    def take(self, count: int) -> int:
        return int.from_bytes(bytes(next(self.rest, 0) for _ in range(count)), "big")

    def symbol(self, cdf: list[int]) -> int:
        if len(cdf) == 2:
            return 0
        unit = self.width >> 24
        quantile = self.offset // unit
        assert quantile < 1 << 24
        symbol = next(s for s in range(len(cdf) - 1) if quantile < cdf[s + 1])
        self.offset -= unit * cdf[symbol]
        self.width = unit * (cdf[symbol + 1] - cdf[symbol])
        if self.width < 1 << 32:
            self.width <<= 32
            self.offset = self.offset << 32 | self.take(4)
        return symbol

    def below(self, size: int) -> int:
        return self.symbol([i * (1 << 24) // size for i in range(size + 1)])

    def field(self, bits: int) -> int:
        assert bits <= 8
        return self.below(1 << bits)


def stages(group: int) -> list[tuple[Any, int]]:
    """Section 4: which cells belong to each stage, and the dilation."""
    if group:
        return [(lambda r, c: (r + c) % 2 == 0, 1), (lambda r, c: (r + c) % 2 == 1, 1)]
    return [
        (lambda r, c: r % 4 == 0 and c % 4 == 0, 2),
        (lambda r, c: r % 4 == 2 and c % 4 == 2, 2),
        (lambda r, c: (r % 4, c % 4) in {(0, 2), (2, 0)}, 2),
        (lambda r, c: r % 2 == 1 and c % 2 == 1, 1),
        (lambda r, c: (r + c) % 2 == 1, 1),
    ]


class Reference:
    """Sections 4 and 6."""

    def __init__(self, arrays: dict[str, NDArray[np.int32]]) -> None:
        self.arrays = {name: array.tolist() for name, array in arrays.items()}
        self.groups: list[int] = self.arrays["groups"]

    def still(self, data: bytes) -> tuple[int, int, list[list[list[int]]]]:
        header = int.from_bytes(data[:4], "big")
        assert header >> 29 == 1
        columns, rows = -(-((header >> 19 & 1023) + 1) // 16), -(-((header >> 9 & 1023) + 1) // 16)
        bits = Bits(data[4:])
        quality, levels = bits.field(5), 1 + bits.below(len(self.groups))
        symbols = self.block(bits, rows, columns, quality, levels)
        octets = b"".join(s.to_bytes(2, "little", signed=True) for channel in symbols for row in channel for s in row)
        assert bits.field(8) == zlib.crc32(data[:4] + octets) % 256
        return quality, levels, symbols

    def block(self, bits: Bits, rows: int, columns: int, quality: int, levels: int) -> list[list[list[int]]]:
        known: dict[tuple[int, Cell], list[int]] = {}  # symbols by group and cell
        for group in range(levels):
            for stage, (belongs, dilation) in enumerate(stages(group)):
                cells = [(r, c) for r in range(rows) for c in range(columns) if belongs(r, c)]
                if cells:
                    place = {"group": group, "stage": stage, "dilation": dilation}
                    known.update(self.stage(bits, known, **place, quality=quality, cells=cells))
        return [
            [[known.get((group, (r, c)), [0] * size)[channel] for c in range(columns)] for r in range(rows)]
            for group, size in enumerate(self.groups)
            for channel in range(size)
        ]

    def stage(
        self, bits: Bits, known: Any, *, group: int, stage: int, dilation: int, quality: int, cells: list[Cell]
    ) -> Any:
        outputs = [
            self.network(self.inputs(known, group, dilation, cell), group, stage, dilation, quality) for cell in cells
        ]
        channels = self.groups[group]
        places = []  # (table, centre, channel, cell), by channel and then by cell
        for channel in range(channels):
            for output, cell in zip(outputs, cells, strict=True):
                mean = max(-2047 * 256, min(2047 * 256, output[channel]))
                centre = (mean + 128) >> 8
                offset = ((mean - 256 * centre + 128) * 8) >> 8
                log_scale = max(-4096, min(4096, output[channels + channel]))
                level = max(0, min(47, ((log_scale + 768) * 8) >> 8))
                places.append((8 * level + offset, centre, channel, cell))
        places.sort(key=lambda place: -place[0])
        residuals = [bits.symbol(self.table(place[0])) - 16 for place in places]
        for i, residual in enumerate(residuals):
            if abs(residual) == 16:
                residuals[i] += (1 if residual > 0 else -1) * self.excess(bits)
        result = {(group, cell): [0] * channels for cell in cells}
        for (_, centre, channel, cell), residual in zip(places, residuals, strict=True):
            result[group, cell][channel] = centre + residual
        return result

    def excess(self, bits: Bits) -> int:
        zeros = 0
        while bits.field(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + (bits.field(zeros) if zeros else 0)

    def table(self, index: int) -> list[int]:
        return cdf_of_counts(self.arrays["residual_counts"][index])

    def inputs(self, known: Any, group: int, dilation: int, cell: Cell) -> Iterator[int]:
        for row in (-dilation, 0, dilation):
            for column in (-dilation, 0, dilation):
                at = (cell[0] + row, cell[1] + column)
                values = []
                for g in range(group + 1):
                    values += known.get((g, at), [0] * self.groups[g])
                clipped = [max(-31, min(31, value)) for value in values]
                yield from clipped
                yield from map(abs, clipped)
                yield from (int((g, at) in known) for g in range(group + 1))

    def network(self, inputs: Iterator[int], group: int, stage: int, dilation: int, quality: int) -> list[int]:
        layer = {name: self.arrays[f"context{group}_{name}"] for name in ("spatial", "bias", "hidden", "head")}
        hidden_bias, head_bias = (self.arrays[f"context{group}_{name}_bias"] for name in ("hidden", "head"))
        x = product(list(inputs), layer["spatial"][dilation - 1], layer["bias"][quality][stage])
        x = [max(0, min(1 << 20, (value + 2) >> 2)) for value in x]
        x = [max(0, min(1 << 20, (value + 512) >> 10)) for value in product(x, layer["hidden"], hidden_bias)]
        return [(value + 512) >> 10 for value in product(x, layer["head"], head_bias)]


def product(x: list[int], weights: list[list[int]], bias: list[int]) -> list[int]:
    return [sum(v * row[o] for v, row in zip(x, weights, strict=True)) + bias[o] for o in range(len(bias))]


@pytest.mark.parametrize(("size_px", "quality", "levels"), [((100, 75), 1, 2), ((16, 40), 4, 3), ((9, 9), 0, 1)])
def test_the_documented_decoder_finds_the_same_symbols(
    request: pytest.FixtureRequest, size_px: tuple[int, int], quality: int, levels: int
) -> None:
    model, arrays, make = (request.getfixturevalue(name) for name in ("model", "arrays", "golden_symbols"))
    header = StillHeader(*size_px, grey=False, model_tag=7)
    symbols = make(header.rows, header.columns, range(levels))
    data = write_still(StillSymbols(header, quality, levels, symbols), model)
    assert Reference(arrays).still(data) == (quality, levels, symbols.tolist())
