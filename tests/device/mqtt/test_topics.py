"""Topics: safe whatever somebody calls himself, and never those of somebody else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pantel_device.mqtt.topics import Topics
from pantel_device.receiving.sink import SenderName

_TOPICS = Topics("pantel", "home", "homeassistant")
_callsigns = st.text("ABKZ019-/.", min_size=1, max_size=9)
_numbers = st.integers(0, 63)


@given(st.text(), st.integers())
def test_no_sender_can_leave_its_topic(callsign: str, number: int) -> None:
    topic = _TOPICS.of(SenderName(callsign, number), "alarm")
    assert re.fullmatch(r"pantel/home/[A-Za-z0-9._-]+/alarm", topic)
    assert re.fullmatch(r"homeassistant/device/[A-Za-z0-9_-]+/config", _TOPICS.device(SenderName(callsign, number)))


@given(_callsigns, _numbers, _callsigns, _numbers)
def test_no_two_senders_share_a_topic_or_a_device(callsign: str, number: int, other: str, another: int) -> None:
    one, two = SenderName(callsign, number), SenderName(other, another)
    assert (_TOPICS.of(one, "state") == _TOPICS.of(two, "state")) == (one == two)
    assert (_TOPICS.device_id(one) == _TOPICS.device_id(two)) == (one == two)


def test_golden_topics() -> None:
    sender = SenderName("DK1AB/P", 3)
    assert _TOPICS.status == "pantel/home/status"
    assert _TOPICS.of(sender, "picture") == "pantel/home/DK1AB_P-3/picture"
    assert _TOPICS.device(sender) == "homeassistant/device/pantel_home_DK1AB_2f_P-3/config"
    assert _TOPICS.home_assistant == "homeassistant/status"
