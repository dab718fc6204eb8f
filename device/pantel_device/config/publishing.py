"""What a receiver tells other programs, over MQTT and by a webhook."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from pantel_device.config.urls import check_broker, check_level, check_topic, check_webhook

__all__ = ["PublishingConfig"]


class PublishingConfig(BaseModel):
    """What `pantel receive` can be told of those whom it tells."""

    mqtt: Annotated[str, AfterValidator(check_broker)] = Field(
        "",
        description="MQTT broker that is told pictures, states, events and alarms; empty for none",
        json_schema_extra={
            "more": "See [mqtt.md](mqtt.md). Without a port `mqtt` has 1883 and `mqtts`, which is TLS, 8883.",
            "values": "`mqtt://HOST:PORT` or `mqtts://HOST:PORT`",
        },
    )
    mqtt_name: Annotated[str, AfterValidator(check_level)] = Field(
        "",
        description="name of this receiver in topics and alarms; empty: that of the machine",
        json_schema_extra={
            "more": "Receivers that share a broker need one each.",
            "values": "a level of a topic",
        },
    )
    mqtt_topic: Annotated[str, AfterValidator(check_topic)] = Field(
        "pantel",
        min_length=1,
        description="first level, or levels, of all topics",
        json_schema_extra={"values": "levels of a topic"},
    )
    mqtt_user: str = Field("", description="user name at the broker; empty for none")
    mqtt_password_file: str = Field(
        "",
        description="file with the password of mqtt_user",
        json_schema_extra={"more": "It may not be readable by everybody."},
    )
    mqtt_ca_file: str = Field(
        "",
        description="certificate (PEM) by which the broker is believed; empty: those of the system",
        json_schema_extra={
            "more": "For `mqtts` with a certificate of your own. The name in it must be that in `mqtt`."
        },
    )
    mqtt_certificate_file: str = Field(
        "",
        description="certificate and key (PEM) by which a broker knows this receiver; empty for none",
        json_schema_extra={"more": "For `mqtts`, both in one file."},
    )
    mqtt_picture_interval_s: float = Field(
        5.0,
        ge=0.1,
        le=3600,
        description="shortest time between two pictures of a sender [s]; each costs the broker some 10 kB",
    )
    mqtt_discovery: Annotated[str, AfterValidator(check_topic)] = Field(
        "homeassistant",
        description="prefix under which Home Assistant finds devices by itself; empty for none",
        json_schema_extra={"more": "It is that of its MQTT integration.", "values": "levels of a topic"},
    )
    webhook: Annotated[str, AfterValidator(check_webhook)] = Field(
        "",
        description="URL to which every alarm is posted as JSON; empty for none",
        json_schema_extra={
            "more": "See [mqtt.md](mqtt.md#the-webhook).",
            "values": "`https://HOST/PATH` or `http://HOST:PORT/PATH`",
        },
    )
    webhook_token_file: str = Field(
        "",
        description="file with a token that goes along as Authorization: Bearer",
        json_schema_extra={
            "more": (
                "It may not be readable by everybody. Beyond this machine it needs `https`, because it could be read "
                "on the way."
            ),
        },
    )
    webhook_ca_file: str = Field(
        "",
        description="certificate (PEM) by which the webhook's server is believed; empty: those of the system",
    )
