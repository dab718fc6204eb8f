"""An overlay for operators: it tells in a picture what was received, what is old, and what is only expected."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX
from pantel_device.frame import Box
from pantel_device.observer.coco import COCO_CLASSES
from pantel_device.renderer import ShownObject
from pantel_device.sink import Picture

__all__ = ["draw_overlay"]

_SMALL_PX = 480  # a picture that is lower is enlarged, so that the text is legible and hides little

# What is younger needs no mention.
_OLD_OBJECT_S = 2.0
_OLD_BACKGROUND_S = 10.0
_SILENCE_S = 5.0

_MINUTES_FROM_S = 120
_DASH_PX = 5
_HATCH_PX = 10

_KNOWN = (120, 255, 120)
_EXPECTED = (255, 190, 60)
_DARK = (0, 0, 0)
_LIGHT = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4
_TEXT_HEIGHT_PX = 13


def draw_overlay(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture with marks; small ones twice as wide and high.

    * A box around every object: green where its place was received; dashed and amber where it was told last before the
      time that the picture shows, so that it is only expected to be there.
    * Beside it what it is, and how old its place or its looks are if more than 2 s, whichever is older.
    * Hatching over the parts of the background that were never received, except where an object stands before them: the
      receiver has made them up.
    * At the lower edge the age of the oldest part of the background if more than 10 s, and for how long there has been
      no news at all if more than 5 s.

    Args:
        picture: As the receiver hands it on; it is not changed.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    scale = 2 if picture.pixels.shape[0] < _SMALL_PX else 1
    canvas = picture.pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    received = np.isfinite(picture.cell_age_s)
    _hatch(canvas, ~received, [shown.box for shown in picture.objects], scale)
    for shown in picture.objects:
        _draw_object(canvas, shown, picture.shown_ns, scale)
    notes = []
    oldest_s = float(picture.cell_age_s[received].max(initial=0.0))
    if oldest_s > _OLD_BACKGROUND_S:
        notes.append(f"background: up to {_age(oldest_s)} old")
    silence_s = (picture.time_ns - picture.capture_time_ns) / 1e9
    if silence_s > _SILENCE_S:
        notes.append(f"no news for {_age(silence_s)}")
    for line, note in enumerate(reversed(notes)):
        _write(canvas, note, 0, canvas.shape[0] - line * _TEXT_HEIGHT_PX, _LIGHT)
    return canvas


def _draw_object(canvas: NDArray[np.uint8], shown: ShownObject, shown_ns: int, scale: int) -> None:
    height, width = canvas.shape[:2]
    if Box(0, 0, width / scale, height / scale).intersection_px(shown.box) <= 0:
        return
    expected = shown_ns > shown.known_ns
    colour = _EXPECTED if expected else _KNOWN
    _outline(canvas, shown.box, scale, colour, dashed=expected)
    age_s = (shown_ns - min(shown.known_ns, shown.looks_ns)) / 1e9
    words = [COCO_CLASSES[shown.class_id - 1]] if 1 <= shown.class_id <= len(COCO_CLASSES) else []
    if age_s > _OLD_OBJECT_S:
        words.append(_age(age_s))
    if words:
        _write(canvas, " ".join(words), round(scale * shown.box.x0), round(scale * shown.box.y0), colour)


def _outline(canvas: NDArray[np.uint8], box: Box, scale: int, colour: tuple[int, int, int], *, dashed: bool) -> None:
    """Draw a box with a dark rim, which keeps it visible on any background."""
    x0, y0, x1, y1 = (round(scale * edge) for edge in (box.x0, box.y0, box.x1, box.y1))
    left, top = max(x0 - 1, 0), max(y0 - 1, 0)
    window = canvas[top : max(y1 + 1, 0), left : max(x1 + 1, 0)]
    corners = (x0 - left, y0 - top), (x1 - left - 1, y1 - top - 1)
    for width_px, shade in ((3, _DARK), (1, colour)):
        line = cv2.rectangle(np.zeros(window.shape[:2], np.uint8), *corners, 1, width_px) > 0
        if dashed:
            line &= _diagonals(line.shape, 2 * _DASH_PX, _DASH_PX)
        window[line] = shade


def _hatch(canvas: NDArray[np.uint8], cells: NDArray[np.bool_], before: Sequence[Box], scale: int) -> None:
    """Lay lines over cells (rows, columns) where no box stands before them."""
    if not cells.any():
        return
    height, width = canvas.shape[:2]
    area = cells.repeat(scale * CELL_PX, axis=0).repeat(scale * CELL_PX, axis=1)[:height, :width]
    for box in before:
        x0, y0, x1, y1 = (max(round(scale * edge), 0) for edge in (box.x0, box.y0, box.x1, box.y1))
        area[y0:y1, x0:x1] = False
    lines = _diagonals(area.shape, _HATCH_PX, 1)
    canvas[area & lines] = _LIGHT
    canvas[area & np.roll(lines, 1, axis=1)] = _DARK


def _diagonals(shape: tuple[int, ...], period_px: int, width_px: int) -> NDArray[np.bool_]:
    """Return (H, W) bool: stripes that rise to the right."""
    place = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    return np.asarray(place % period_px < width_px, np.bool_)


def _write(canvas: NDArray[np.uint8], text: str, left: int, bottom: int, colour: tuple[int, int, int]) -> None:
    """Write a line of text on a dark ground, moved into the picture where it would leave it."""
    height, width = canvas.shape[:2]
    text_width = cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0] + 4
    left = max(min(left, width - text_width), 0)
    bottom = min(max(bottom, _TEXT_HEIGHT_PX), height)
    canvas[bottom - _TEXT_HEIGHT_PX : bottom, left : left + text_width] //= 3
    cv2.putText(canvas, text, (left + 2, bottom - 4), _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)


def _age(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < _MINUTES_FROM_S else f"{int(seconds / 60)} min"
