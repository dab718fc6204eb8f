"""A small street with figures on it, for the tests of sender and receiver."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Part, Thumbnail, shape_of
from pantel_device.frame import Box, CameraPlace, Frame, Observation, Track, TrackPoint
from pantel_device.rendering.exposure import exposed
from pantel_models import SceneCodec, find_artefact, load_scene_codec
from pantel_models.thumbnails import RASTER_PX, Cutting, Look

WIDTH, HEIGHT = 160, 112
TENTH_NS, SECOND_NS = 100_000_000, 1_000_000_000
COAT, TROUSERS = (200, 40, 30), (20, 30, 120)
FIGURE_PX = (16, 32)

Seen = Callable[[int], Observation]  # what is seen at a time [ns]


@pytest.fixture(scope="session")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact())


@pytest.fixture(scope="session")
def street() -> NDArray[np.uint8]:
    """A smooth picture with a patch of finer structure, (112, 160, 3)."""
    rng = np.random.default_rng(4)
    noise = rng.integers(60, 200, (7, 10, 3), dtype=np.uint8)
    pixels = np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    patch = np.repeat(rng.integers(40, 200, (5, 5, 1), dtype=np.uint8), 3, axis=2)
    pixels[32:64, 96:128] = cv2.resize(patch, (32, 32), interpolation=cv2.INTER_CUBIC)
    pixels.flags.writeable = False
    return pixels


@pytest.fixture(scope="session")
def dress(codec: SceneCodec) -> Callable[..., Thumbnail]:
    """Return a function that makes a thumbnail of an object of one colour, an ellipse, for an object of these codes."""

    def make(
        colour: tuple[int, int, int], codes: tuple[int, int], *, class_id: int = 1, part: Part = Part.CORE
    ) -> Thumbnail:
        y, x = (np.mgrid[:RASTER_PX, :RASTER_PX] + 0.5) / RASTER_PX - 0.5
        mask = np.clip((1 - np.hypot(x, y) / 0.45) * 8 + 0.5, 0, 1).astype(np.float32)
        cutting = Cutting.from_pixels(np.full((*mask.shape, 3), colour, np.uint8), mask)
        shape = shape_of(*codes)
        latents = codec.thumbnails.analyse(cutting, shape, class_id)
        return codec.thumbnails.quantize(latents, shape, part, 5, 0)[0]

    return make


@pytest.fixture(scope="session")
def paint() -> Callable[..., NDArray[np.uint8]]:
    """Return a function that adds figures in red coats and blue trousers to a picture."""

    def add(pixels: NDArray[np.uint8], *boxes: Box) -> NDArray[np.uint8]:
        painted = pixels.copy()
        for box in boxes:
            x0, y0, x1, y1 = (max(round(edge), 0) for edge in (box.x0, box.y0, box.x1, box.y1))
            painted[y0:y1, x0:x1] = TROUSERS
            painted[y0 : (y0 + y1) // 2, x0:x1] = COAT
        return painted

    return add


@pytest.fixture(scope="session")
def figure(paint: Callable[..., NDArray[np.uint8]]) -> Look:
    """Return the look of such a figure, which fills its raster."""
    pixels = paint(np.zeros((RASTER_PX, RASTER_PX, 3), np.uint8), Box(0, 0, RASTER_PX, RASTER_PX))
    return Look(pixels.astype(np.float32), np.ones((RASTER_PX, RASTER_PX), np.float32))


@pytest.fixture(scope="session")
def walk() -> Callable[..., Track]:
    """Return a function that makes the track of a figure: its centre at a time is what `path` says [px]."""

    def make(
        path: Callable[[float], tuple[float, float]],
        now_ns: int,
        *,
        track_id: int = 1,
        since_ns: int = 0,
        size_px: tuple[int, int] = FIGURE_PX,
        label: str = "person",
    ) -> Track:
        times_ns = range(max(since_ns, now_ns - 60 * TENTH_NS), now_ns + 1, TENTH_NS)
        history = tuple(TrackPoint(time_ns, *path(time_ns / 1e9), *size_px) for time_ns in times_ns)
        return Track(track_id, label, since_ns, history, travelled=True)

    return make


@pytest.fixture(scope="session")
def observe() -> Callable[..., Observation]:
    """Return a function that makes an observation of a picture, of the clean background and of tracks."""

    def make(
        pixels: NDArray[np.uint8],
        background: NDArray[np.uint8],
        now_ns: int,
        tracks: Sequence[Track] = (),
        exposure: tuple[float, float, float] = (0.0, 0.0, 0.0),
        *,
        camera: CameraPlace | None = None,
    ) -> Observation:
        difference = np.asarray(cv2.absdiff(pixels, exposed(background, exposure)).max(axis=2), np.uint8)
        mask = np.ones(difference.shape, np.bool_)
        return Observation(
            frame=Frame(now_ns // TENTH_NS, now_ns, pixels.copy()),
            boxes=(),
            mask=mask,
            motion=difference > 16,
            background=background,
            exposure=exposure,
            difference=difference,
            tracks=tuple(tracks),
            camera=camera or CameraPlace(),
        )

    return make


@pytest.fixture
def still(street: NDArray[np.uint8], observe: Callable[..., Observation]) -> Seen:
    """An empty street."""
    return lambda now_ns: observe(street, street, now_ns)


@pytest.fixture
def busy(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> Seen:
    """A street with a walker who goes to and fro; after 5 s the light dims."""

    def see(now_ns: int) -> Observation:
        track = walk(lambda time_s: (50 + 30 * np.sin(time_s / 2), 60.0), now_ns)
        dimmed = (-0.5, -0.5, -0.5) if now_ns > 5 * SECOND_NS else (0.0, 0.0, 0.0)
        return observe(exposed(paint(street, track.box), dimmed), street, now_ns, [track], dimmed)

    return see


@pytest.fixture
def standing(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> Seen:
    """A street with somebody who stands there."""

    def see(now_ns: int) -> Observation:
        track = walk(lambda _: (50.0, 60.0), now_ns)
        return observe(paint(street, track.box), street, now_ns, [track])

    return see


@pytest.fixture
def left(standing: Seen, still: Seen) -> Seen:
    """A street on which somebody stands for 4 s, and then nobody does."""
    return lambda now_ns: (still if now_ns > 4 * SECOND_NS else standing)(now_ns)
