"""Motion before a static camera, by subtraction of a background that follows the scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Frame
from pantel_device.observer.background import Background

__all__ = ["Motion", "MotionDetector"]

_WORKING_WIDTH_PX = 320  # wider pictures are reduced: the work stays the same for every camera

# What differs from the background, in grey levels; chroma counts double, because it is steadier than luma.
_MIN_DIFFERENCE = 16.0
_NOISE_FACTOR = 4.0  # multiples of the noise's standard deviation
_CHROMA_FACTOR = 2.0

# A shadow dims the background by less than that, and leaves its hue.
_SHADOW_MIN_GAIN = 0.6
_SHADOW_MAX_CHROMA = 4

# A ghost is where something was when the background was learned: it stands still, and its outline is in the
# background rather than in the picture.
_GHOST_MAX_CHANGE = 3.0  # from frame to frame [grey levels]
_GHOST_EDGE_RATIO = 1.5

_MIN_AREA_SHARE = 1 / 1280  # smaller spots are noise: 60 pixels of 320x240
_MAX_MOVING_SHARE = 0.6  # above that the camera or the light has changed, not the scene
_MAX_DISTURBANCE_S = 1.0  # after that long the background is learned anew

_SPECK = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
_GAP = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What moves in one frame.

    Attributes:
        mask: (H, W) bool: pixels that differ from the background, shadows left out.
        boxes: Around each connected part of the mask, largest first.
    """

    mask: NDArray[np.bool_]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A connected part of what differs: its pixels inside a window with a margin of one pixel."""

    window: tuple[slice, slice]
    pixels: NDArray[np.uint8]
    area_px: int
    box: Box


class MotionDetector:
    """Finds what moves before a camera that stands still.

    The method is that of Cucchiara et al., "Detecting moving objects, ghosts, and shadows in video streams"
    (PAMI 2003), with simpler rules: a temporal median as background, here in YCbCr; shadows where luma is
    dimmed and chroma kept; ghosts, left by objects that stood in the background, where nothing moves. Differences
    are taken after the exposure has been matched to the background's, and compared with a threshold that
    follows the noise. Gaps left by the shadow rule, such as grey parts of a car, are closed as far as the
    picture differs there at all, so that shadows do not widen the boxes.

    While most of the picture differs (a camera that turns, a lamp switched on) nothing is reported; if that
    lasts, the background is learned anew.
    """

    def __init__(self) -> None:
        self._background: Background | None = None
        self._working_background: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._previous: NDArray[np.uint8] | None = None
        self._last_calm_ns = 0

    @property
    def background(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, RGB, read-only: the picture without what moves.

        Raises:
            RuntimeError: No frame has been seen yet.
        """
        if self._background is None:
            raise RuntimeError("there is no background before the first frame")
        return self._background.picture

    def learn(self, pixels: NDArray[np.uint8], time_ns: int, hidden: NDArray[np.bool_] | None = None) -> None:
        """Take a picture that has been looked at into the background.

        Args:
            pixels: (H, W, 3) uint8, RGB, exposed as the background is.
            time_ns: Its capture time.
            hidden: (H, W) bool: where objects hide the background; None if that is not known.
        """
        if self._background is not None:
            self._background.learn(pixels, time_ns, hidden)

    def detect(self, frame: Frame) -> Motion:
        """Return what moves in a frame; nothing in the first one.

        All frames of one detector are of one size and come in the order of their times.
        """
        height, width = frame.pixels.shape[:2]
        picture = _working_picture(frame.pixels)
        if self._background is None or self._previous is None:
            self._background, self._previous = Background(frame.pixels, frame.time_ns), picture
            self._last_calm_ns = frame.time_ns
        background = self._known_background()
        moving = _moving(picture, background)
        parts: list[_Part] = []
        if moving.mean() <= _MAX_MOVING_SHARE:
            self._last_calm_ns = frame.time_ns
            for part in _parts(moving):
                if _is_ghost(part, picture, self._previous, background):
                    self._correct(part, frame.pixels)
                else:
                    parts.append(part)
        elif frame.time_ns - self._last_calm_ns > _MAX_DISTURBANCE_S * 1e9:
            self._background = Background(frame.pixels, frame.time_ns)
        self._previous = picture
        mask = np.zeros(moving.shape, np.uint8)
        for part in parts:
            mask[part.window] |= part.pixels
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
        scale = width / moving.shape[1], height / moving.shape[0]
        return Motion(mask > 0, tuple(_scaled(part.box, scale) for part in parts))

    def _known_background(self) -> NDArray[np.uint8]:
        """Return the background as a working picture, made anew when it has changed."""
        picture = self.background
        if self._working_background is None or self._working_background[0] is not picture:
            self._working_background = picture, _working_picture(picture)
        return self._working_background[1]

    def _correct(self, part: _Part, pixels: NDArray[np.uint8]) -> None:
        """Take the bare background of a part over from a frame (H, W, 3)."""
        height, width = pixels.shape[:2]
        ghost = np.zeros(self._known_background().shape[:2], np.uint8)
        ghost[part.window] = cv2.dilate(part.pixels, _GAP)
        whole = cv2.resize(ghost, (width, height), interpolation=cv2.INTER_NEAREST) > 0
        if self._background is not None:
            self._background.correct((slice(None), slice(None)), whole, pixels)


def _working_picture(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as YCrCb, a little smoothed, in the size in which motion is looked for."""
    height, width = pixels.shape[:2]
    scale = min(_WORKING_WIDTH_PX / width, 1.0)
    size_px = round(width * scale), max(round(height * scale), 1)
    smooth = cv2.GaussianBlur(cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2YCrCb), np.uint8)


def _moving(picture: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return where a picture differs from the background by more than noise and shadow.

    Args:
        picture: (H, W, 3) uint8, YCrCb.
        background: (H, W, 3) uint8, YCrCb.

    Returns:
        (H, W) uint8, 0 or 1.
    """
    luma, *chroma = (np.asarray(plane, np.uint8) for plane in cv2.split(picture))
    luma_before, *chroma_before = (np.asarray(plane, np.uint8) for plane in cv2.split(background))
    luma = _match_exposure(luma, luma_before)
    luma_difference = cv2.absdiff(luma, luma_before)
    chroma_difference = cv2.max(*map(cv2.absdiff, chroma, chroma_before))
    difference = cv2.max(luma_difference, cv2.convertScaleAbs(chroma_difference, alpha=_CHROMA_FACTOR))
    noise = 1.4826 * float(np.median(difference[::4, ::4]))  # the median of |x| is sigma / 1.4826
    differs = np.asarray(difference > max(_MIN_DIFFERENCE, _NOISE_FACTOR * noise), np.uint8)
    differs = _morph(_morph(differs, cv2.MORPH_OPEN), cv2.MORPH_CLOSE)
    dimmed = (luma < luma_before) & (luma > _SHADOW_MIN_GAIN * luma_before)
    shadow = dimmed & (chroma_difference < _SHADOW_MAX_CHROMA)
    certain = _morph(differs & ~shadow, cv2.MORPH_OPEN)
    return _morph(certain, cv2.MORPH_CLOSE, _GAP) & differs


def _match_exposure(luma: NDArray[np.uint8], luma_before: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a picture's luma so that its median pixel is as bright as before."""
    offset = 8.0  # keeps the noise of black pixels from counting as a change of exposure
    gain = float(np.median((luma_before[::4, ::4] + offset) / (luma[::4, ::4] + offset)))
    return np.asarray(cv2.convertScaleAbs(luma, alpha=gain, beta=offset * (gain - 1)), np.uint8)


def _morph(picture: NDArray[np.uint8], operation: int, kernel: NDArray[np.uint8] = _SPECK) -> NDArray[np.uint8]:
    return np.asarray(cv2.morphologyEx(picture, operation, kernel), np.uint8)


def _parts(moving: NDArray[np.uint8]) -> list[_Part]:
    """Return the connected parts of a mask that are large enough, largest first."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(moving)
    parts = []
    for label in range(1, count):  # 0 is what does not move
        x, y, width, height, area_px = statistics[label].tolist()
        if area_px >= _MIN_AREA_SHARE * moving.size:
            window = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
            pixels = np.asarray(labels[window] == label, np.uint8)
            parts.append(_Part(window, pixels, area_px, Box(x, y, x + width, y + height)))
    return sorted(parts, key=lambda part: -part.area_px)


def _is_ghost(
    part: _Part, picture: NDArray[np.uint8], previous: NDArray[np.uint8], background: NDArray[np.uint8]
) -> bool:
    """Tell whether a part is the bare background, and what the background holds there was an object."""
    now, before, without = (each[part.window][..., 0] for each in (picture, previous, background))
    if cv2.absdiff(now, before)[part.pixels > 0].mean() > _GHOST_MAX_CHANGE:
        return False
    outline = _morph(part.pixels, cv2.MORPH_GRADIENT) > 0
    edges = _morph(now, cv2.MORPH_GRADIENT)[outline].mean()
    return bool(_morph(without, cv2.MORPH_GRADIENT)[outline].mean() > _GHOST_EDGE_RATIO * edges)


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return Box(box.x0 * scale[0], box.y0 * scale[1], box.x1 * scale[0], box.y1 * scale[1])
