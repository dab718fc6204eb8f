"""Motion: by subtraction of a background while the camera stands still, against the ground while it moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pantel_device.frame import Box, Frame
from pantel_device.observer.background import Background, CarriedBackground
from pantel_device.observer.camera_motion import CameraMotion, camera_motion, warped
from pantel_device.observer.camera_watch import CameraWatch
from pantel_device.observer.corner_tracks import find_corners, track_corners
from pantel_device.observer.difference import GAP, Part, difference_between, morph, parts, working_picture
from pantel_device.observer.moving_camera import STANDS_S, MovingCamera

__all__ = ["Motion", "MotionDetector"]

# A shadow dims the background by less than that, and leaves its hue.
_SHADOW_MIN_GAIN = 0.6
_SHADOW_MAX_CHROMA = 4

# A ghost is where something was when the background was learned: it stands still, and its outline is in the
# background rather than in the picture.
_GHOST_MAX_CHANGE = 3.0  # from frame to frame [grey levels]
_GHOST_EDGE_RATIO = 1.5

_MAX_MOVING_SHARE = 0.6  # above that the camera or the light has changed, not the scene
_MAX_DISTURBANCE_S = 1.0  # after that long the background is learned anew

# Whether the camera moves is asked only while the picture differs: before a still scene that costs nothing.
_LOOK_SHARE = 0.005  # of the picture that differs

# Who moves again soon after a rest did not rest: a hand holds still for a second now and then.
_RESTLESS_S = 6.0
_LONGEST_STANDS_S = 5.0

_LANDMARKS = 150  # corners of the background by which frames are registered while the camera trembles
_APART_PX = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What moves in one frame.

    Attributes:
        mask: (H, W) bool: pixels that differ from the background, shadows left out; while the camera moves, those that
            differ from the ground around what moves over it.
        boxes: Around each connected part of the mask, largest first.
        camera: How the camera has moved since the frame before; None while it stands still.
        since_rest: How it has moved since it stood still, in the first frame that tells so; None in all others.
    """

    mask: NDArray[np.bool_]
    boxes: tuple[Box, ...]
    camera: CameraMotion | None = None
    since_rest: CameraMotion | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A working picture, registered if the camera trembles, and its capture time."""

    time_ns: int
    picture: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Moving:
    """What there is while the camera moves."""

    camera: MovingCamera
    background: CarriedBackground

    @property
    def motion(self) -> CameraMotion:
        """From the frame before to the newest one, in pixels of the working picture."""
        return self.camera.motion or CameraMotion.unknown()

    def see(self, frame: Frame, picture: NDArray[np.uint8]) -> list[Part]:
        """Return what moves in the next frame, of which this is the working picture."""
        found = self.camera.see(picture, frame.time_ns)
        self.background.carry(self.motion.scaled(_scale(frame, picture)), frame.pixels)
        return found


class MotionDetector:
    """Finds what moves before a camera that stands still or moves.

    For a camera that stands still the method is that of Cucchiara et al., "Detecting moving objects, ghosts, and
    shadows in video streams" (PAMI 2003), with simpler rules: a temporal median as background, here in YCbCr; shadows
    where luma is dimmed and chroma kept; ghosts, left by objects that stood in the background, where nothing moves.
    Differences are taken after the exposure has been matched to the background's, and compared with a threshold that
    follows the noise. Gaps left by the shadow rule, such as grey parts of a car, are closed as far as the
    picture differs there at all, so that shadows do not widen the boxes. While the camera trembles, as on a mast in the
    wind, each frame is first registered onto the background.

    Twice a second a look at the picture's corners tells whether the camera moves (`CameraWatch`). While it does, movers
    are found against the ground (`MovingCamera`), and the background is what was seen up to a second before, carried
    along. When it has come to rest, and also after a knock, the background is learned anew.

    While most of the picture differs and it is not known how the camera moves (a lamp switched on, a pan too fast to
    follow) nothing is reported; if that lasts, the background is learned anew.
    """

    def __init__(self) -> None:
        self._background: Background | None = None
        self._working_background: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._previous: _Seen | None = None
        self._last_calm_ns = 0
        self._watch: CameraWatch | None = None
        self._stands_s = STANDS_S
        self._rested_ns: int | None = None
        self._landmarks: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None
        self._tremble: CameraMotion | None = None  # from the background to the newest frame, in the working picture
        self._since_rest: CameraMotion | None = None
        self._moving: _Moving | None = None

    @property
    def background(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, RGB, read-only: the picture without what moves.

        Raises:
            RuntimeError: No frame has been seen yet.
        """
        if self._moving is not None:
            return self._moving.background.picture
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
        if self._moving is not None:
            self._moving.background.learn(pixels, time_ns, hidden)
        elif self._background is not None:
            self._background.learn(self._steadied(pixels), time_ns, hidden)

    def detect(self, frame: Frame) -> Motion:
        """Return what moves in a frame; nothing in the first one.

        All frames of one detector are of one size and come in the order of their times.
        """
        picture = working_picture(frame.pixels)
        if self._previous is None:
            self._begin(frame, picture)
        found = self._found_at_rest(frame, picture) if self._moving is None else self._moving.see(frame, picture)
        mask = np.zeros(picture.shape[:2], np.uint8)
        for part in found:
            mask[part.window] |= part.pixels
        boxes = [part.box for part in found]
        if self._tremble is not None:
            mask = warped(mask, self._tremble, cv2.INTER_NEAREST)
            boxes = [self._tremble.carried(box) for box in boxes]
        scale = _scale(frame, picture)
        camera = None if self._moving is None else self._moving.motion.scaled(scale)
        since_rest, self._since_rest = self._since_rest, None
        if self._moving is not None and self._moving.camera.stands:
            self._begin(frame, picture)
            self._rested_ns = frame.time_ns
        return Motion(
            _enlarged(mask, frame.pixels.shape), tuple(_scaled(box, scale) for box in boxes), camera, since_rest
        )

    def _begin(self, frame: Frame, picture: NDArray[np.uint8]) -> None:
        """Learn the background anew from a frame of a camera that stands still."""
        self._background, self._moving, self._tremble = Background(frame.pixels, frame.time_ns), None, None
        self._previous, self._last_calm_ns = _Seen(frame.time_ns, picture), frame.time_ns
        self._watch = CameraWatch(_luma(picture), frame.time_ns)

    def _found_at_rest(self, frame: Frame, picture: NDArray[np.uint8]) -> list[Part]:
        """Return what moves before a camera that stands still; nothing if it turns out to move."""
        background = self._known_background()
        steady = self._registered(picture, background)
        previous, self._previous = self._previous, _Seen(frame.time_ns, steady)
        moving = _moving(steady, background)
        found = []
        if moving.mean() <= _MAX_MOVING_SHARE:
            self._last_calm_ns = frame.time_ns
            for part in parts(moving):
                if previous is not None and _is_ghost(part, steady, previous.picture, background):
                    self._correct(part, frame.pixels)
                else:
                    found.append(part)
        elif frame.time_ns - self._last_calm_ns > _MAX_DISTURBANCE_S * 1e9:
            self._background = Background(frame.pixels, frame.time_ns)
        if moving.mean() > _LOOK_SHARE and previous is not None:
            self._look(frame, picture, previous, moving)
        return found if self._moving is None else []

    def _look(self, frame: Frame, picture: NDArray[np.uint8], previous: _Seen, moving: NDArray[np.uint8]) -> None:
        """Look whether the camera still stands still, if it is time for that, and do what follows if not.

        Args:
            frame: The newest one.
            picture: Its working picture, as it was taken.
            previous: What was seen before.
            moving: (h, w) uint8, 0 or 1: where the newest working picture differs from the background.
        """
        if self._watch is None or not self._watch.due(frame.time_ns):
            return
        trembled = self._watch.trembles
        self._watch.look(_luma(picture), frame.time_ns)
        if self._watch.moves:
            since_rest = self._registration(picture, self._known_background())
            self._since_rest = None if since_rest is None else since_rest.scaled(_scale(frame, picture))
            restless = self._rested_ns is not None and frame.time_ns - self._rested_ns < _RESTLESS_S * 1e9
            self._stands_s = min(2 * self._stands_s, _LONGEST_STANDS_S) if restless else STANDS_S
            self._moving = _Moving(
                MovingCamera(previous.picture, previous.time_ns, self._stands_s),
                CarriedBackground(frame.pixels, frame.time_ns),
            )
            self._moving.camera.see(picture, frame.time_ns)
            self._tremble = None
        elif self._watch.knocked:
            self._begin(frame, picture)
        elif self._watch.trembles and not trembled:
            # What was learned before is blurred; but objects had better not become background.
            hidden = _enlarged(cv2.dilate(moving, GAP), frame.pixels.shape)
            self._background = Background(np.where(hidden[..., None], self.background, frame.pixels), frame.time_ns)

    def _known_background(self) -> NDArray[np.uint8]:
        """Return the background as a working picture, made anew when it has changed."""
        picture = self.background
        if self._working_background is None or self._working_background[0] is not picture:
            self._working_background = picture, working_picture(picture)
        return self._working_background[1]

    def _registered(self, picture: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a working picture as the camera would have taken it if it did not tremble."""
        self._tremble = None
        if self._watch is None or not self._watch.trembles:
            return picture
        self._tremble = self._registration(picture, background)
        return picture if self._tremble is None else warped(picture, self._tremble, cv2.WARP_INVERSE_MAP)

    def _registration(self, picture: NDArray[np.uint8], background: NDArray[np.uint8]) -> CameraMotion | None:
        """Return the motion of the camera from the background to a working picture; None if it is not known."""
        luma, size_px = _luma(background), (picture.shape[1], picture.shape[0])
        if self._landmarks is None or self._landmarks[0] is not background:
            self._landmarks = background, find_corners(luma, _LANDMARKS, _APART_PX)
        corners = self._landmarks[1]
        return camera_motion(corners, *track_corners(luma, _luma(picture), corners), size_px)

    def _steadied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a frame (H, W, 3) as the camera would have taken it if it did not tremble."""
        if self._tremble is None:
            return pixels
        (height, width), (rows, columns) = pixels.shape[:2], self._known_background().shape[:2]
        return warped(pixels, self._tremble.scaled((width / columns, height / rows)), cv2.WARP_INVERSE_MAP)

    def _correct(self, part: Part, pixels: NDArray[np.uint8]) -> None:
        """Take the bare background of a part over from a frame (H, W, 3)."""
        ghost = np.zeros(self._known_background().shape[:2], np.uint8)
        ghost[part.window] = cv2.dilate(part.pixels, GAP)
        if self._background is not None:
            whole = _enlarged(ghost, pixels.shape)
            self._background.correct((slice(None), slice(None)), whole, self._steadied(pixels))


def _luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[..., 0])


def _enlarged(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask (h, w) of 0 and 1 in the size (H, W, ...) of a frame, as bool."""
    return np.asarray(cv2.resize(np.asarray(mask, np.uint8), shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _moving(picture: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return where a picture differs from the background by more than noise and shadow.

    Args:
        picture: (H, W, 3) uint8, YCrCb.
        background: (H, W, 3) uint8, YCrCb.

    Returns:
        (H, W) uint8, 0 or 1.
    """
    difference = difference_between(picture, background)
    differs = morph(morph(difference.differs, cv2.MORPH_OPEN), cv2.MORPH_CLOSE)
    luma, luma_before = difference.luma, background[..., 0]
    dimmed = (luma < luma_before) & (luma > _SHADOW_MIN_GAIN * luma_before)
    shadow = dimmed & (difference.chroma < _SHADOW_MAX_CHROMA)
    certain = morph(differs & ~shadow, cv2.MORPH_OPEN)
    return morph(certain, cv2.MORPH_CLOSE, GAP) & differs


def _is_ghost(
    part: Part, picture: NDArray[np.uint8], previous: NDArray[np.uint8], background: NDArray[np.uint8]
) -> bool:
    """Tell whether a part is the bare background, and what the background holds there was an object."""
    now, before, without = (each[part.window][..., 0] for each in (picture, previous, background))
    if cv2.absdiff(now, before)[part.pixels > 0].mean() > _GHOST_MAX_CHANGE:
        return False
    outline = morph(part.pixels, cv2.MORPH_GRADIENT) > 0
    edges = morph(now, cv2.MORPH_GRADIENT)[outline].mean()
    return bool(morph(without, cv2.MORPH_GRADIENT)[outline].mean() > _GHOST_EDGE_RATIO * edges)


def _scale(frame: Frame, picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Return by how much a frame is wider and higher than its working picture."""
    return frame.pixels.shape[1] / picture.shape[1], frame.pixels.shape[0] / picture.shape[0]


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return Box(box.x0 * scale[0], box.y0 * scale[1], box.x1 * scale[0], box.y1 * scale[1])
