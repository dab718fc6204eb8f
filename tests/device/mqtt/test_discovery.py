"""What Home Assistant is told: the keys that it knows, of entities that get what they need."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pantel_device.mqtt.discovery import announcement
from pantel_device.mqtt.topics import Topics
from pantel_device.receiving.sink import SenderName

_TOPICS = Topics("pantel", "home", "homeassistant")
_SENDER = SenderName("K1ABC", 0)
# Of the documentation of Home Assistant's MQTT integration, the keys that entities of these kinds may have. It refuses
# a device of which one has another.
_OF_ALL = {
    "platform",
    "name",
    "unique_id",
    "icon",
    "entity_category",
    "device_class",
    "value_template",
}
_KEYS = {
    "camera": _OF_ALL - {"device_class", "value_template"} | {"topic"},
    "binary_sensor": _OF_ALL | {"state_topic", "expire_after"},
    "sensor": _OF_ALL
    | {"state_topic", "expire_after", "state_class", "unit_of_measurement", "suggested_display_precision"},
    "event": _OF_ALL | {"state_topic", "event_types"},
}
_NEEDED = {"camera": {"topic"}, "binary_sensor": {"state_topic"}, "sensor": {"state_topic"}}
_NEEDED["event"] = {"state_topic", "event_types"}
_UNITS = {"voltage": "V", "temperature": "°C", "data_size": "MiB", "duration": "s"}


@pytest.fixture
def content() -> dict[str, Any]:
    told = {"battery_v", "temperature_c", "cpu_temperature_c", "disk_free_mib", "uptime_s", "latitude_deg"}
    message = announcement(_TOPICS, _SENDER, told, 60)
    assert (message.topic, message.qos, message.retain) == (_TOPICS.device(_SENDER), 1, True)
    found: dict[str, Any] = json.loads(message.payload)
    return found


def test_a_device_with_its_origin(content: dict[str, Any]) -> None:
    assert set(content) == {"device", "origin", "availability", "components"}
    assert set(content["device"]) == {"identifiers", "name", "manufacturer", "model"}
    assert content["device"]["name"] == "K1ABC-0"
    assert set(content["origin"]) == {"name", "sw_version"}
    assert content["availability"] == [{"topic": "pantel/home/status"}]  # online and offline are its defaults


def test_entities_have_what_they_need_and_nothing_else(content: dict[str, Any]) -> None:
    for key, entity in content["components"].items():
        platform = entity["platform"]
        assert set(entity) <= _KEYS[platform], key
        assert set(entity) >= _NEEDED[platform] | {"name", "unique_id"}, key
    unique = [entity["unique_id"] for entity in content["components"].values()]
    assert len(set(unique)) == len(unique)


def test_units_are_those_of_their_class(content: dict[str, Any]) -> None:
    classes = {entity.get("device_class"): entity.get("unit_of_measurement") for entity in _sensors(content)}
    assert {name: unit for name, unit in classes.items() if name} == _UNITS
    for entity in _sensors(content):
        assert ("state_class" in entity) == (entity["name"] != "Text")


def test_topics_are_those_that_are_published(content: dict[str, Any]) -> None:
    entities = content["components"]
    assert entities["camera"]["topic"] == "pantel/home/K1ABC-0/picture"
    assert entities["alarm"]["state_topic"] == "pantel/home/K1ABC-0/alarm"
    assert entities["heard"]["device_class"] == "connectivity"
    assert {entity["state_topic"] for entity in [*_sensors(content), entities["heard"]]} == {
        "pantel/home/K1ABC-0/state"
    }


def test_what_a_sender_never_told_is_no_entity() -> None:
    components = json.loads(announcement(_TOPICS, _SENDER, {"battery_v"}, 60).payload)["components"]
    assert set(components) == {
        "camera", "heard", "alarm", "text", "packet_loss", "bit_error_rate", "packet_age", "battery_v",
    }  # fmt: skip


def _sensors(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [entity for entity in content["components"].values() if entity["platform"] == "sensor"]
