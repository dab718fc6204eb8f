"""Puts together what a configuration wants to be told to others."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig
from pantel_device.config.urls import split_broker, split_webhook
from pantel_device.mqtt.broker_thread import BrokerThread
from pantel_device.mqtt.conversation import Broker
from pantel_device.mqtt.mailbox import Mailbox
from pantel_device.mqtt.publisher import MqttPublisher
from pantel_device.mqtt.topics import Topics
from pantel_device.publishing.alarm_fan_out import AlarmFanOut
from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.publishing.publishing import Publishing
from pantel_device.receiving.liveness import alive_ns
from pantel_device.secret_line import read_secret_line
from pantel_device.webhook.caller import WebhookCaller
from pantel_device.webhook.post import Webhook
from pantel_link import Clock

__all__ = ["broker_of", "open_publishing", "webhook_of"]

ALARMS = "alarms"
"""Folder in the state for alarms that wait, with one folder in it for each who is told."""


def open_publishing(config: ReceiverConfig, *, clock: Clock, stack: ExitStack) -> Publishing:
    """Open what the configuration names, a broker, a webhook or both.

    Args:
        config: Of the receiver.
        clock: Its monotonic clock.
        stack: Closes all of it.

    Raises:
        CommandError: Alarms that wait cannot be kept.
        UsageError: A password, a token or a certificate cannot be used.
    """
    receiver = _name(config)
    queues: list[AlarmQueue] = []
    publishers: list[MqttPublisher] = []
    webhook = webhook_of(config)
    if (broker := broker_of(config)) is not None:
        topics = Topics(config.mqtt_topic, receiver, config.mqtt_discovery)
        mailbox, alarms = Mailbox(), AlarmQueue(config.state_dir / ALARMS / "mqtt")
        stack.callback(BrokerThread(broker, topics, mailbox, alarms).close)
        queues.append(alarms)
        publishers.append(
            MqttPublisher(
                topics,
                mailbox,
                view=config.view,
                picture_interval_s=config.mqtt_picture_interval_s,
                alive_ns=alive_ns(config.all_lines, acknowledges=bool(config.acknowledge_s)),
                clock=clock,
            )
        )
    if webhook is not None:
        alarms = AlarmQueue(config.state_dir / ALARMS / "webhook")
        stack.callback(WebhookCaller(webhook, alarms).close)
        queues.append(alarms)
    return Publishing([AlarmFanOut(receiver, queues), *publishers], publishers)


def broker_of(config: ReceiverConfig) -> Broker | None:
    """Return the broker of a configuration; None for none.

    Raises:
        UsageError: The password or a certificate cannot be used.
    """
    if not config.mqtt:
        return None
    server = split_broker(config.mqtt)
    if config.mqtt_password_file and not config.mqtt_user:
        raise UsageError("mqtt_password_file needs the user whose password it is: set mqtt_user")
    for key in ("mqtt_ca_file", "mqtt_certificate_file"):
        if getattr(config, key) and not server.tls:
            raise UsageError(f"{key} is for TLS alone: let mqtt begin with mqtts://, or leave {key} out")
    tls = _tls(config.mqtt_ca_file, "mqtt_ca_file") if server.tls else None
    if tls is not None and config.mqtt_certificate_file:
        _load(config.mqtt_certificate_file, "mqtt_certificate_file", tls.load_cert_chain)
    return Broker(
        server, _client_id(config), config.mqtt_user, _secret(config.mqtt_password_file, "mqtt_password_file"), tls
    )


def webhook_of(config: ReceiverConfig) -> Webhook | None:
    """Return the webhook of a configuration; None for none.

    Raises:
        UsageError: The token or the certificate cannot be used.
    """
    if not config.webhook:
        return None
    server = split_webhook(config.webhook)
    if config.webhook_token_file and not (server.tls or server.is_here):
        raise UsageError("webhook_token_file could be read on the way: let webhook begin with https://")
    if config.webhook_ca_file and not server.tls:
        raise UsageError("webhook_ca_file is for TLS alone: let webhook begin with https://, or leave it out")
    tls = _tls(config.webhook_ca_file, "webhook_ca_file") if server.tls else None
    token = _secret(config.webhook_token_file, "webhook_token_file")
    if not token.isascii():
        raise UsageError(f"webhook_token_file = {config.webhook_token_file} holds characters that no header can have")
    return Webhook(server, token, tls)


def _name(config: ReceiverConfig) -> str:
    """Return the receiver's name; that of the machine may hold what a level of a topic cannot."""
    return config.mqtt_name or re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname()) or "receiver"


def _client_id(config: ReceiverConfig) -> str:
    """Return by what a broker knows this receiver: over restarts, so that it ends a connection of ours that hangs.

    No two receivers of a machine share a state_dir, and 20 letters and digits are what every broker takes.
    """
    seed = f"{socket.gethostname()} {config.state_dir.absolute()}"
    return f"pantel{hashlib.blake2s(seed.encode(), digest_size=7).hexdigest()}"


def _secret(name: str, key: str) -> str:
    """Return the secret of a file; empty for none.

    Raises:
        UsageError: It cannot be read, or holds no line.
    """
    if not name:
        return ""
    secret = read_secret_line(Path(name), key, "write one there, and chmod 640 it")
    if not secret or not secret.isprintable():
        raise UsageError(f"{key} = {name} must hold one line, the secret itself")
    return secret


def _tls(ca_file: str, key: str) -> ssl.SSLContext:
    """Return how to speak TLS: certificates and names are checked.

    Raises:
        UsageError: The certificate cannot be used.
    """
    context = ssl.create_default_context()
    if ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which believes nobody else
        _load(ca_file, key, context.load_verify_locations)
    return context


def _load(name: str, key: str, load: Callable[[str], None]) -> None:
    """Have a file loaded.

    Raises:
        UsageError: It cannot be read, or is not what it should be.
    """
    try:
        load(name)
    except ssl.SSLError as error:
        raise UsageError(f"{key} = {name} is not what it should be, a certificate as PEM: {error.reason}") from error
    except OSError as error:
        raise UsageError(f"cannot read {key} = {name}: {error.strerror}") from error
