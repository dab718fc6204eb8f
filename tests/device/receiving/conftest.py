"""A stream that a sender announces, and a payload of its scene."""

from __future__ import annotations

import pytest

from pantel_device.cameras import open_camera
from pantel_device.observer import MotionDetector, Observer
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.stream import stream_context
from pantel_link import StreamContext
from pantel_models import find_artefact, load_scene_codec

_SIZE_PX = (96, 64)
_CAPACITY_BYTES = 33


@pytest.fixture
def context() -> StreamContext:
    return stream_context(find_artefact(), callsign="DK1AB", epoch=7, size_px=_SIZE_PX)


@pytest.fixture(scope="session")
def payload() -> bytes:
    frame = open_camera("test:1", _SIZE_PX, 10).capture(0)
    assert frame is not None
    encoder = SceneEncoder(load_scene_codec(find_artefact()), _SIZE_PX)
    return encoder.payload(Observer(MotionDetector()).observe(frame), _CAPACITY_BYTES, 0)
