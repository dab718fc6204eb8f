"""How Home Assistant finds a sender by itself: its MQTT discovery of devices, since Home Assistant 2024.11.

One retained message describes a device with all of its entities; see
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. Home Assistant forgets a device whose message becomes
empty.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from importlib.metadata import version
from typing import Any

from pantel_device.mqtt.topics import Message, Topics
from pantel_device.receiving.sink import SenderName

__all__ = ["announcement"]


_MEASUREMENT = {"platform": "sensor", "state_class": "measurement"}
_DIAGNOSTIC = {"entity_category": "diagnostic"}
_OF_LINK: dict[str, dict[str, Any]] = {
    "packet_loss": _MEASUREMENT
    | _DIAGNOSTIC
    | {
        "name": "Packet loss",
        "unit_of_measurement": "%",
        "suggested_display_precision": 1,
        "icon": "mdi:package-variant-remove",
        "value_template": (
            "{{ (value_json.packet_loss * 100) | round(2) if value_json.packet_loss is not none else none }}"
        ),
    },
    "bit_error_rate": _MEASUREMENT
    | _DIAGNOSTIC
    | {
        "name": "Bit error rate",
        "icon": "mdi:signal-off",
        "value_template": "{{ value_json.bit_error_rate }}",
    },
    "packet_age": _MEASUREMENT
    | _DIAGNOSTIC
    | {
        "name": "Last packet",
        "device_class": "duration",
        "unit_of_measurement": "s",
        "value_template": "{{ value_json.packet_age_s }}",
    },
}
_OF_TELEMETRY: dict[str, dict[str, Any]] = {
    "battery_v": {"name": "Battery", "device_class": "voltage", "unit_of_measurement": "V"},
    "temperature_c": {"name": "Temperature", "device_class": "temperature", "unit_of_measurement": "°C"},
    "cpu_temperature_c": {"name": "Processor temperature", "device_class": "temperature", "unit_of_measurement": "°C"}
    | _DIAGNOSTIC,
    "disk_free_mib": {"name": "Free disk", "device_class": "data_size", "unit_of_measurement": "MiB"} | _DIAGNOSTIC,
    "uptime_s": {"name": "Uptime", "device_class": "duration", "unit_of_measurement": "s"} | _DIAGNOSTIC,
}


def announcement(topics: Topics, sender: SenderName, telemetry: Collection[str], expire_s: int) -> Message:
    """Return the message by which Home Assistant finds a sender.

    Args:
        topics: Of the receiver; they have a prefix for discovery.
        sender: Who is announced.
        telemetry: Which quantities it has told so far.
        expire_s: Time without a state after which none is known [s].
    """
    identity = topics.device_id(sender)
    components: dict[str, dict[str, Any]] = {
        # A camera, not an image: the state of an image changes with each, and fills the recorder's database.
        "camera": {"platform": "camera", "name": "Picture", "topic": topics.of(sender, "picture")},
        "heard": {
            "platform": "binary_sensor",
            "name": "Heard",
            "device_class": "connectivity",
            "value_template": "{{ 'ON' if value_json.alive else 'OFF' }}",
        }
        | _DIAGNOSTIC,
        "alarm": {
            "platform": "event",
            "name": "Alarm",
            "icon": "mdi:alarm-light",
            "event_types": ["began", "ended"],
            "state_topic": topics.of(sender, "alarm"),
        },
        "text": {
            "platform": "sensor",
            "name": "Text",
            "icon": "mdi:message-text",
            "value_template": "{{ value_json.text.text[:255] if value_json.text else none }}",
        },
        **_OF_LINK,
    }
    for name in sorted(_OF_TELEMETRY.keys() & set(telemetry)):
        template = f"{{{{ value_json.telemetry.{name} if value_json.telemetry else none }}}}"
        components[name] = _MEASUREMENT | _OF_TELEMETRY[name] | {"value_template": template}
    for key, component in components.items():
        unique: dict[str, str | int] = {"unique_id": f"{identity}_{key}"}
        if component["platform"] in {"sensor", "binary_sensor"}:
            unique |= {"state_topic": topics.of(sender, "state"), "expire_after": expire_s}
        components[key] = component | unique
    content = {
        "device": {
            "identifiers": [identity],
            "name": str(sender),
            "manufacturer": "Pantel",
            "model": f"sender, heard by {topics.receiver}",
        },
        "origin": {"name": "Pantel", "sw_version": version("pantel")},
        "availability": [{"topic": topics.status}],
        "components": components,
    }
    return Message(topics.device(sender), json.dumps(content).encode(), 1, retain=True)
