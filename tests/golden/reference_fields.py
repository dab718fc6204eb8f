"""Section 3 of `docs/codec.md`, the range decoder, and the fields of section 5: a part of the reference decoder."""

import math
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "codec.md").read_text()


def counts_of(name: str) -> list[int]:
    """Return a row of numbers of section 5."""
    line = re.search(rf"^{name} +([0-9* ]+|peak [0-9 ]+)$", PAGE, re.MULTILINE)
    assert line is not None
    if line[1].startswith("peak"):
        size, top, height, fall, least = map(int, line[1].split()[1:])
        return [max(height - fall * abs(index - top), least) for index in range(size)]
    counts = []
    for word in line[1].split():
        count, _, times = word.partition("*")
        counts += [int(count)] * int(times or 1)
    return counts


def cdf_of_counts(counts: list[int]) -> list[int]:
    free, total = (1 << 24) - len(counts), sum(counts)
    return [sum(counts[:i]) * free // total + i for i in range(len(counts) + 1)]


NAMES = (
    *("kinds", "ages", "other", "scales", "seeds", "sides", "qualities", "bases", "margins", "classes", "news"),
    *("heights", "slim", "wide", "earlier", "shifts", "growth", "drawn", "rasters", "extents"),
    *("moving", "textured", "zooms", "turns"),
)
TABLES = {name: cdf_of_counts(counts_of(name)) for name in NAMES}
SET = "".join(re.findall(r"^set ([0-9a-f]+)$", PAGE, re.MULTILINE))


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
        value = 0
        while bits > 0:
            piece = min(bits, 8)
            value = value << piece | self.below(1 << piece)
            bits -= piece
        return value


class Fields:
    """Section 5: the fields that elements have in common."""

    def __init__(self, bits: Bits, width_px: int, height_px: int) -> None:
        self.bits = bits
        self.places = width_px + 128, height_px + 128
        self.margin = 64 * -(-max(width_px, height_px) // 320)
        self.ages: list[int] = []

    def told(self, name: str) -> int:
        return self.bits.symbol(TABLES[name])

    def age(self) -> int:
        self.ages.append(self.ages[-1] if self.ages and self.told("other") == 0 else self.told("ages"))
        return self.ages[-1]

    def knot(self) -> tuple[int, ...]:
        return self.age(), *(self.bits.below(places) - 64 for places in self.places), self.told("heights")

    def placement(self) -> tuple[int, ...]:
        limit = self.margin + 32
        x, y = (self.bits.below(2 * limit + 1) - limit for _ in range(2))
        return x, y, self.told("zooms") - 24, self.told("turns") - 32

    def camera(self) -> Any:
        number = self.bits.below(8)
        return ("camera", number, self.age(), self.placement()) if self.bits.below(2) else ("camera", number, 0, None)

    def introduced(self) -> tuple[Any, int, int]:
        sprite_id, news, class_id = self.bits.below(32), self.told("news"), self.told("classes")
        place = self.knot()
        wider = self.told("slim" if class_id == 1 else "wide") - 127
        return (sprite_id, news > 0, class_id, place[3] + wider, place), news, wider

    def past(self, place: tuple[int, ...]) -> tuple[int, ...]:
        earlier, x, y, growth = (self.told(name) for name in ("earlier", "shifts", "shifts", "growth"))
        return place[0] + 1 + earlier, place[1] + x - 63, place[2] + y - 63, place[3] + growth - 15

    def small(self, kind: int) -> Any:
        bits = self.bits
        if kind == 5:
            return "pose", bits.below(32), self.knot()
        if kind == 6:
            range_px, sizes = counts_of("steps")
            return "step", bits.below(32), self.age(), bits.below(range_px), bits.below(range_px), bits.below(sizes)
        if kind == 7:
            return "forget", bits.below(32), self.age()
        return "tone", self.age(), tuple(bits.below(63) - 31 for _ in range(3))

    def patch(self, width_px: float, height_px: float) -> Any:
        bits = self.bits
        step, extent = bits.symbol(TABLES["rasters"]), bits.symbol(TABLES["extents"])
        side = (1.5, 2, 3, 4, 6, 8, 12, 16)[step]
        columns, rows = math.ceil(width_px / side), math.ceil(height_px / side)
        column, row = 0, 0
        if extent == 2:
            column = bits.below(columns)
            columns = 1 + bits.below(columns - column)
        if extent > 0:
            row = bits.below(rows)
            rows = 1 + bits.below(rows - row)
        samples: dict[tuple[int, int], int] = {}
        for r in range(rows):
            for c in range(columns):
                before = [(r - 2, c - 1), (r - 2, c + 1), *((r - 1, c + i) for i in range(-2, 3)), (r, c - 1)]
                place = int("".join(str(samples.get(cell, 0)) for cell in before), 2)
                n = int(SET[3 * place : 3 * place + 3], 16)
                samples[r, c] = bits.symbol(cdf_of_counts([4096 - n, n]))
        return step, (column, row, columns, rows), [[samples[r, c] for c in range(columns)] for r in range(rows)]


def size_of(code: int) -> float:
    return round(4096 * 2 ** (code / 16)) / 1024
