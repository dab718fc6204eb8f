"""The sender's ring: the camera's own picture, at a pace of its own, without what nobody may see."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.cameras.fake_video_capture import Webcam
from tests.device.recordings.films import SECOND_NS, TENTH_NS, grey, times_s

from pantel_device.cameras import Geometry, open_camera
from pantel_device.frame import Frame
from pantel_device.observer import MotionDetector, Observer, PrivacyMask, Zone, ZoneKind
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings import Ring, recordings_in
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_link import LinkSender, StreamContext, VirtualClock, memory_pair
from pantel_models import SceneCodec

_ZONE = Zone(name="window", kind=ZoneKind.PRIVACY, polygon=((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)))


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path, clock=VirtualClock(), sender=SenderName("K1ABC", 2), quota_bytes=10_000_000, fps=2)


def _pictures(folder: Path) -> list[NDArray[np.uint8]]:
    (recording,) = recordings_in(folder)
    with av.open(str(recording.path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


@pytest.mark.parametrize(("frame_ms", "kept_ms"), [(100, 500), (90, 540), (500, 500), (2000, 2000)])
def test_it_takes_so_many_a_second(ring: Ring, tmp_path: Path, frame_ms: int, kept_ms: int) -> None:
    for number in range(6 * kept_ms // frame_ms):
        ring.look(Frame(number, 1000 * SECOND_NS + number * frame_ms * 1_000_000, grey(50)))
    ring.close()
    times = times_s(recordings_in(tmp_path)[0].path)
    assert recordings_in(tmp_path)[0].path.name.startswith("K1ABC-2-")
    assert len(times) in {6, 7}
    assert np.diff(times).mean() == pytest.approx(kept_ms / 1000, rel=0.12)


def test_the_full_picture_is_kept_where_there_is_one(ring: Ring, tmp_path: Path) -> None:
    for number in range(3):
        ring.look(Frame(number, number * SECOND_NS, grey(50), grey(150, (128, 96))))
    ring.close()
    assert [(each.shape, round(each.mean())) for each in _pictures(tmp_path)] == [((96, 128, 3), 150)] * 3


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> Webcam:
    webcam = Webcam()
    webcam.sizes_px = [(320, 240), (640, 480), (1280, 960)]
    monkeypatch.setattr(cv2, "VideoCapture", webcam.capture)
    monkeypatch.setattr("pantel_device.cameras.v4l2._check", lambda _: None)
    return webcam


@pytest.mark.parametrize(("width_px", "full_px"), [(0, None), (640, (640, 480)), (1280, (1280, 960))])
def test_a_device_is_asked_for_as_much_as_the_ring_wants(
    width_px: int, full_px: tuple[int, int] | None, webcam: Webcam
) -> None:
    camera = open_camera("v4l2:/dev/video7", (320, 240), 100, Geometry(full_width_px=width_px))
    frame = _first(camera.capture)
    camera.close()
    assert frame.pixels.shape == (240, 320, 3)
    assert (None if frame.full is None else frame.full.shape[1::-1]) == full_px
    assert webcam.opened[0]._size_px() == (full_px or (640, 480))


def test_the_full_picture_is_turned_and_cut_as_the_one_that_is_sent(webcam: Webcam) -> None:
    geometry = Geometry(90, (0.0, 0.0, 0.5, 1.0), full_width_px=600)
    camera = open_camera("v4l2:/dev/video7", (80, 160), 100, geometry)
    frame = _first(camera.capture)
    camera.close()
    assert webcam.opened[0]._size_px() == (1280, 960)
    assert frame.full is not None
    assert frame.full.shape == (960, 480, 3)


def _first(capture: Callable[[int], Frame | None]) -> Frame:
    while (frame := capture(time.monotonic_ns())) is None:
        time.sleep(0.001)
    return frame


class _Window:
    """A camera before whose eyes everything is bright, also what nobody may see."""

    size_px = 160, 120
    fps = 2.0
    finished = False
    outage = None

    def capture(self, now_ns: int) -> Frame | None:
        return Frame(now_ns // TENTH_NS, now_ns, grey(250, self.size_px), grey(250, (640, 480)))

    def close(self) -> None:
        """There is nothing to release."""


def test_nobody_finds_in_the_ring_what_nobody_may_see(ring: Ring, tmp_path: Path, codec: SceneCodec) -> None:
    near, _ = memory_pair()
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], 160, 120)
    sender = Sender(
        camera=_Window(),
        observer=Observer(MotionDetector()),
        encoder=SceneEncoder(codec, (160, 120)),
        link=LinkSender(context, now_ns=0),
        port=near,
        privacy=PrivacyMask([_ZONE]),
        ring=ring,
    )
    for tenth in range(30):
        sender.advance(tenth * TENTH_NS)
    ring.close()
    pictures = _pictures(tmp_path)
    assert len(pictures) >= 5
    for pixels in pictures:
        assert pixels.shape == (480, 640, 3)
        inside = pixels[120:360, 160:480]
        assert (np.abs(inside.astype(int) - 128) < 30).all()
        assert np.abs(inside[8:-8, 8:-8].astype(int) - 128).max() < 8
        assert (pixels[:110] > 240).all()
