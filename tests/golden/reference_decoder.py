"""A second decoder, written from `docs/codec.md` alone with Python's integers.

It shares no code with `pantel_codec`, takes its tables of counts from the page, is slow, and knows undamaged payloads
and whole files only.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.golden.reference_fields import TABLES, Bits, Fields, cdf_of_counts, size_of

Cell = tuple[int, int]


def stages(group: int, *, refining: bool) -> list[tuple[Any, int]]:
    """Section 4: which cells belong to each stage, and the dilation."""
    if group or refining:
        return [(lambda r, c: (r + c) % 2 == 0, 1), (lambda r, c: (r + c) % 2 == 1, 1)]
    return [
        (lambda r, c: r % 4 == 0 and c % 4 == 0, 2),
        (lambda r, c: r % 4 == 2 and c % 4 == 2, 2),
        (lambda r, c: (r % 4, c % 4) in {(0, 2), (2, 0)}, 2),
        (lambda r, c: r % 2 == 1 and c % 2 == 1, 1),
        (lambda r, c: (r + c) % 2 == 1, 1),
    ]


@dataclass
class Cells:
    """What is held of a cell: the quality, and the values of each group held."""

    quality: int
    groups: list[list[int]]


Held = dict[tuple[int, Cell], Cells]  # by scale and cell


@dataclass
class Base:
    """Section 4: values by group and cell of the block, in steps of the new quality."""

    quality: int
    values: dict[tuple[int, Cell], list[int]]


Known = dict[tuple[int, int, Cell], list[int]]  # section 4: values by group, slice of it, and cell


@dataclass
class Place:
    """Section 4: a slice of a group in a stage."""

    slices: list[list[int]]  # channels of those of each group
    group: int
    own: int  # index within the group
    stage: int
    dilation: int
    quality: int

    @property
    def index(self) -> int:
        return sum(map(len, self.slices[: self.group])) + self.own

    @property
    def inputs(self) -> int:
        known = [size for of_group in self.slices[: self.group + 1] for size in of_group]
        return 2 * sum(known) + len(known)


class Reference:
    """Sections 4, 5 and 7."""

    def __init__(self, arrays: dict[str, NDArray[np.int32]]) -> None:
        self.arrays = {name: array.tolist() for name, array in arrays.items()}
        self.groups: list[int] = self.arrays["groups"]
        self.slices: list[list[int]] = [[] for _ in self.groups]  # of each group, how many channels they have
        for size in self.arrays["slices"]:
            group = next(g for g, channels in enumerate(self.groups) if sum(self.slices[g]) < channels)
            self.slices[group].append(size)
        self.base: Base | None = None  # of the block at hand, converted

    def still(self, data: bytes) -> tuple[int, int, int, list[list[list[int]]]]:
        header = int.from_bytes(data[:4], "big")
        assert header >> 29 == 1
        bits = Bits(data[4:])
        scale = bits.below(3)
        columns, rows = across((header >> 19 & 1023) + 1, scale), across((header >> 9 & 1023) + 1, scale)
        quality, levels = bits.field(5), 1 + bits.below(len(self.groups))
        values = self.block(bits, rows, columns, quality, levels)
        octets = b"".join(v.to_bytes(4, "little", signed=True) for channel in values for row in channel for v in row)
        assert bits.field(8) == zlib.crc32(data[:4] + octets) % 256
        return scale, quality, levels, values

    def scene(self, payload: bytes, width_px: int, height_px: int, held: Held) -> list[Any]:
        bits = Bits(payload)
        first = bits.symbol([0, 1 << 8, 1 << 16, 48 << 16, 52 << 16, 1 << 24])
        kinds = {1: "textured", 2: "drawn", 3: "moving"}.get(first, "kinds")
        if kinds == "kinds":
            bits = Bits(payload)
        fields = Fields(bits, width_px, height_px)
        elements: list[Any] = []
        whole_px = width_px, height_px
        if kinds == "moving" or (kinds == "textured" and bits.below(2)):
            elements.append(fields.camera())
            whole_px = width_px + 2 * fields.margin, height_px + 2 * fields.margin
        while kind := fields.told(kinds):
            if kind in {1, 2, 9}:
                scale = fields.told("seeds" if kind == 9 else "scales")
                grid = across(whole_px[0], scale), across(whole_px[1], scale)
                cells = self.cells(bits, scale, *grid, held if kind == 2 else None)
                elements.append(("seed", *cells[1:]) if kind == 9 else cells)
            elif kind == 3:
                told_of, news, wider = fields.introduced()
                margins = tuple(fields.told("margins") for _ in range(4))
                past = fields.past(told_of[-1]) if news == 2 else None
                shape = 0 if wider <= -10 else 2 if wider >= 10 else 1
                core = self.thumbnail(bits, shape, 0)
                elements.append(("sprite", *told_of[:-1], margins, told_of[-1], past, core))
            elif kind == 4:
                sprite_id, shape, part = bits.below(32), bits.below(3), bits.below(2)
                elements.append(("look", sprite_id, shape, self.thumbnail(bits, shape, part)))
            elif kind == 13:
                named = bits.below(32), bits.below(4)
                size = 1 + bits.below(16), 1 + bits.below(16)
                scale = fields.told("scales")
                grid = across(16 * size[0], scale), across(16 * size[1], scale)
                elements.append(("texture", *named, *size, *self.cells(bits, scale, *grid, None)[1:]))
            elif kind == 12:
                elements.append(("link", bits.below(9), fields.placement()))
            elif kind == 10:
                elements.append(("contour", fields.patch(width_px, height_px)))
            elif kind == 11:
                told_of, news, _ = fields.introduced()
                past = fields.past(told_of[-1]) if news == 2 else None
                area = (size_of(code) * 9 / 8 for code in (told_of[3], told_of[4][3]))
                elements.append(("outline", *told_of, past, fields.patch(*area)))
            else:
                elements.append(fields.small(kind))
        return elements

    def cells(self, bits: Bits, scale: int, columns: int, rows: int, held: Held | None) -> Any:
        column, row = bits.below(columns), bits.below(rows)
        width, height = (bits.symbol(TABLES["sides"]) or left for left in (columns - column, rows - row))
        quality = bits.symbol(TABLES["qualities"])
        levels = 1 + bits.below(len(self.groups))
        if held is not None:
            base_quality, checksum = bits.symbol(TABLES["bases"]), bits.below(256)
            places = [(r, c) for r in range(row, row + height) for c in range(column, column + width)]
            cells = [held[scale, place] for place in places]
            octets = bytes(len(cell.groups) for cell in cells)
            for group, size in enumerate(self.groups):
                for channel in range(size):
                    for cell in cells:
                        value = cell.groups[group][channel] if group < len(cell.groups) else 0
                        octets += value.to_bytes(4, "little", signed=True)
            assert {cell.quality for cell in cells} == {base_quality}
            assert zlib.crc32(octets) & 255 == checksum
            at_corner = {(r - row, c - column): held[scale, (r, c)] for r, c in places}
            self.base = self.converted(at_corner, base_quality, quality)
        values = self.block(bits, height, width, quality, levels)
        self.base = None
        return "cells", scale, (column, row, width, height), quality, levels, held is not None, values

    def converted(self, cells: dict[Cell, Cells], old: int, new: int) -> Base:
        steps = self.arrays["steps"]
        base = Base(old, {})
        for place, cell in cells.items():
            for group, values in enumerate(cell.groups):
                first = sum(self.groups[:group])
                base.values[group, place] = [
                    max(-2047 * 256, min(2047 * 256, round(value * (steps[old][i] / steps[new][i]))))
                    for i, value in enumerate(values, first)
                ]
        return base

    def thumbnail(self, bits: Bits, shape: int, part: int) -> Any:
        quality, version = bits.below(8), bits.below(4)
        counts, level, slope = (self.arrays[f"thumbnail_{name}"] for name in ("counts", "level", "slope"))
        tables = [
            max(0, min(len(counts) - 1, level[shape][i] + quality * slope[i]))
            for i, own in enumerate(self.arrays["thumbnail_part"][shape])
            if own == part
        ]
        symbols = [0] * len(tables)
        for i in sorted(range(len(tables)), key=lambda i: -tables[i]):
            symbols[i] = bits.symbol(cdf_of_counts(counts[tables[i]])) - 15
        for i, symbol in enumerate(symbols):
            if abs(symbol) == 15:
                symbols[i] += (1 if symbol > 0 else -1) * self.excess(bits)
        return part, quality, version, symbols

    def block(self, bits: Bits, rows: int, columns: int, quality: int, levels: int) -> list[list[list[int]]]:
        known: Known = {}
        slices = [[size] for size in self.groups] if self.base else self.slices
        for group in range(levels):
            for stage, (belongs, dilation) in enumerate(stages(group, refining=self.base is not None)):
                cells = [(r, c) for r in range(rows) for c in range(columns) if belongs(r, c)]
                for own in range(len(slices[group])) if cells else ():
                    place = Place(slices, group, own, stage, dilation, quality)
                    known.update(self.stage(bits, known, place, cells))

        def values(group: int, cell: Cell) -> list[int]:
            return [
                value for own, size in enumerate(slices[group]) for value in known.get((group, own, cell), [0] * size)
            ]

        return [
            [[values(group, (r, c))[channel] for c in range(columns)] for r in range(rows)]
            for group, size in enumerate(self.groups)
            for channel in range(size)
        ]

    def stage(self, bits: Bits, known: Known, at: Place, cells: list[Cell]) -> Known:
        outputs = [self.network(self.inputs(known, at, cell), at) for cell in cells]
        channels = at.slices[at.group][at.own]
        places = []  # (table, mean, channel, cell), by channel and then by cell
        for channel in range(channels):
            for output, cell in zip(outputs, cells, strict=True):
                before = 0 if self.base is None else self.base.values.get((at.group, cell), [0] * channels)[channel]
                mean = max(-2047 * 256, min(2047 * 256, before + output[channel]))
                log_scale = max(-4096, min(4096, output[channels + channel]))
                table = max(0, min(47, ((log_scale + 768) * 8) >> 8))
                places.append((table, mean, channel, cell))
        places.sort(key=lambda place: -place[0])
        residuals = [bits.symbol(self.table(place[0])) - 16 for place in places]
        for i, residual in enumerate(residuals):
            if abs(residual) == 16:
                residuals[i] += (1 if residual > 0 else -1) * self.excess(bits)
        result = {(at.group, at.own, cell): [0] * channels for cell in cells}
        for (_, mean, channel, cell), residual in zip(places, residuals, strict=True):
            result[at.group, at.own, cell][channel] = mean + 256 * residual
        return result

    def excess(self, bits: Bits) -> int:
        zeros = 0
        while bits.field(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + bits.field(zeros)

    def table(self, index: int) -> list[int]:
        return cdf_of_counts(self.arrays["residual_counts" if self.base is None else "refinement_counts"][index])

    def inputs(self, known: Known, place: Place, cell: Cell) -> Iterator[int]:
        reach = 2 if self.base is None and len(self.layer(place, "spatial")[0]) == 25 * place.inputs else 1
        steps = [place.dilation * step for step in range(-reach, reach + 1)]
        seen = [(group, own) for group in range(place.group + 1) for own in range(len(place.slices[group]))]
        for row in steps:
            for column in steps:
                at = (cell[0] + row, cell[1] + column)
                values = []
                for group, own in seen:
                    values += known.get((group, own, at), [0] * place.slices[group][own])
                clipped = [max(-31 * 256, min(31 * 256, value)) for value in values]
                yield from clipped
                yield from map(abs, clipped)
                yield from (256 * ((*each, at) in known) for each in seen)
                if self.base is not None:
                    yield from self.base_inputs(self.base, at)

    def base_inputs(self, base: Base, at: Cell) -> Iterator[int]:
        values = []
        for g, size in enumerate(self.groups):
            values += base.values.get((g, at), [0] * size)
        clipped = [max(-31 * 256, min(31 * 256, value)) for value in values]
        yield from clipped
        yield from map(abs, clipped)
        yield from (256 * ((g, at) in base.values) for g in range(len(self.groups)))

    def layer(self, place: Place, name: str) -> Any:
        return self.arrays[f"{'context' if self.base is None else 'refinement'}{place.index}_{name}"]

    def network(self, inputs: Iterator[int], place: Place) -> list[int]:
        bias = self.layer(place, "bias")[place.quality][place.stage]
        if self.base is not None:
            more = self.layer(place, "base_bias")[self.base.quality]
            bias = [a + b for a, b in zip(bias, more, strict=True)]
        x = product(list(inputs), self.layer(place, "spatial")[place.dilation - 1], bias)
        x = [max(0, min(1 << 20, (value + 512) >> 10)) for value in x]
        x = product(x, self.layer(place, "hidden"), self.layer(place, "hidden_bias"))
        x = [max(0, min(1 << 20, (value + 512) >> 10)) for value in x]
        return [(value + 512) >> 10 for value in product(x, self.layer(place, "head"), self.layer(place, "head_bias"))]


def across(size_px: int, scale: int) -> int:
    scaled_px = (size_px + (1 << scale) - 1) >> scale
    return (scaled_px + 15) // 16


def product(x: list[int], weights: list[list[int]], bias: list[int]) -> list[int]:
    return [sum(v * row[o] for v, row in zip(x, weights, strict=True)) + bias[o] for o in range(len(bias))]
