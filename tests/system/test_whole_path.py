"""The whole way of a picture: camera, observer, encoder, link, bad line, receiver, on a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.album import Album

from pantel_device.cameras import open_camera
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.observer import MotionDetector, Observer
from pantel_device.receiving.receiver import PICTURE_INTERVAL_NS, PLAYOUT_DELAY_NS, Receiver
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_link import ChannelSettings, LinkReceiver, LinkSender, NullModem, StreamContext, VirtualClock, memory_pair
from pantel_models import find_artefact, load_scene_codec

SIZE_PX = (320, 240)
SECONDS = 12
STEP_NS = 20_000_000


@dataclass
class Run:
    album: Album
    heard: list[tuple[int, bytes]]
    source: NDArray[np.uint8]
    wire_octets: int
    packets_lost: int


def run(channel: ChannelSettings) -> Run:
    """Send the test scene for some seconds and note every octet that arrives."""
    codec = load_scene_codec(find_artefact())
    clock = VirtualClock()
    modem = NullModem(clock, channel)
    near, far = memory_pair()  # hands on what arrives, so that it can be noted
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], *SIZE_PX)
    camera = open_camera("test:1", SIZE_PX, 10)
    sender = Sender(
        camera=camera,
        observer=Observer(MotionDetector()),
        encoder=SceneEncoder(codec, SIZE_PX),
        link=LinkSender(context, now_ns=0),
        port=modem.near,
    )
    album = Album()
    receiver = Receiver(port=far, link=LinkReceiver(), sinks=[album])
    heard: list[tuple[int, bytes]] = []
    while clock.now_ns() < SECONDS * 1_000_000_000:
        sender.advance(clock.now_ns())
        if octets := modem.far.read(4096):
            heard.append((clock.now_ns(), octets))
            near.write(octets)
        receiver.advance(clock.now_ns())
        clock.sleep(STEP_NS / 1e9)
    assert sender.observation is not None
    source = sender.observation.frame.pixels
    return Run(album, heard, source, sender.statistics.wire_octets, receiver.link.statistics.packets_lost)


def psnr_db(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


@pytest.fixture(scope="module")
def clean() -> Run:
    return run(ChannelSettings())


@pytest.fixture(scope="module")
def rough() -> Run:
    return run(ChannelSettings(bit_error_rate=1e-3, loss=0.1, slip_rate=1e-4, seed=2))


def test_a_picture_arrives(clean: Run) -> None:
    assert clean.packets_lost == 0
    assert clean.album.events[0].kind == "sender_heard"
    newest = clean.album.pictures[-1]
    assert newest.pixels.shape == clean.source.shape
    grey = np.full_like(clean.source, 128)
    assert psnr_db(newest.pixels, clean.source) > psnr_db(grey, clean.source) + 3


def test_the_line_is_used_and_never_overused(clean: Run) -> None:
    assert 0.9 * 960 * SECONDS < 8 * clean.wire_octets <= 1000 * SECONDS


def test_pictures_come_ten_times_a_second(rough: Run) -> None:
    times_ns = [picture.time_ns for picture in rough.album.pictures]
    assert times_ns[0] < 3_000_000_000
    assert times_ns == list(range(times_ns[0], SECONDS * 1_000_000_000, PICTURE_INTERVAL_NS))


def test_what_was_captured_is_shown_a_constant_delay_later(clean: Run) -> None:
    """What moves is where it was at the time that the picture claims to show, and not where it was at another time."""
    for picture in clean.album.pictures:
        assert picture.time_ns - picture.shown_ns == PLAYOUT_DELAY_NS
        assert picture.capture_time_ns > picture.shown_ns  # so places lie between known ones
    early, right, late = (overlap(clean, shift_s) for shift_s in (-0.5, 0.0, 0.5))
    assert right > max(early, late, 0.3) + 0.05


def overlap(run: Run, shift_s: float) -> float:
    """Return the mean overlap (IoU) of the objects shown with true ones so much later."""
    camera = SyntheticCamera(SIZE_PX, 10, seed=1)
    camera.capture(0)
    found = []
    for picture in run.album.pictures:
        truth = camera.truth(picture.shown_ns + round(shift_s * 1e9)) if picture.shown_ns > 4_000_000_000 else ()
        found += [max(box.iou(shown.box) for box in truth) for shown in picture.objects if truth]
    assert len(found) > 50
    return float(np.mean(found))


def test_a_bad_line_costs_packets_and_nothing_else(clean: Run, rough: Run) -> None:
    assert rough.packets_lost > 0
    assert (
        psnr_db(rough.album.pictures[-1].pixels, rough.source)
        > psnr_db(clean.album.pictures[-1].pixels, clean.source) - 4
    )


@pytest.mark.slow
def test_the_same_octets_make_the_same_pictures(rough: Run) -> None:
    """What the receiver knows came through the line: another receiver with these octets shows the same."""
    near, far = memory_pair()
    album = Album()
    receiver = Receiver(port=far, link=LinkReceiver(), sinks=[album])
    waiting = list(rough.heard)
    for time_ns in range(0, SECONDS * 1_000_000_000, STEP_NS):
        while waiting and waiting[0][0] <= time_ns:
            near.write(waiting.pop(0)[1])
        receiver.advance(time_ns)
    assert len(album.pictures) == len(rough.album.pictures)
    for again, first in zip(album.pictures, rough.album.pictures, strict=True):
        np.testing.assert_array_equal(again.pixels, first.pixels)
