"""Alarms on the whole way: somebody walks into a zone, and the receiver says so within seconds."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_device.cameras.base import SampledCamera
from pantel_device.observer import MotionDetector, Observer, RegionRules, Zone, ZoneKind
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.alarms_out import AlarmSender
from pantel_device.sending.sender import Sender
from pantel_link import LinkReceiver, LinkSender, StreamContext, memory_pair
from pantel_models import find_artefact, load_scene_codec

_SIZE_PX = (160, 120)
_STEP_NS = 20_000_000
_STAYS_STILL = 40  # frames
_GATE = Zone(name="gate", kind=ZoneKind.ALARM, polygon=((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))


class _Street(SampledCamera):
    """A textured street, into which somebody walks from the left after four seconds."""

    def _picture(self, index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        rows, columns = np.mgrid[: _SIZE_PX[1], : _SIZE_PX[0]]
        street = np.repeat((110 + 20 * np.sin(columns / 9) + 20 * np.sin(rows / 7))[..., None], 3, axis=2)
        x = 4 * (index - _STAYS_STILL)
        if 0 <= x < _SIZE_PX[0]:
            street[50:100, max(x - 8, 0) : x + 8] = 220, 40, 30
        return street.astype(np.uint8)


class _Events:
    """A sink that keeps events."""

    def __init__(self) -> None:
        self.alarms: list[Event] = []

    def on_picture(self, picture: Picture) -> None:
        """Pictures do not matter."""

    def on_event(self, event: Event) -> None:
        if event.kind == "alarm":
            self.alarms.append(event)

    def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def alarms() -> list[Event]:
    codec = load_scene_codec(find_artefact())
    near, far = memory_pair()
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], *_SIZE_PX)
    link = LinkSender(context, now_ns=0)
    sender = Sender(
        camera=_Street(_SIZE_PX, 10),
        observer=Observer(MotionDetector(), rules=RegionRules(zones=(_GATE,))),
        encoder=SceneEncoder(codec, _SIZE_PX),
        link=link,
        port=near,
        alarms=AlarmSender(link, _SIZE_PX),
    )
    events = _Events()
    receiver = Receiver(port=far, link=LinkReceiver(), sinks=[events])
    for now_ns in range(0, 13_000_000_000, _STEP_NS):
        sender.advance(now_ns)
        receiver.advance(now_ns)
    return events.alarms


def test_an_alarm_begins_and_ends_once(alarms: list[Event]) -> None:
    assert [event.fields["phase"] for event in alarms] == ["began", "ended"]
    assert {event.fields["zone"] for event in alarms} == {"gate"}


def test_it_arrives_within_seconds(alarms: list[Event]) -> None:
    entered_ns = (_STAYS_STILL + 80 / 4) * 100_000_000  # when the middle of the picture is reached
    assert 0 < alarms[0].time_ns - entered_ns < 2_500_000_000
