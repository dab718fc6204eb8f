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
_MAX_IOU = 0.5
_TILE_SHARE = 0.6  # of the picture's sides
_RIM_PX = 3


def write_pseudo_labels(
    detector: Path, photos: Path, boxes: Path, *, least_score: float = 0.5, tiled: bool = False
) -> int:
    """Write a YOLO text file (class, centre, size, score) for each photograph in which something is found.

    Args:
        detector: A YOLOX export with undecoded boxes.
        photos: Folder of photographs.
        boxes: Folder for the text files; made if it is missing.
        least_score: Of a box that is written.
        tiled: Look at four overlapping parts of each photograph, too, where small objects are larger.

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
    for path in tqdm(sorted(photos.iterdir()), desc=photos.name, mininterval=5):
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        lines = _lines(session, np.asarray(picture, np.uint8), least_score, tiled)
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


def _lines(session: Any, picture: NDArray[np.uint8], least_score: float, tiled: bool) -> list[str]:
    """Return the boxes of a picture (H, W, 3) BGR as lines of text."""
    height, width = picture.shape[:2]
    found = [_found(session, picture, least_score)]
    for y in (0, height - int(_TILE_SHARE * height)) if tiled else ():
        for x in (0, width - int(_TILE_SHARE * width)):
            rows, columns = int(_TILE_SHARE * height), int(_TILE_SHARE * width)
            here = _found(session, np.ascontiguousarray(picture[y : y + rows, x : x + columns]), least_score)
            # What a tile cuts through is seen whole by another one.
            low, high = here[:, :2], here[:, :2] + here[:, 2:4]
            cut = ((low < _RIM_PX) & ([x > 0, y > 0])) | (
                (high > np.array([columns, rows]) - _RIM_PX) & ([x == 0, y == 0])
            )
            here[:, :2] += [x, y]
            found.append(here[~cut.any(axis=1)])
    boxes = np.concatenate(found)
    corners, scores, classes = boxes[:, :4], boxes[:, 4], boxes[:, 5].astype(int)
    best = cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), least_score, _MAX_IOU)
    lines = []
    for index in np.asarray(best, int).ravel():
        low = np.clip(corners[index, :2], 0, [width, height])
        high = np.clip(corners[index, :2] + corners[index, 2:], 0, [width, height])
        shares = np.hstack([(low + high) / 2, high - low]) / [width, height, width, height]
        lines.append(f"{classes[index]} {' '.join(f'{share:.5f}' for share in shares)} {scores[index]:.2f}")
    return lines


def _found(session: Any, picture: NDArray[np.uint8], least_score: float) -> NDArray[np.float64]:
    """Return (N, 6): left, top, width, height [px], score and class of what is found, doubles included."""
    side = session.get_inputs()[0].shape[2]
    scale = side / max(picture.shape[:2])
    canvas = np.full((side, side, 3), _GREY, np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    reduced = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)[:side, :side]
    canvas[: reduced.shape[0], : reduced.shape[1]] = reduced
    inputs = {session.get_inputs()[0].name: canvas.transpose(2, 0, 1)[None].astype(np.float32)}
    found = session.run(None, inputs)[0][0].astype(np.float64)
    cells, strides = _grid(side)
    scores = found[:, 4:5] * found[:, 5:]
    kept = scores.max(axis=1) > least_score
    centre = ((found[:, :2] + cells) * strides)[kept] / scale
    size = (np.exp(found[:, 2:4]) * strides)[kept] / scale
    return np.column_stack([centre - size / 2, size, scores[kept].max(axis=1), scores[kept].argmax(axis=1)])


def _grid(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (N, 2) the cell and (N, 1) the stride of each box."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: side // stride, : side // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(float), np.concatenate(strides).astype(float)
