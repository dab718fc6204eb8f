"""Privacy zones on the whole way: whatever moves inside, the same octets go out, and the scene shows a grey area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Frame
from pantel_device.observer import MotionDetector, Observer, PrivacyMask, RegionRules, Zone, ZoneKind
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_device.sending.still_sender import StillSender
from pantel_link import LengthClass, LinkReceiver, LinkSender, StreamContext, memory_pair
from pantel_models import StillCodec, find_artefact, load_scene_codec

_SIZE_PX = (320, 240)
_SECONDS = 8
_STEP_NS = 20_000_000
_ZONE = Zone(name="window", kind=ZoneKind.PRIVACY, polygon=((0.3, 0.2), (0.7, 0.25), (0.6, 0.9), (0.25, 0.8)))
_HIDDEN = _ZONE.mask(_SIZE_PX)


class _Secret(SyntheticCamera):
    """The test scene with something else inside the zone: another scene, or a flicker."""

    def __init__(self, secret: int) -> None:
        super().__init__(_SIZE_PX, 10, seed=1)
        self._random = np.random.default_rng(secret)
        self._other = SyntheticCamera(_SIZE_PX, 10, seed=secret)

    def capture(self, now_ns: int) -> Frame | None:
        frame, other = super().capture(now_ns), self._other.capture(now_ns)
        if frame is None or other is None:
            return None
        pixels = frame.pixels.copy()
        shift = self._random.integers(0, 100)
        pixels[_HIDDEN] = np.roll(other.pixels, shift, axis=1)[_HIDDEN]
        return Frame(frame.index, frame.time_ns, pixels)


@dataclass
class _Run:
    octets: bytes
    picture: NDArray[np.uint8]
    source: NDArray[np.uint8]


class _Newest:
    """A sink that keeps the newest picture."""

    def __init__(self) -> None:
        self.picture: Picture | None = None

    def on_picture(self, picture: Picture) -> None:
        self.picture = picture

    def on_event(self, event: Event) -> None:
        """Events do not matter."""

    def close(self) -> None:
        """Nothing to release."""


def _run(secret: int, zones: tuple[Zone, ...], seconds: int = _SECONDS) -> _Run:
    codec = load_scene_codec(find_artefact())
    near, far = memory_pair()
    onward, back = memory_pair()
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], *_SIZE_PX)
    camera = _Secret(secret)
    link = LinkSender(context, now_ns=0)
    stills = StillSender(
        StillCodec(codec),
        lambda: link.capacity_bytes(LengthClass.STILL),
        still_bytes=600,
        interval_ns=6_000_000_000,
        loss=0.0,
        utc_s=lambda: None,
    )
    sender = Sender(
        camera=camera,
        observer=Observer(MotionDetector(), rules=RegionRules(zones=zones)),
        encoder=SceneEncoder(codec, _SIZE_PX),
        link=link,
        port=near,
        stills=stills,
        privacy=PrivacyMask(zones),
    )
    newest = _Newest()
    receiver = Receiver(port=back, link=LinkReceiver(), sinks=[newest])
    octets = b""
    for now_ns in range(0, seconds * 1_000_000_000, _STEP_NS):
        sender.advance(now_ns)
        fresh = far.read(4096)
        octets += fresh
        onward.write(fresh)
        receiver.advance(now_ns)
    assert newest.picture is not None
    assert sender.observation is not None
    return _Run(octets, newest.picture.pixels, sender.observation.frame.pixels)


@pytest.fixture(scope="module")
def kept() -> list[_Run]:
    return [_run(secret, (_ZONE,)) for secret in (2, 3)]


def test_the_same_octets_go_out_whatever_moves_inside(kept: list[_Run]) -> None:
    assert len(kept[0].octets) > 0.8 * 120 * _SECONDS
    assert kept[0].octets == kept[1].octets


def test_the_received_scene_is_grey_inside(kept: list[_Run]) -> None:
    inside = np.asarray(kept[0].picture[_inner()], np.float64)
    assert abs(inside.mean() - 128) < 8
    assert np.abs(inside - 128).mean() < 16


def test_without_the_zone_the_secret_would_be_told() -> None:
    assert _run(2, (), 3).octets != _run(3, (), 3).octets


def _inner() -> NDArray[np.bool_]:
    """Return the pixels of the zone that are a cell away from its border."""
    inner = _HIDDEN.copy()
    for axis in (0, 1):
        for shift in (-16, 16):
            inner &= np.roll(_HIDDEN, shift, axis=axis)
    return inner
