"""What the page is told of a picture: a header, and the picture as JPEG."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX
from pantel_device.frame import Box
from pantel_device.observer.coco import label_of
from pantel_device.receiving.sink import Picture

__all__ = ["SHORTEST_CHANGE_S", "cells_changed", "picture_header", "picture_message", "to_json"]

SHORTEST_CHANGE_S = 0.5
_LENGTH = struct.Struct(">I")


def to_json(value: object) -> str:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":"))


def picture_header(picture: Picture) -> dict[str, Any]:
    """Return what is known of a picture, all but the ages of its cells."""
    height, width = picture.pixels.shape[:2]
    whole = Box(0, 0, width, height)
    return {
        "sender": str(picture.sender),
        "view": str(picture.view),
        "width_px": width,
        "height_px": height,
        "time_s": round(picture.time_ns / 1e9, 3),
        "shown_s": round(picture.shown_ns / 1e9, 3),
        "content_age_s": round(max(picture.time_ns - picture.capture_time_ns, 0) / 1e9, 1),
        "objects": [
            {
                "id": shown.sprite_id,
                "class": label_of(shown.class_id),
                "box_px": _sides(shown.box),
                "age_s": round(max(picture.shown_ns - min(shown.known_ns, shown.looks_ns), 0) / 1e9, 1),
                "expected": picture.shown_ns > shown.known_ns,
            }
            for shown in picture.objects
            if whole.intersection_px(shown.box) > 0
        ],
        "alarms": [
            {
                "zone": alarm.zone,
                "class": alarm.box.label,
                "box_px": _sides(alarm.box),
                "age_s": round(max(picture.time_ns - alarm.time_ns, 0) / 1e9, 1),
            }
            for alarm in picture.alarms
        ],
    }


def cells_changed(before: NDArray[np.float32] | None, now: NDArray[np.float32]) -> bool:
    """Whether ages of cells (rows, columns) [s] differ from those told last by so much that they must be told again."""
    if before is None or before.shape != now.shape:
        return True
    both = np.isfinite(before) & np.isfinite(now)
    return bool(
        (np.isfinite(before) != np.isfinite(now)).any()
        or np.abs(before[both] - now[both]).max(initial=0.0) >= SHORTEST_CHANGE_S
    )


def picture_message(header: dict[str, Any], jpeg: bytes, cell_age_s: NDArray[np.float32] | None) -> bytes:
    """Return a binary message: length of the header, header, JPEG.

    Args:
        header: See `picture_header`.
        jpeg: The picture.
        cell_age_s: (rows, columns), inf where nothing was received; None if the page keeps what it was told last.
    """
    cells = None
    if cell_age_s is not None:
        rows, columns = cell_age_s.shape
        ages = [round(age, 1) if math.isfinite(age) else None for age in cell_age_s.ravel().tolist()]
        cells = {"px": CELL_PX, "rows": rows, "columns": columns, "age_s": ages}
    head = to_json({**header, "cells": cells}).encode()
    return _LENGTH.pack(len(head)) + head + jpeg


def _sides(box: Box) -> list[float]:
    return [round(side, 1) for side in (box.x0, box.y0, box.x1, box.y1)]
