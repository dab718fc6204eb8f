"""Those whom a receiver tells: whether broker and webhook can be reached, and how many alarms wait for them."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from dataclasses import replace

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig
from pantel_device.doctor.finding import Finding, note, ok, problem, split_advice, warning
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup
from pantel_device.errors import BrokerError

__all__ = ["check_broker", "check_webhook"]

_PATIENCE_S = 2.5
_SUDO = "ask again with sudo"
_FILES = {
    "mqtt": ("mqtt_password_file", "mqtt_ca_file", "mqtt_certificate_file"),
    "webhook": ("webhook_token_file", "webhook_ca_file"),
}


def check_broker(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Connect to the broker of a setup as its receiver does, under another name, and publish nothing."""
    config = _readable(machine, setup, "mqtt")
    if isinstance(config, Finding):
        yield config
    if not isinstance(config, ReceiverConfig):
        return
    from pantel_device.mqtt.conversation import Conversation
    from pantel_device.publishing.opening import broker_of

    try:
        broker = broker_of(config)
        if broker is None:
            return
        if broker.password and not (broker.server.tls or broker.server.is_here):
            yield warning("mqtt", "the password can be read on its way to the broker", "let mqtt begin with mqtts://")
        conversation = Conversation(replace(broker, client_id=f"{broker.client_id}d"))
        conversation.open(_PATIENCE_S)
        conversation.close()
    except UsageError as error:
        yield problem("mqtt", *split_advice(str(error)))
    except BrokerError as error:
        found, _, advice = str(error).partition("; ")
        found = f"{setup.text('mqtt')}: {found}"
        yield problem("mqtt", found, advice or "is the address right, and does the broker run?")
    else:
        yield ok("mqtt", f"{setup.text('mqtt')} lets the receiver in")
    yield from _waiting(machine, setup, "mqtt")


def check_webhook(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Connect to the webhook of a setup, and post nothing: somebody might come running."""
    config = _readable(machine, setup, "webhook")
    if isinstance(config, Finding):
        yield config
    if not isinstance(config, ReceiverConfig):
        return
    from pantel_device.publishing.opening import webhook_of
    from pantel_device.webhook.post import connection_to, reason_of

    try:
        webhook = webhook_of(config)
    except UsageError as error:
        yield problem("webhook", *split_advice(str(error)))
        return
    if webhook is None:
        return
    connection = connection_to(webhook, _PATIENCE_S)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        advice = "is the address right, and does the server run?"
        yield problem("webhook", f"{webhook.server} cannot be reached: {reason_of(error)}", advice)
    else:
        yield ok("webhook", f"{webhook.server} can be reached; whether it takes alarms, the first one tells")
    finally:
        connection.close()
    yield from _waiting(machine, setup, "webhook")


def _readable(machine: Machine, setup: Setup, whom: str) -> ReceiverConfig | Finding | None:
    """Return the configuration with its files as the machine names them; None if nobody is told.

    Args:
        machine: On which the files are.
        setup: Whose.
        whom: The key of who is told.
    """
    if not isinstance(setup.config, ReceiverConfig) or not setup.text(whom):
        return None
    for key in _FILES[whom]:
        if (name := setup.text(key)) and setup.hides(name):
            return problem(whom, f"the service does not see {name}", "move it to /etc/pantel/keys")
    places = {key: setup.place(machine, setup.text(key)) for key in _FILES[whom] if setup.text(key)}
    for path in places.values():
        if path.exists() and not os.access(path, os.R_OK):
            return note(whom, f"{machine.name(path)} may not be looked at by who asks", _SUDO)
    return setup.config.model_copy(update={key: str(path) for key, path in places.items()})


def _waiting(machine: Machine, setup: Setup, whom: str) -> Iterator[Finding]:
    """Tell how many alarms wait."""
    from pantel_device.publishing.opening import ALARMS

    folder = setup.place(machine, setup.config.state_dir) / ALARMS / whom
    if os.access(folder, os.R_OK) and (count := len(list(folder.glob("*.json")))):
        yield note(whom, f"{count} alarms wait to be delivered")
