"""Boxes around the objects of photographs that have none, found by a YOLOX detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pantel_export.errors import DataError
from pantel_models import open_session

__all__ = ["write_pseudo_labels"]

_STRIDES = (8, 16, 32)
_GREY = 114
_LEAST_SCORE = 0.5
_MAX_IOU = 0.5


def write_pseudo_labels(detector: Path, photos: Path, boxes: Path) -> int:
    """Write a YOLO text file (class, centre, size, score) for each photograph in which something is found.

    Args:
        detector: A YOLOX export with undecoded boxes.
        photos: Folder of photographs.
        boxes: Folder for the text files; made if it is missing.

    Returns:
        How many boxes there are.

    Raises:
        DataError: The detector cannot be read or is no such export, or there is no folder of photographs.
        ManifestError: It is no model that onnxruntime can run.
    """
    if not photos.is_dir():
        raise DataError(f"{photos} is no folder; name folders of photographs with --photos")
    try:
        session = open_session(detector.read_bytes(), f"the detector {detector}")
    except OSError as error:
        raise DataError(f"the detector {detector} cannot be read: {error.strerror}") from error
    _check_layout(session, detector)
    boxes.mkdir(parents=True, exist_ok=True)
    total = 0
    for path in tqdm(sorted(photos.iterdir()), desc=photos.name):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        lines = _lines(session, np.asarray(picture, np.uint8))
        total += len(lines)
        labels = boxes / f"{path.stem}.txt"
        if lines:
            labels.write_text("\n".join(lines) + "\n")
        else:
            labels.unlink(missing_ok=True)  # of an earlier run
    return total


def _check_layout(session: Any, detector: Path) -> None:
    """Refuse a graph that does not map a square picture to a box for each cell of the strides."""
    match session.get_inputs()[0].shape, session.get_outputs()[0].shape:
        case [_, 3, int(height), int(width)], [_, int(boxes), int(values)] if (
            height == width and boxes == len(_grid(width)[0]) and values > 5
        ):
            return
    raise DataError(f"the detector {detector} is no YOLOX export with a square input and undecoded boxes")


def _lines(session: Any, picture: NDArray[np.uint8]) -> list[str]:
    """Return the boxes of a picture (H, W, 3) BGR as lines of text."""
    side = session.get_inputs()[0].shape[2]
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    canvas = np.full((side, side, 3), _GREY, np.uint8)
    reduced = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:side, :side]
    canvas[: reduced.shape[0], : reduced.shape[1]] = reduced
    inputs = {session.get_inputs()[0].name: canvas.transpose(2, 0, 1)[None].astype(np.float32)}
    found = session.run(None, inputs)[0][0]
    cells, strides = _grid(side)
    score = (found[:, 4:5] * found[:, 5:]).max(axis=1)
    kept = score > _LEAST_SCORE
    centre = ((found[:, :2] + cells) * strides)[kept] / scale
    size = (np.exp(found[:, 2:4]) * strides)[kept] / scale
    classes = found[kept, 5:].argmax(axis=1)
    corners = np.hstack([centre - size / 2, size])
    best = cv2.dnn.NMSBoxes(corners.tolist(), score[kept].tolist(), _LEAST_SCORE, _MAX_IOU)
    lines = []
    for index in np.asarray(best, int).ravel():
        shares = np.hstack([centre[index], size[index]]) / [width, height, width, height]
        values = " ".join(f"{min(max(share, 0), 1):.5f}" for share in shares)
        lines.append(f"{classes[index]} {values} {score[kept][index]:.2f}")
    return lines


def _grid(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (N, 2) the cell and (N, 1) the stride of each box."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: side // stride, : side // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(float), np.concatenate(strides).astype(float)
