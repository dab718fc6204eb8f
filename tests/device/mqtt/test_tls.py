"""TLS with an authority of one's own: who is believed, and who is not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.device.mqtt.certificates import Authority
from tests.device.mqtt.mosquitto import Mosquitto, needs_mosquitto, until
from tests.device.web.serving import make_event

from pantel_device.command import UsageError

pytestmark = [needs_mosquitto, pytest.mark.real]

_Publish = Callable[..., Any]


@contextmanager
def _broker(folder: Path, authority: Authority, host: str, *lines: str) -> Iterator[Mosquitto]:
    certificate, key = authority.sign("broker", host)
    mosquitto = Mosquitto(
        folder,
        ("allow_anonymous true", f"cafile {authority.path}", f"certfile {certificate}", f"keyfile {key}", *lines),
    )
    mosquitto.start()
    try:
        yield mosquitto
    finally:
        mosquitto.kill()


def _delivers(publish: _Publish, folder: Path, **options: Any) -> None:
    """Publish an alarm and see that the broker confirms it."""
    with publish(**options) as loop:
        loop.event(make_event("alarm", phase="began", zone="gate", number=1))
        until(lambda: not list((folder / "state" / "alarms" / "mqtt").glob("*.json")))


def _fails(publish: _Publish, caplog: pytest.LogCaptureFixture, **options: Any) -> str:
    """Publish and return why that does not come about."""
    caplog.set_level(logging.INFO)
    with publish(**options):
        until(lambda: "gone reason=" in caplog.text)
    return caplog.text


def test_an_authority_of_ones_own(tmp_path: Path, publish: _Publish) -> None:
    authority = Authority(tmp_path)
    with _broker(tmp_path, authority, "127.0.0.1") as broker:
        _delivers(publish, tmp_path, mqtt=f"mqtts://127.0.0.1:{broker.port}", mqtt_ca_file=str(authority.path))


def test_a_broker_that_nobody_vouches_for(tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture) -> None:
    with _broker(tmp_path, Authority(tmp_path), "127.0.0.1") as broker:
        said = _fails(publish, caplog, mqtt=f"mqtts://127.0.0.1:{broker.port}")
    assert "its certificate is not believed: " in said
    assert "mqtt_ca_file" in said


def test_a_certificate_of_another_host(tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority(tmp_path)
    with _broker(tmp_path, authority, "broker.example.org") as broker:
        options = {"mqtt": f"mqtts://127.0.0.1:{broker.port}", "mqtt_ca_file": str(authority.path)}
        assert "IP address mismatch" in _fails(publish, caplog, **options)


def test_a_broker_without_tls(tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        assert "it hangs up; is it mqtt there, or mqtts?" in _fails(
            publish, caplog, mqtt=f"mqtts://127.0.0.1:{broker.port}"
        )
    finally:
        broker.kill()


def test_a_broker_that_wants_tls(tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture) -> None:
    with _broker(tmp_path, Authority(tmp_path), "127.0.0.1") as broker:
        said = _fails(publish, caplog, mqtt=f"mqtt://127.0.0.1:{broker.port}")
    assert "it hangs up; is it mqtt there, or mqtts?" in said


def test_the_broker_may_want_a_certificate_of_ours(
    tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("receiver")
    ours = tmp_path / "ours.pem"
    ours.write_bytes(certificate.read_bytes() + key.read_bytes())
    with _broker(tmp_path, authority, "127.0.0.1", "require_certificate true") as broker:
        options = {"mqtt": f"mqtts://127.0.0.1:{broker.port}", "mqtt_ca_file": str(authority.path)}
        _delivers(publish, tmp_path, mqtt_certificate_file=str(ours), **options)
        _fails(publish, caplog, **options)


def test_files_that_are_no_certificates(tmp_path: Path, publish: _Publish) -> None:
    path = tmp_path / "no.pem"
    path.write_text("no certificate\n")
    for key in ("mqtt_ca_file", "mqtt_certificate_file"):
        with (
            pytest.raises(UsageError, match=rf"^{key} = {path} is not what it should be, a certificate as PEM"),
            publish(mqtt="mqtts://127.0.0.1", **{key: str(path)}),
        ):
            pass
        with (
            pytest.raises(UsageError, match=rf"^cannot read {key} = /missing: No such file"),
            publish(mqtt="mqtts://127.0.0.1", **{key: "/missing"}),
        ):
            pass
        with (
            pytest.raises(UsageError, match=rf"^{key} is for TLS alone: let mqtt begin with mqtts://"),
            publish(mqtt="mqtt://127.0.0.1", **{key: str(path)}),
        ):
            pass
