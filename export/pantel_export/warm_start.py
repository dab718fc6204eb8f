"""Trained weights as 16-bit files in the repository: the start of the next training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pantel_export.artefact_record import shortened
from pantel_export.errors import RunError

__all__ = ["RECORD", "load_warm_start", "save_warm_start"]

RECORD = "record.json"
_SHARD_BYTES = 900_000  # keeps every file of the repository small
_STEP_MASK, _HALF_STEP = np.uint16(0x000F), np.uint16(0x0008)


def save_warm_start(
    folder: Path, state: dict[str, Tensor], record: Mapping[str, Any] | None = None, *, coarse: bool = False
) -> None:
    """Write a state as `weights-N.npz` files of 16-bit floats, and the record of its training, if it is that of a run.

    With a record the folder serves as a run folder for whatever is trained on top.

    Args:
        folder: For the files; made if it is missing.
        state: Names and values.
        record: Of the training.
        coarse: Keep 6 bits of each mantissa instead of 10 and compress the files, which makes them a third smaller.

    Raises:
        RunError: The folder is that of a run, which has a record of its own.
    """
    if (folder / "checkpoint.pt").exists():
        raise RunError(f"{folder} is the folder of a run; name another one for its weights")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("weights-*.npz"):
        old.unlink()
    shards: list[dict[str, NDArray[np.float16]]] = [{}]
    size = 0
    for key, value in state.items():
        array = value.detach().cpu().contiguous().numpy().astype(np.float16)
        if coarse:
            bits = array.view(np.uint16)
            array = ((bits + _HALF_STEP) & ~_STEP_MASK).astype(np.uint16).view(np.float16)
        if shards[-1] and size + array.nbytes > _SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][key] = array
        size += array.nbytes
    for number, shard in enumerate(shards):
        save = np.savez_compressed if coarse else np.savez
        save(folder / f"weights-{number}.npz", **shard)  # type: ignore[arg-type]
    (folder / RECORD).unlink(missing_ok=True)
    if record is not None:
        (folder / RECORD).write_text(json.dumps(shortened(record), indent=1) + "\n")


def load_warm_start(folder: Path) -> dict[str, Tensor]:
    """Return the state that `save_warm_start` wrote.

    Raises:
        RunError: There is none in the folder.
    """
    paths = sorted(folder.glob("weights-*.npz"))
    if not paths:
        raise RunError(f"no weights-*.npz in {folder}; name the folder of an earlier training")
    state: dict[str, Tensor] = {}
    for path in paths:
        with np.load(path) as arrays:
            state.update({key: torch.from_numpy(arrays[key].astype(np.float32)) for key in arrays.files})
    return state
