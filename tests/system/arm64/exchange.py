"""Payloads and stills written on one machine and read on another: `exchange.py write DIR` there, `read DIR` here.

`write` draws scenes from a seed, encodes them with the shipped models and leaves, beside the bytes, a digest of what
they say. `read` decodes the bytes and compares. What may differ between machines (float networks choose the residuals)
lies before the bytes; what lies behind them must not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    MAX_SPRITES,
    SCALES,
    THUMBNAIL_QUALITIES,
    Background,
    Block,
    CellElement,
    CellUpdate,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    Part,
    PoseElement,
    SceneSyntax,
    SpriteElement,
    StepElement,
    Thumbnail,
    ToneElement,
    grid_of,
    read_still,
    shape_of,
)
from pantel_models import SceneCodec, StillCodec, find_artefact, load_scene_codec

WIDTH_PX, HEIGHT_PX = 320, 240
STILL_PX, STILL_BYTES = (64, 96, 128, 160), (90, 160, 300)
SEED = 11


def write(folder: Path, payloads: int, stills: int) -> None:
    """Write so many payloads and stills, and their digests."""
    folder.mkdir(parents=True, exist_ok=True)
    codec = load_scene_codec(find_artefact())
    rng = np.random.default_rng(SEED)
    syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, WIDTH_PX, HEIGHT_PX)
    background = Background(WIDTH_PX, HEIGHT_PX, codec.entropy.groups)
    entries = []
    for number in range(payloads):
        elements = list(_elements(codec, rng, background))
        data = syntax.write(elements)
        entries.append({"data": data.hex(), "digest": _digest(elements)})
        _apply(elements, background, number)
    pictures = []
    for number in range(stills):
        size, budget = STILL_PX[number % len(STILL_PX)], STILL_BYTES[number % len(STILL_BYTES)]
        data = StillCodec(codec).encode(_picture(rng, size), budget)
        pictures.append({"data": data.hex(), "digest": _digest(read_still(data, codec.entropy))})
    content = {
        "machine": platform.machine(),
        "model": codec.artefact.hash,
        "payloads": entries,
        "background": _background_digest(background),
        "stills": pictures,
    }
    (folder / "exchange.json").write_text(json.dumps(content))
    octets = sum(len(entry["data"]) // 2 for entry in entries)
    print(  # noqa: T201
        f"wrote payloads={payloads} octets={octets} stills={stills} on {platform.machine()}"
    )


def read(folder: Path) -> int:
    """Return how many payloads and stills do not say what their writer meant."""
    content = json.loads((folder / "exchange.json").read_text())
    codec = load_scene_codec(find_artefact(hash_prefix=content["model"]))
    syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, WIDTH_PX, HEIGHT_PX)
    background = Background(WIDTH_PX, HEIGHT_PX, codec.entropy.groups)
    wrong: int = 0
    for number, entry in enumerate(content["payloads"]):
        elements = syntax.read(bytes.fromhex(entry["data"]), background)
        wrong += int(_digest(elements) != entry["digest"])
        _apply(elements, background, number)
    wrong += int(_background_digest(background) != content["background"])
    for entry in content["stills"]:
        wrong += int(_digest(read_still(bytes.fromhex(entry["data"]), codec.entropy)) != entry["digest"])
    count = len(content["payloads"]), len(content["stills"])
    print(  # noqa: T201
        f"read payloads={count[0]} stills={count[1]} of {content['machine']} on {platform.machine()}: wrong={wrong}"
    )
    return wrong


def _elements(codec: SceneCodec, rng: np.random.Generator, background: Background) -> Iterator[Element]:
    """Draw what one payload says: of objects, of the background, and perhaps more of cells that are held."""
    sprite = int(rng.integers(MAX_SPRITES))
    kind = rng.integers(6)
    if kind == 0:
        yield _sprite(codec, rng, sprite)
    elif kind == 1:
        yield LookElement(sprite, int(shape := rng.integers(3)), _thumbnail(codec, rng, int(shape), Part.DETAIL))
    elif kind == 2:
        yield PoseElement(sprite, _knot(rng))
        yield StepElement(sprite, *(int(rng.integers(limit)) for limit in (16, 64, 64, 16)))
    elif kind == 3:
        yield ToneElement(int(rng.integers(16)), tuple(rng.integers(-31, 32, 3).tolist()))
        yield ForgetElement(sprite, int(rng.integers(16)))
    block, scale = _block(rng)
    base = background.scales[scale].base(block) if rng.random() < 0.5 else None
    quality = int(rng.integers(codec.entropy.qualities))
    levels = int(rng.integers(1, len(codec.entropy.groups) + 1))
    if base is not None:
        levels = max(levels, int(base.level.max()))
    latents = _latents(codec, rng, quality, block)
    values = codec.quantizer.quantize(latents, codec.entropy, quality, strength=0.3, base=base).values
    values[sum(codec.entropy.groups[:levels]) :] = 0
    yield CellElement(CellUpdate(block, quality, levels, values, scale), base=base)


def _block(rng: np.random.Generator) -> tuple[Block, int]:
    scale = int(rng.choice(SCALES, p=[0.8, 0.15, 0.05]))
    rows, columns = grid_of(WIDTH_PX, HEIGHT_PX, scale)
    height, width = (int(rng.integers(1, min(4, side + 1))) for side in (rows, columns))
    # Few places, so that cells are often told again.
    row, column = int(rng.integers(min(3, rows - height + 1))), int(rng.integers(min(3, columns - width + 1)))
    return Block(column, row, width, height), scale


def _latents(codec: SceneCodec, rng: np.random.Generator, quality: int, block: Block) -> NDArray[np.float32]:
    """Return latents of which some are many steps large."""
    shape = (codec.entropy.channels, block.rows, block.columns)
    spread = codec.quantizer.steps[quality][:, None, None] * np.exp(rng.normal(-1.0, 1.0, shape))
    return np.asarray(rng.standard_t(3, shape) * spread, np.float32)


def _thumbnail(codec: SceneCodec, rng: np.random.Generator, shape: int, part: Part) -> Thumbnail:
    symbols = np.rint(rng.standard_t(2, codec.thumbnails.model.members[shape][part].size)).clip(-900, 900)
    quality, version = int(rng.integers(THUMBNAIL_QUALITIES)), int(rng.integers(4))
    return Thumbnail(part, quality, version, symbols.astype(np.int32))


def _knot(rng: np.random.Generator) -> Knot:
    x, y = int(rng.integers(-64, WIDTH_PX + 64)), int(rng.integers(-64, HEIGHT_PX + 64))
    return Knot(int(rng.integers(16)), x, y, int(rng.integers(20, 80)))


def _sprite(codec: SceneCodec, rng: np.random.Generator, sprite: int) -> SpriteElement:
    knot = _knot(rng)
    width_code = min(max(knot.height_code + int(rng.integers(-20, 20)), 0), 127)
    core = _thumbnail(codec, rng, shape_of(width_code, knot.height_code), Part.CORE)
    margins = tuple(rng.integers(4, size=4).tolist())
    return SpriteElement(sprite, bool(rng.random() < 0.5), int(rng.integers(81)), width_code, margins, knot, core)


def _picture(rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """Return a smooth picture with edges, made without anything whose result depends on the machine."""
    picture = np.zeros((side, side, 3), np.int64)
    for _ in range(12):
        x0, y0 = rng.integers(0, side, 2)
        x1, y1 = rng.integers((x0, y0), side, endpoint=True)
        picture[y0:y1, x0:x1] = rng.integers(0, 256, 3)
    return np.asarray((picture + np.arange(side)[:, None, None] * 2 % 40).clip(0, 255), np.uint8)


def _apply(elements: list[Element], background: Background, number: int) -> None:
    for element in elements:
        if isinstance(element, CellElement):
            background.apply(element.update, (number + 1) * 100_000_000)


def _digest(value: Any) -> str:
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()[:16]


def _feed(digest: Any, value: Any) -> None:
    """Hash what a value says, whatever integer types it is kept in."""
    if isinstance(value, np.ndarray):
        digest.update(str(value.shape).encode() + value.astype("<i8").tobytes())
    elif is_dataclass(value):
        digest.update(type(value).__name__.encode())
        for field in fields(value):
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for each in value:
            _feed(digest, each)
    else:
        digest.update(repr(value if value is None else int(value)).encode() + b",")


def _background_digest(background: Background) -> str:
    arrays = [(surface.values, surface.level, surface.quality) for surface in background.scales]
    return _digest([array.astype(np.int64) for group in arrays for array in group])


def main() -> int:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("write", "read"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--payloads", type=int, default=1000)
    parser.add_argument("--stills", type=int, default=12)
    arguments = parser.parse_args()
    if arguments.action == "write":
        write(arguments.folder, arguments.payloads, arguments.stills)
        return 0
    return 1 if read(arguments.folder) else 0


if __name__ == "__main__":
    sys.exit(main())
