"""The ``test`` camera: a seeded scene of photographs in which cut-out objects move, with known boxes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from math import pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras.base import SampledCamera
from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.errors import CameraError, CameraNameError
from pantel_device.frame import Box

__all__ = ["SyntheticCamera"]

_BACKGROUND = "launch_pad"
_NOISE_LEVELS = 1.5  # standard deviation, as of a small sensor by day [grey levels]
_SHIFT_PX = 61  # how far the noise pattern is displaced from frame to frame at most


@dataclass(frozen=True, slots=True)
class _Role:
    """Who plays in the scene, and where; lengths as shares of the picture's height."""

    cutout: str
    label: str
    height: float
    foot: float  # lower edge, from the top of the picture
    lap_s: float  # mean time from one side to the other and back


_CAST = (  # the far ones first: the near ones pass in front of them
    _Role("photographer", "person", height=0.20, foot=0.86, lap_s=52.0),
    _Role("cup", "cup", height=0.15, foot=0.42, lap_s=27.0),
    _Role("photographer", "person", height=0.36, foot=0.95, lap_s=38.0),
    _Role("astronaut", "person", height=0.40, foot=0.99, lap_s=31.0),
)


def _crowd(objects: int) -> list[_Role]:
    roles = []
    for number in range(objects):
        near = (number + 0.5) / objects
        cutout = ("photographer", "astronaut")[number % 2]
        lap_s = 24 + 21 * (number * 3 % objects) / objects
        roles.append(_Role(cutout, "person", height=0.12 + 0.16 * near, foot=0.5 + 0.5 * near, lap_s=lap_s))
    return roles


@dataclass(frozen=True, slots=True)
class _Wave:
    """A sine of time."""

    mean: float
    amplitude: float
    period_s: float
    phase: float

    def at(self, time_s: float) -> float:
        return self.mean + self.amplitude * sin(2 * pi * time_s / self.period_s + self.phase)


@dataclass(frozen=True, slots=True, eq=False)
class _Actor:
    """A cut-out object and its path.

    Attributes:
        label: COCO class.
        pixels: (h, w, 4) float32: RGB times alpha, and alpha 0..1, at the largest size it ever has.
        x: Centre, as a share of the picture's width.
        foot_px: Lower edge [px].
        scale: Size as a share of ``pixels``, at most 1.
    """

    label: str
    pixels: NDArray[np.float32]
    x: _Wave
    foot_px: _Wave
    scale: _Wave

    def box(self, time_s: float, width_px: int) -> Box:
        """Return the rectangle that the whole object fills, also where it is hidden or out of view."""
        scale = self.scale.at(time_s)
        height, width = self.pixels.shape[0] * scale, self.pixels.shape[1] * scale
        centre, foot = self.x.at(time_s) * width_px, self.foot_px.at(time_s)
        return Box(centre - width / 2, foot - height, centre + width / 2, foot, self.label)


class SyntheticCamera(SampledCamera):
    """Objects of public-domain photographs that cross before another photograph.

    Each object walks to and fro beyond both edges of the picture, nearer and farther, on smooth paths that
    the seed draws; near ones hide far ones. Sensor noise is added. The same seed, size and rate give the
    same pictures. The photographs' origin is written in ``assets/PROVENANCE.md``.
    """

    def __init__(
        self,
        size_px: tuple[int, int],
        fps: float,
        *,
        seed: int = 0,
        objects: int = len(_CAST),
        geometry: Geometry = STRETCHED,
    ) -> None:
        """Load the photographs and draw the paths.

        Args:
            size_px: Width and height of the frames [px].
            fps: Capture instants per second.
            seed: Chooses paths and noise, at least 0.
            objects: How many there are, at least 1. Another number than the usual one makes a crowd: from far and small
                to near and large, each at a pace of its own.
            geometry: How the scene, painted in this size, is turned and cut.
        """
        super().__init__(size_px, fps)
        self._geometry = geometry
        rng = np.random.default_rng(seed)
        self._background = _cover(_asset(_BACKGROUND), size_px)
        cast = _CAST if objects == len(_CAST) else _crowd(objects)
        self._actors = [_draw_actor(role, size_px, rng) for role in cast]
        noise = rng.normal(0, _NOISE_LEVELS, (size_px[1] + _SHIFT_PX, size_px[0] + _SHIFT_PX, 3))
        self._noise = noise.astype(np.float32)

    @classmethod
    def from_argument(
        cls, argument: str, size_px: tuple[int, int], fps: float, geometry: Geometry = STRETCHED
    ) -> SyntheticCamera:
        """Open ``SEED``, or seed 0 for "".

        Raises:
            CameraNameError: The seed is no number.
        """
        if argument and not (argument.isascii() and argument.isdigit()):
            raise CameraNameError(f"the seed in test:{argument} is no number; write for example test:7")
        return cls(size_px, fps, seed=int(argument or "0"), geometry=geometry)

    def identified(self, now_ns: int) -> dict[int, Box]:
        """Return the boxes of `truth`, each with a number that its object keeps for ever."""
        time_s = self._elapsed_ns(self._due_index(now_ns)) / 1e9
        found = {}
        for number, actor in enumerate(self._actors):
            whole = actor.box(time_s, self.size_px[0])
            seen = whole.clipped(self.size_px)
            if seen.area_px >= whole.area_px / 4:
                found[number] = seen
        return found

    def truth(self, now_ns: int) -> tuple[Box, ...]:
        """Return the true boxes of the frame that is due at a time.

        Boxes hold the whole object, whether or not a nearer one hides it, and are clipped to the picture. An
        object with less than a quarter of its box in the picture is left out. They are those of the scene as it is
        painted, before it is turned or cut.
        """
        return tuple(self.identified(now_ns).values())

    def _picture(self, index: int) -> NDArray[np.uint8]:
        time_s = self._elapsed_ns(index) / 1e9
        width, height = self.size_px
        canvas = self._background.copy()
        for actor in self._actors:
            _paint(canvas, actor, actor.box(time_s, width))
        # Steps without a common factor with the range show every displacement of the noise in turn.
        y, x = 17 * index % _SHIFT_PX, 29 * index % _SHIFT_PX
        canvas += self._noise[y : y + height, x : x + width]
        return self._geometry.fit(np.clip(np.rint(canvas), 0, 255).astype(np.uint8), self.size_px)


def _draw_actor(role: _Role, size_px: tuple[int, int], rng: np.random.Generator) -> _Actor:
    height_px = size_px[1]
    cutout = _asset(role.cutout).astype(np.float32)
    near = 1.25  # sizes swing by a quarter around the mean
    height = max(round(role.height * near * height_px), 2)
    width = max(round(height * cutout.shape[1] / cutout.shape[0]), 2)
    cutout[..., 3:] /= 255
    cutout[..., :3] *= cutout[..., 3:]
    pixels = cv2.resize(cutout, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)

    def wave(mean: float, amplitude: float, period_s: float) -> _Wave:
        return _Wave(mean, amplitude, period_s * rng.uniform(0.8, 1.25), rng.uniform(0, 2 * pi))

    return _Actor(
        label=role.label,
        pixels=pixels,
        x=wave(0.5, 0.62, role.lap_s),
        foot_px=wave(role.foot * height_px, 0.03 * height_px, role.lap_s / 3),
        scale=wave(1 / near, 0.25 / near, role.lap_s * 0.7),
    )


def _paint(canvas: NDArray[np.float32], actor: _Actor, box: Box) -> None:
    """Lay an object over a canvas at a box, with bilinear interpolation between pixels."""
    height, width = canvas.shape[:2]
    x0, y0 = max(int(box.x0) - 1, 0), max(int(box.y0) - 1, 0)
    x1, y1 = min(int(box.x1) + 2, width), min(int(box.y1) + 2, height)
    if x0 >= x1 or y0 >= y1:
        return
    scale = (box.y1 - box.y0) / actor.pixels.shape[0]
    # Pixel centres lie at halves: source + 0.5 = (target + 0.5 - origin) / scale.
    to_window = np.array(
        [[scale, 0, box.x0 - x0 + scale / 2 - 0.5], [0, scale, box.y0 - y0 + scale / 2 - 0.5]], np.float64
    )
    placed = cv2.warpAffine(actor.pixels, to_window, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    window = canvas[y0:y1, x0:x1]
    window *= 1 - placed[..., 3:]
    window += placed[..., :3]


def _cover(picture: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.float32]:
    """Cut the middle of a picture to an aspect and scale it to a size."""
    height, width = picture.shape[:2]
    scale = max(size_px[0] / width, size_px[1] / height)
    cut_width, cut_height = round(size_px[0] / scale), round(size_px[1] / scale)
    x, y = (width - cut_width) // 2, (height - cut_height) // 2
    cut = picture[y : y + cut_height, x : x + cut_width]
    method = cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, size_px, interpolation=method), np.float32)


def _asset(name: str) -> NDArray[np.uint8]:
    """Return a bundled picture as RGB or RGBA."""
    data = np.frombuffer(files("pantel_device").joinpath("assets", f"{name}.webp").read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise CameraError(f"the bundled picture {name} is damaged; install pantel again")
    to_rgb = cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, to_rgb), np.uint8)
