"""The sketch: payloads of contours that a receiver draws, and quiet when there is little to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    CellElement,
    ContourElement,
    Element,
    LookElement,
    OutlineElement,
    Scene,
    SceneSyntax,
    SpriteElement,
    apply_element,
)
from pantel_device.frame import Observation
from pantel_device.rendering.renderer import Renderer
from pantel_device.scene_encoding.contours.line_view import LineView, line_error
from pantel_device.scene_encoding.contours.sketch_encoder import SketchEncoder
from pantel_device.scene_encoding.payload_encoder import PayloadEncoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_models import SceneCodec, contour_map

WIDTH, HEIGHT = 160, 112
CAPACITY_BYTES = 33
TENTH_NS = 100_000_000
SECOND_NS = 10 * TENTH_NS

Seen = Callable[[int], Observation]


@pytest.fixture
def sketch(codec: SceneCodec) -> SketchEncoder:
    return SketchEncoder(codec, (WIDTH, HEIGHT))


class Receiver:
    """Somebody who hears payloads and draws them."""

    def __init__(self, codec: SceneCodec) -> None:
        self.scene = Scene(WIDTH, HEIGHT, codec.entropy.groups)
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, WIDTH, HEIGHT)
        self._renderer = Renderer(codec, self.scene)

    def hear(self, payload: bytes, stamp_ns: int) -> list[Element]:
        elements = self._syntax.read(payload.ljust(CAPACITY_BYTES, b"\0"), self.scene.background)
        for element in elements:
            apply_element(self.scene, element, stamp_ns)
        return elements

    def lines(self, time_ns: int) -> NDArray[np.uint8]:
        """Return (H, W): where the picture is darker than paper."""
        return np.asarray(self._renderer.draw(time_ns).pixels.max(axis=2) < 190, np.uint8)


def run(encoder: PayloadEncoder, seen: Seen, receiver: Receiver, tenths: range) -> list[Element]:
    """Let an encoder tell what is seen at these times, and return all elements."""
    told: list[Element] = []
    for tenth in tenths:
        now_ns = tenth * TENTH_NS
        payload = encoder.payload(seen(now_ns), CAPACITY_BYTES, now_ns + 4 * TENTH_NS)
        assert len(payload) <= CAPACITY_BYTES
        if payload:
            told += receiver.hear(payload, now_ns + 4 * TENTH_NS)
    return told


def wrong(seen: Seen, receiver: Receiver, time_ns: int) -> float:
    """Return what is wrong in the receiver's drawing, as a share of what should be drawn."""
    expected = LineView(seen(time_ns), time_ns).expected
    return float((expected * line_error(expected, receiver.lines(time_ns))).sum() / expected.sum())


def test_nothing_but_contours_is_told(sketch: SketchEncoder, busy: Seen, codec: SceneCodec) -> None:
    told = run(sketch, busy, Receiver(codec), range(10, 60, 4))
    kinds = {type(element) for element in told}
    assert {ContourElement, OutlineElement} <= kinds
    assert not kinds & {CellElement, SpriteElement, LookElement}
    assert set(sketch.element_bits) <= {"contours", "outlines", "poses", "farewells"}
    assert sum(sketch.element_bits.values()) > 0


def test_the_drawing_becomes_right(sketch: SketchEncoder, standing: Seen, codec: SceneCodec) -> None:
    receiver = Receiver(codec)
    run(sketch, standing, receiver, range(10, 14, 4))
    first = wrong(standing, receiver, 2 * SECOND_NS)
    run(sketch, standing, receiver, range(14, 100, 4))
    last = wrong(standing, receiver, 10 * SECOND_NS)
    assert last < 0.25
    assert last < first


def test_who_walks_is_drawn_where_he_is(sketch: SketchEncoder, busy: Seen, codec: SceneCodec) -> None:
    receiver = Receiver(codec)
    run(sketch, busy, receiver, range(10, 48, 4))
    (track,) = busy(4 * SECOND_NS).tracks
    pose = next(iter(receiver.scene.outlines.values())).trajectory.at(4 * SECOND_NS)
    assert pose is not None
    assert pose.x == pytest.approx(track.history[-1].x, abs=4)


def test_it_keeps_quiet_when_all_is_told(sketch: SketchEncoder, still: Seen, codec: SceneCodec) -> None:
    receiver = Receiver(codec)
    run(sketch, still, receiver, range(10, 130, 4))
    assert not run(sketch, still, receiver, range(130, 200, 4))
    assert run(sketch, still, receiver, range(1500, 1540, 4))  # somebody may have joined in the meantime


def test_it_does_not_look_at_every_frame_while_it_is_quiet(
    sketch: SketchEncoder, still: Seen, codec: SceneCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(sketch, still, Receiver(codec), range(10, 130, 4))
    looked: list[int] = []

    class CountingView(LineView):
        def __init__(self, observation: Observation, stamp_ns: int, *contours: Any) -> None:
            looked.append(stamp_ns)
            super().__init__(observation, stamp_ns, *contours)

    monkeypatch.setattr("pantel_device.scene_encoding.contours.sketch_encoder.LineView", CountingView)
    for tenth in range(130, 150):
        assert not sketch.payload(still(tenth * TENTH_NS), CAPACITY_BYTES, tenth * TENTH_NS)
    assert 4 <= len(looked) <= 6


def test_another_finder_decides_what_is_drawn(codec: SceneCodec, busy: Seen) -> None:
    def in_the_upper_half(
        pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        contours = contour_map(pixels, mask, strength=strength)
        contours[HEIGHT // 2 :] = 0
        return contours

    receiver = Receiver(codec)
    run(SketchEncoder(codec, (WIDTH, HEIGHT), find_contours=in_the_upper_half), busy, receiver, range(10, 100, 4))
    lines = receiver.lines(10 * SECOND_NS)
    assert lines[: HEIGHT // 2].sum() > 100
    assert not lines[HEIGHT // 2 + 16 :].any()  # a cell below it has a rim of the upper half's lines at most
    sketch = SketchEncoder(codec, (WIDTH, HEIGHT), find_contours=lambda pixels, *_, **__: 0 * pixels[..., 0])
    assert not run(sketch, busy, Receiver(codec), range(10, 60, 4))


@pytest.mark.parametrize("capacity_bytes", [16, 21, 35, 40, 64])
def test_payloads_are_as_long_as_they_may_be(
    sketch: SketchEncoder, busy: Seen, codec: SceneCodec, capacity_bytes: int
) -> None:
    syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, WIDTH, HEIGHT)
    for tenth in range(10, 50, 4):
        payload = sketch.payload(busy(tenth * TENTH_NS), capacity_bytes, tenth * TENTH_NS + 4 * TENTH_NS)
        assert len(payload) <= capacity_bytes
        syntax.read(payload.ljust(capacity_bytes, b"\0"))


def test_pictures_tell_no_contours(codec: SceneCodec, busy: Seen) -> None:
    encoder, receiver = SceneEncoder(codec, (WIDTH, HEIGHT)), Receiver(codec)
    told = run(encoder, busy, receiver, range(10, 40, 4))
    assert told
    assert not any(isinstance(element, ContourElement | OutlineElement) for element in told)
