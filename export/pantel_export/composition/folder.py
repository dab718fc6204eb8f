"""A folder of composed pictures: made once, for every training that learns from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_export.composition.material import compose
from pantel_export.composition.photographs import Photograph
from pantel_export.errors import DataError
from pantel_models import SceneCodec

__all__ = ["read_composed", "write_composed"]

_PICTURES, _RECORD = "pictures.npy", "record.json"
_REPORT = 50


def write_composed(
    folder: Path,
    codec: SceneCodec,
    photographs: tuple[Sequence[Photograph], Sequence[Photograph]],
    *,
    count: int,
    side_px: int,
    seed: int,
) -> None:
    """Write a folder of composed pictures and the record of what they were made of.

    Args:
        folder: Made if it is missing.
        codec: In the perceptual view.
        photographs: Those without known objects, and those with.
        count: Number of pictures.
        side_px: Width and height of each, a multiple of 64.
        seed: Each picture depends on it and on its own number alone.

    Raises:
        DataError: A photograph cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bare, populated = photographs
    pictures = np.empty((count, side_px, side_px, 7), np.uint8)
    for index in range(count):
        one = compose(codec, bare, populated, side_px, np.random.default_rng((seed, index)))
        pictures[index] = np.concatenate([one.pixels, one.cover[..., None], one.source], 2)
        if (index + 1) % _REPORT == 0:
            print(f"pictures={index + 1}/{count}", flush=True)  # noqa: T201
    np.save(folder / _PICTURES, pictures)
    files = codec.artefact.sha256
    record = {
        "seed": seed,
        "pictures": count,
        "side_px": side_px,
        "photographs": len(bare) + len(populated),
        "with_objects": len(populated),
        "folders": sorted({path.path.parent.name for path in (*bare, *populated)}),
        "artefact": codec.artefact.name,
        "painters_sha256": {role: files[role] for role in ("perceptual", "thumbnail_perceptual") if role in files},
    }
    (folder / _RECORD).write_text(json.dumps(record, indent=1) + "\n")


def read_composed(folders: Sequence[Path]) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Return the pictures of some folders and the record of each.

    Returns:
        (N, side, side, 7) uint8: the composed picture, RGB, its cover, and the source, RGB.

    Raises:
        DataError: A folder holds none, or pictures of another size.
    """
    pictures, records = [], []
    for folder in folders:
        try:
            pictures.append(np.load(folder / _PICTURES, mmap_mode="r"))
            records.append(json.loads((folder / _RECORD).read_text()))
        except (OSError, ValueError) as error:
            raise DataError(f"{folder} holds no composed pictures; make them with composed-pictures") from error
    if len({each.shape[1:] for each in pictures}) != 1:
        raise DataError("the folders hold pictures of several sizes; make them with the same --side-px")
    return np.concatenate(pictures), records
