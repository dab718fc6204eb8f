"""An overlay for operators: it tells in a picture what was received, what is old, and what is only expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX
from pantel_device.frame import Box
from pantel_device.observer.coco import label_of
from pantel_device.receiving.alarms_in import ReceivedAlarm
from pantel_device.receiving.sink import Picture
from pantel_device.rendering.drawing import (
    DARK,
    LIGHT,
    TEXT_HEIGHT_PX,
    diagonals,
    enlarged_for_text,
    outline,
    write_text,
)
from pantel_device.rendering.renderer import ShownObject

__all__ = ["draw_overlay"]

# What is younger needs no mention.
_OLD_OBJECT_S = 2.0
_OLD_BACKGROUND_S = 10.0
_SILENCE_S = 5.0

_MINUTES_FROM_S = 120
_HATCH_PX = 10

_KNOWN = (120, 255, 120)
_EXPECTED = (255, 190, 60)
_ALARM = (255, 60, 60)


def draw_overlay(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture with marks; small ones twice as wide and high.

    * A box around every object: green where its place was received; dashed and amber where it was told last before the
      time that the picture shows, so that it is only expected to be there.
    * Beside it what it is, and how old its place or its looks are if more than 2 s, whichever is older.
    * Hatching over the parts of the background that were never received, except where an object stands before them: the
      receiver has made them up.
    * A red box around every object that has raised an alarm, where it was then, and at the upper edge a line for each.
    * At the lower edge the age of the oldest part of the background if more than 10 s, and for how long there has been
      no news at all if more than 5 s.

    Args:
        picture: As the receiver hands it on; it is not changed.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    canvas, scale = enlarged_for_text(picture.pixels)
    received = np.isfinite(picture.cell_age_s)
    _hatch(canvas, ~received, [shown.box for shown in picture.objects], scale)
    for shown in picture.objects:
        _draw_object(canvas, shown, picture.shown_ns, scale)
    for alarm in picture.alarms:
        outline(canvas, alarm.box, scale, _ALARM)
    for line, alarm in enumerate(picture.alarms, 1):
        write_text(canvas, _alarm_line(alarm, picture.time_ns), 0, line * TEXT_HEIGHT_PX, _ALARM)
    notes = []
    oldest_s = float(picture.cell_age_s[received].max(initial=0.0))
    if oldest_s > _OLD_BACKGROUND_S:
        notes.append(f"background: up to {_age(oldest_s)} old")
    silence_s = (picture.time_ns - picture.capture_time_ns) / 1e9
    if silence_s > _SILENCE_S:
        notes.append(f"no news for {_age(silence_s)}")
    for line, note in enumerate(reversed(notes)):
        write_text(canvas, note, 0, canvas.shape[0] - line * TEXT_HEIGHT_PX, LIGHT)
    return canvas


def _draw_object(canvas: NDArray[np.uint8], shown: ShownObject, shown_ns: int, scale: int) -> None:
    height, width = canvas.shape[:2]
    if Box(0, 0, width / scale, height / scale).intersection_px(shown.box) <= 0:
        return
    expected = shown_ns > shown.known_ns
    colour = _EXPECTED if expected else _KNOWN
    outline(canvas, shown.box, scale, colour, dashed=expected)
    age_s = (shown_ns - min(shown.known_ns, shown.looks_ns)) / 1e9
    words = [label] if (label := label_of(shown.class_id)) else []
    if age_s > _OLD_OBJECT_S:
        words.append(_age(age_s))
    if words:
        write_text(canvas, " ".join(words), round(scale * shown.box.x0), round(scale * shown.box.y0), colour)


def _alarm_line(alarm: ReceivedAlarm, now_ns: int) -> str:
    place = f" in {alarm.zone}" if alarm.zone else ""
    return f"ALARM {alarm.box.label or 'object'}{place}, {_age(max((now_ns - alarm.time_ns) / 1e9, 0))} ago"


def _hatch(canvas: NDArray[np.uint8], cells: NDArray[np.bool_], before: Sequence[Box], scale: int) -> None:
    """Lay lines over cells (rows, columns) where no box stands before them."""
    if not cells.any():
        return
    height, width = canvas.shape[:2]
    area = cells.repeat(scale * CELL_PX, axis=0).repeat(scale * CELL_PX, axis=1)[:height, :width]
    for box in before:
        x0, y0, x1, y1 = (max(round(scale * edge), 0) for edge in (box.x0, box.y0, box.x1, box.y1))
        area[y0:y1, x0:x1] = False
    lines = diagonals(area.shape, _HATCH_PX, 1)
    canvas[area & lines] = LIGHT
    canvas[area & np.roll(lines, 1, axis=1)] = DARK


def _age(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < _MINUTES_FROM_S else f"{int(seconds / 60)} min"
