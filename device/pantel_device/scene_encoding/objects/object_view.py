"""One object as the sender sees it: cut out of the newest frame, to compare with what a sprite would show there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import MARGINS, Margins, Pose
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import Window, place, raster_box
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_models.thumbnails import Cutting, Look

__all__ = ["ObjectView"]

_RIM_PX = 2
_REACH = 0.62  # of an object's sides, in which what belongs to it is looked for; all but the widest margin
_WORTH_REACHING = 0.1  # share of a strip beside an object that has to move for the raster to reach so far
_LARGE_WORTH_REACHING = 0.3  # the same for objects of this area on: a large raster is soon a blur
_LARGE_PX = 1500.0
_DIFFERENCE = 14.0  # grey levels from the background that make a pixel the object's
_SOFTNESS = 6.0
_PRESENCE = 44.0  # weighted error of not showing an object at all, or of showing one that is gone, as `weight` 1 has it
_PRESENT_IOU = 0.7  # with its true place, from which on an object counts as shown there


class ObjectView:
    """The surroundings of an object and of its sprite in one frame.

    Errors are sums of squares over 0..1 values; what moves weighs more than what is beside it.

    Attributes:
        window: Rows and columns of the picture that are looked at; empty when nothing lies in the picture.
    """

    def __init__(
        self, observation: Observation, track: Track | None, boxes: Sequence[Box], *, weight: float = 1.0
    ) -> None:
        """Cut out a part of a frame.

        Args:
            observation: The frame, its background and its objects.
            track: The object; None if it has left.
            boxes: What the part has to hold.
            weight: How much more an error counts where something moves than beside it.
        """
        height, width = observation.frame.pixels.shape[:2]
        self._size_px = (width, height)
        reach = _REACH if track is not None else 0.0
        rim_x, rim_y = (reach * max(sides) + _RIM_PX for sides in _sides(boxes))
        self.window = (
            _within(min(box.y0 for box in boxes) - rim_y, max(box.y1 for box in boxes) + rim_y, height),
            _within(min(box.x0 for box in boxes) - rim_x, max(box.x1 for box in boxes) + rim_x, width),
        )
        frame, background = observation.frame.pixels[self.window], observation.background[self.window]
        self._pixels = frame
        self._frame, self._background = frame.astype(np.float32), background.astype(np.float32)
        self._true_box = None if track is None else track.box
        self._mask = _object_mask(observation.difference[self.window])
        self._seen = np.ones((*frame.shape[:2], 1), np.float32)
        self._others = np.zeros(frame.shape[:2], np.bool_)
        for other in observation.tracks:
            if track is None or other.track_id != track.track_id:
                hidden = self._rows_and_columns(other.box)
                self._others[hidden] = True
                # What is nearer hides an object. Nobody misses one that has left where another is shown.
                if track is None or other.box.y1 > track.box.y1:
                    self._seen[hidden] = 0
        self._presence = _PRESENCE * weight
        self._root_weight = np.sqrt(self._seen * (1 + (weight - 1) * self._mask[..., None])) / np.float32(255)
        self._bare = np.asarray((self._background - self._frame) * self._root_weight, np.float32)
        self._bare_square = float(np.vdot(self._bare, self._bare))

    def margins(self, box: Box) -> Margins:
        """Return how far a raster should reach beyond an object to hold all that moves with it, such as its shadow."""
        mask = (self._mask > 0.5) & ~self._others
        width, height = box.x1 - box.x0, box.y1 - box.y0
        worth_reaching = _WORTH_REACHING if box.area_px < _LARGE_PX else _LARGE_WORTH_REACHING
        found = []
        for dx, dy in ((-1, 0), (0, -1), (1, 0), (0, 1)):
            margin = 0
            for index in range(1, len(MARGINS)):
                inner, outer = MARGINS[index - 1], MARGINS[index]
                strip = Box(
                    box.x0 - outer * width if dx < 0 else box.x1 + inner * width if dx > 0 else box.x0,
                    box.y0 - outer * height if dy < 0 else box.y1 + inner * height if dy > 0 else box.y0,
                    box.x0 - inner * width if dx < 0 else box.x1 + outer * width if dx > 0 else box.x1,
                    box.y0 - inner * height if dy < 0 else box.y1 + outer * height if dy > 0 else box.y1,
                )
                part = mask[self._rows_and_columns(strip)]
                if part.sum() < worth_reaching * strip.area_px:
                    break
                margin = index
            found.append(margin)
        left, above, right, below = found
        return left, above, right, below

    def error(self, look: Look, box: Box, margins: Margins) -> float:
        """Return the weighted error of a sprite; more if it shows an object where none is.

        Args:
            look: The sprite.
            box: Where it shows the object.
            margins: Of its raster.
        """
        covered = self._covered(look, raster_box(box, margins))
        error = self._bare_square
        if covered is not None:
            here, wrong = covered
            error += float(np.vdot(wrong, wrong)) - float(np.vdot(self._bare[here], self._bare[here]))
        absence = 1.0 if self._true_box is None else max(1 - box.iou(self._true_box) / _PRESENT_IOU, 0.0)
        return error + self._presence * absence

    def expected_error(self, belief: SpriteBelief, time_ns: int) -> float:
        """Return the weighted error that is expected of what receivers show that know the object, see `poses_at`."""
        errors = (
            (probability, self.bare_error() if pose is None else self._error_at(belief, pose))
            for probability, pose in belief.poses_at(time_ns)
        )
        return sum(probability * error for probability, error in errors)

    def _error_at(self, belief: SpriteBelief, pose: Pose) -> float:
        return self.error(belief.look, belief.box_of(pose), belief.sprite.margins)

    def bare_error(self) -> float:
        """Return the weighted error of the background without a sprite."""
        return self._bare_square + (0.0 if self._true_box is None else self._presence)

    def residual(self, look: Look, raster: Box) -> NDArray[np.float32]:
        """Return the error of each value of the window under a sprite, (values,) float32.

        The squares add up to that part of the weighted error that the sprite decides about.

        Args:
            look: The sprite.
            raster: Where its raster lies.
        """
        covered = self._covered(look, raster)
        return np.zeros(0, np.float32) if covered is None else covered[1].ravel()

    def _covered(self, look: Look, raster: Box) -> tuple[Window, NDArray[np.float32]] | None:
        """Return what a sprite covers of the window and the weighted error (rows, columns, 3) there, if any."""
        placed = place(look, raster, self._size_px)
        inner = _common(placed.window, self.window)
        if inner is None:
            return None
        here, there = _relative(inner, self.window), _relative(inner, placed.window)
        below = self._background[here]
        shown = below + placed.alpha[there] * (placed.colour[there] - below)
        return here, np.asarray((shown - self._frame[here]) * self._root_weight[here], np.float32)

    def on_raster(
        self, raster: Box, size: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return frame and background as samples of a raster, and their weights.

        Args:
            raster: Where it lies.
            size: Its columns and rows.

        Returns:
            Frame and background, each (rows, columns, 3) float32, 0..255. Weights (rows, columns, 1) such that the
            squares of weighted differences add up to about the error; zero where nothing is known.
        """
        fine = 2 * size[0], 2 * size[1]  # each sample is the mean of four
        columns, rows = (raster.x1 - raster.x0) / fine[0], (raster.y1 - raster.y0) / fine[1]
        x0, y0 = raster.x0 - self.window[1].start, raster.y0 - self.window[0].start
        matrix = np.array([[columns, 0, x0 + (columns - 1) / 2], [0, rows, y0 + (rows - 1) / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        layers = (self._frame, self._background, self._root_weight[..., 0] ** 2)
        frame, background, weight = (
            np.asarray(cv2.resize(cv2.warpAffine(layer, matrix, fine, flags=flags), size), np.float32)
            for layer in layers
        )
        return frame, background, np.sqrt(4 * columns * rows * weight)[..., None].astype(np.float32)

    def cut(self, box: Box) -> Cutting | None:
        """Return what lies in a raster's rectangle; None if hardly anything of it lies in the picture."""
        y0, x0 = round(box.y0), round(box.x0)
        whole = slice(y0, max(round(box.y1), y0 + 2)), slice(x0, max(round(box.x1), x0 + 2))
        inner = _common(whole, (slice(0, self._size_px[1]), slice(0, self._size_px[0])))
        if inner is None or min(part.stop - part.start for part in inner) < 2:
            return None
        known = _common(inner, self.window)
        if known is None:
            return None
        here = _relative(known, self.window)
        pads = [(part.start - all_.start, all_.stop - part.stop) for part, all_ in zip(known, whole, strict=True)]
        frame = np.pad(self._pixels[here], (*pads, (0, 0)), mode="edge")
        return Cutting.from_pixels(frame, np.pad(self._mask[here], pads), np.pad(self._seen[here][..., 0], pads))

    def _rows_and_columns(self, box: Box) -> Window:
        """Return the part of a box that lies in the window, counted from its corner."""
        rows, columns = self.window
        return (
            _within(box.y0 - rows.start, box.y1 - rows.start, rows.stop - rows.start),
            _within(box.x0 - columns.start, box.x1 - columns.start, columns.stop - columns.start),
        )


def _object_mask(difference: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (H, W) float32, 1 where a frame clearly differs from the background; softly in between."""
    if difference.size == 0:
        return difference.astype(np.float32)
    mask = np.clip((difference.astype(np.float32) - _DIFFERENCE) / _SOFTNESS + 0.5, 0, 1)
    return np.asarray(cv2.medianBlur((255 * mask).astype(np.uint8), 3), np.float32) / np.float32(255)


def _sides(boxes: Sequence[Box]) -> tuple[list[float], list[float]]:
    return [box.x1 - box.x0 for box in boxes], [box.y1 - box.y0 for box in boxes]


def _within(low: float, high: float, limit: int) -> slice:
    """Return the whole pixels of an interval that lie in 0..limit."""
    start = min(max(math.floor(low), 0), limit)
    return slice(start, min(max(math.ceil(high), start), limit))


def _common(first: Window, second: Window) -> Window | None:
    """Return what two windows share; None if nothing."""
    rows, columns = (
        slice(max(one.start, two.start), min(one.stop, two.stop)) for one, two in zip(first, second, strict=True)
    )
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def _relative(window: Window, origin: Window) -> Window:
    """Return a window of the picture as a window of a part of it."""
    rows, columns = (
        slice(part.start - start.start, part.stop - start.start) for part, start in zip(window, origin, strict=True)
    )
    return rows, columns
