"""How brokers, topics and webhooks are written, and what is said of those that are not."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig, load_config
from pantel_device.config.urls import Server, split_broker, split_webhook
from pantel_device.publishing.opening import broker_of, open_publishing, webhook_of
from pantel_link import VirtualClock


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("mqtt://broker", Server("broker", 1883, tls=False)),
        ("mqtts://broker.example.org", Server("broker.example.org", 8883, tls=True)),
        ("mqtt://[::1]:1884/", Server("::1", 1884, tls=False)),
    ],
)
def test_brokers(text: str, server: Server) -> None:
    assert split_broker(text) == server


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("https://example.org", Server("example.org", 443, tls=True, path="/")),
        ("http://localhost:8123/api/webhook/-x?a=b", Server("localhost", 8123, tls=False, path="/api/webhook/-x?a=b")),
    ],
)
def test_webhooks(text: str, server: Server) -> None:
    assert split_webhook(text) == server


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mqtt": "192.168.1.10"}, "write the broker's address, such as mqtt://"),
        ({"mqtt": "http://broker"}, "write the broker's address"),
        ({"mqtt": "mqtt://broker/topic"}, "write the broker's address"),
        ({"mqtt": "mqtt://broker:0"}, "write the broker's address"),
        ({"mqtt": "mqtt://broker:99999"}, "write the broker's address"),
        ({"mqtt": "mqtt://"}, "write the broker's address"),
        ({"mqtt": "mqtt://me:secret@broker"}, "leave user and password out of the address"),
        ({"mqtt_topic": "pantel/#"}, "write levels of a topic"),
        ({"mqtt_topic": "pantel//home"}, "write levels of a topic"),
        ({"mqtt_topic": "$SYS"}, "write levels of a topic"),
        ({"mqtt_topic": "x" * 201}, "at most 200 characters"),
        ({"mqtt_topic": ""}, "at least 1 character"),
        ({"mqtt_name": "at/home"}, "write one level of a topic"),
        ({"mqtt_name": "a\0b"}, "write levels of a topic"),
        ({"webhook": "ftp://example.org"}, "write the address that takes alarms"),
        ({"webhook": "https://example.org/a b"}, "write the address that takes alarms"),
        ({"webhook": "https://example.org/a\r\nX: y"}, "write the address that takes alarms"),
        ({"webhook": "https://example.org/#x"}, "write the address that takes alarms"),
    ],
)
def test_mistakes_are_one_line(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_config(ReceiverConfig, None, options)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def _config(**values: object) -> ReceiverConfig:
    return ReceiverConfig.model_validate(values)


def _secret(folder: Path, text: str = "secret\n") -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_a_token_never_crosses_the_network_readable(tmp_path: Path) -> None:
    token = _secret(tmp_path)
    for url in ("https://example.org/", "http://127.0.0.1:1/", "http://localhost/", "http://[::1]/"):
        webhook = webhook_of(_config(webhook=url, webhook_token_file=token))
        assert webhook is not None
        assert webhook.token == "secret"  # noqa: S105
    with pytest.raises(
        UsageError, match="webhook_token_file could be read on the way: let webhook begin with https://"
    ):
        webhook_of(_config(webhook="http://example.org/", webhook_token_file=token))


@pytest.mark.parametrize("text", ["", "\n", "two\nlines\n"])
def test_a_secret_is_one_line(tmp_path: Path, text: str) -> None:
    config = _config(mqtt="mqtt://b", mqtt_user="me", mqtt_password_file=_secret(tmp_path, text))
    with pytest.raises(UsageError, match=r"mqtt_password_file = .* must hold one line, the secret itself"):
        broker_of(config)


def test_a_password_needs_a_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set mqtt_user"):
        broker_of(_config(mqtt="mqtt://b", mqtt_password_file=_secret(tmp_path)))


def test_two_receivers_of_a_machine_are_two_clients_and_a_restarted_one_is_the_same(tmp_path: Path) -> None:
    ids = [
        broker.client_id
        for state in ("a", "b", "a")
        if (broker := broker_of(_config(mqtt="mqtt://b", state_dir=tmp_path / state)))
    ]
    assert ids[0] == ids[2] != ids[1]
    assert all(len(client_id) <= 23 and client_id.isalnum() for client_id in ids)  # what every broker takes


def test_who_tells_nobody_keeps_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        config = _config(state_dir=tmp_path / "state")
        publishing = open_publishing(config, clock=VirtualClock(), stack=stack)
    assert not publishing.takers
    assert not (tmp_path / "state").exists()
