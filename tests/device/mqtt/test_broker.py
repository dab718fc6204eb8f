"""A real mosquitto: what comes to whom, who is let in, and what an outage costs."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.device.mqtt import outages
from tests.device.mqtt.mosquitto import Mosquitto, listening, needs_mosquitto, until
from tests.device.web.serving import make_event, make_picture, make_reading

from pantel_device.receiving.sink import Event

pytestmark = [needs_mosquitto, pytest.mark.real]

_Publish = Callable[..., Any]
_SENDER = "pantel/home/K1ABC-0"


def _alarm(number: int, phase: str = "began") -> Event:
    return make_event("alarm", 1_000_000_000, number=number, phase=phase, zone="gate")


def _url(broker: Mosquitto) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def test_what_is_received_comes_to_those_who_listen(broker: Mosquitto, publish: _Publish) -> None:
    with listening(broker.port) as listener, publish(mqtt=_url(broker), mqtt_discovery="") as loop:
        loop.event(make_event("sender_heard", epoch=7, width_px=32, height_px=16, model="abc"))
        loop.reading(make_reading(2_000_000_000))
        assert loop.picture(make_picture(grey=90))
        loop.event(_alarm(3))
        loop.event(make_event("text", text="gate open"))
        loop.event(make_event("telemetry", battery_v=12.5))
        loop.event(Event(0, "link_report", {"port": "/dev/ttyUSB0", "packet_loss": 0.1}))
        until(lambda: listener.of("pantel/home/link") and listener.of(f"{_SENDER}/telemetry"))
        until(lambda: listener.of(f"{_SENDER}/alarm"))
        assert listener.of("pantel/home/status") == [b"online"]
        (state,) = listener.json_of(f"{_SENDER}/state")
        assert (state["callsign"], state["number"], state["alive"], state["epoch"]) == ("K1ABC", 0, True, 7)
        picture = cv2.imdecode(np.frombuffer(listener.of(f"{_SENDER}/picture")[0], np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (16, 32, 3)
        assert abs(float(picture.mean()) - 90) < 2
        (alarm,) = listener.json_of(f"{_SENDER}/alarm")
        assert (alarm["number"], alarm["event_type"], alarm["zone"], alarm["receiver"]) == (3, "began", "gate", "home")
        assert listener.json_of(f"{_SENDER}/text")[0]["text"] == "gate open"
        assert listener.json_of(f"{_SENDER}/telemetry")[0]["battery_v"] == 12.5
        assert listener.json_of("pantel/home/event")[0]["kind"] == "sender_heard"  # before anything was told
    assert {message.topic for message in listener.messages if message.topic.startswith("homeassistant")} == set()


def test_who_comes_late_gets_what_is_retained_and_nothing_else(broker: Mosquitto, publish: _Publish) -> None:
    with publish(mqtt=_url(broker)) as loop:
        with listening(broker.port) as first:
            loop.event(make_event("sender_heard", epoch=7))
            loop.reading(make_reading(2_000_000_000))
            loop.picture(make_picture())
            loop.event(_alarm(1))
            until(lambda: first.of(f"{_SENDER}/alarm") and first.of(f"{_SENDER}/picture"))
        with listening(broker.port) as late:
            until(lambda: late.of(f"{_SENDER}/picture"))
            found = {message.topic for message in late.messages}
            assert found == {
                "pantel/home/status",
                f"{_SENDER}/state",
                f"{_SENDER}/picture",
                "homeassistant/device/pantel_home_K1ABC-0/config",
            }
            assert all(message.retain for message in late.messages)
        with listening(broker.port, "pantel/home/status") as status:
            until(lambda: status.of("pantel/home/status") == [b"online"])
    with listening(broker.port, "pantel/home/status") as status:
        until(lambda: status.of("pantel/home/status") == [b"offline"])


def test_home_assistant_is_told_again_when_it_starts(broker: Mosquitto, publish: _Publish) -> None:
    config = "homeassistant/device/pantel_home_K1ABC-0/config"
    with publish(mqtt=_url(broker)) as loop, listening(broker.port) as listener:
        loop.reading(make_reading(2_000_000_000))
        until(lambda: len(listener.of(config)) == 1)
        listener.publish("homeassistant/status", "online")
        until(lambda: len(listener.of(config)) == 2)
        listener.publish("homeassistant/status", "offline")
        loop.event(make_event("telemetry", battery_v=12.5))
        until(lambda: len(listener.of(config)) == 3)
        assert "battery_v" in listener.json_of(config)[-1]["components"]


def test_an_outage_of_the_broker_loses_no_alarm_and_no_order(
    tmp_path: Path, publish: _Publish, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    # What it has confirmed it keeps for a listener who comes back later than the publisher.
    broker = Mosquitto(tmp_path, ("allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/"))
    broker.start()
    topic = f"{_SENDER}/alarm"
    with listening(broker.port, lasting=True) as listener, publish(mqtt=_url(broker)) as loop:

        def told() -> dict[str, int]:
            return {each["id"]: each["number"] for each in listener.json_of(topic)}

        for number in range(60):
            if number % 20 == 10:
                broker.stop()
            loop.event(_alarm(number))
            if number % 20 == 19:
                broker.start()
                until(lambda count=number + 1: len(told()) == count)  # type: ignore[misc]
        assert list(told().values()) == list(range(60))
    broker.stop()
    said = [record.getMessage() for record in caplog.records if record.name.startswith("pantel_device.publishing")]
    assert len([line for line in said if " back" in line]) == 3
    assert 3 <= len([line for line in said if " gone" in line]) <= 6  # that it hung up, and that nobody is there


def test_broker_and_publisher_are_killed_at_random_moments() -> None:
    assert outages.run(alarms=100, kills=8, seed=3)


def test_alarms_outlive_the_receiver(broker: Mosquitto, publish: _Publish, tmp_path: Path) -> None:
    broker.kill()
    with publish(mqtt=_url(broker)) as loop:
        for number in range(5):
            loop.event(_alarm(number))
    assert len(list((tmp_path / "state" / "alarms" / "mqtt").glob("*.json"))) == 5
    broker.start()
    with listening(broker.port) as listener, publish(mqtt=_url(broker)):
        until(lambda: len(listener.of(f"{_SENDER}/alarm")) == 5)
        assert [each["number"] for each in listener.json_of(f"{_SENDER}/alarm")] == list(range(5))
        until(lambda: not list((tmp_path / "state" / "alarms" / "mqtt").glob("*.json")))


def test_a_broker_that_has_lost_everything_is_told_again(broker: Mosquitto, publish: _Publish) -> None:
    with publish(mqtt=_url(broker)) as loop:
        with listening(broker.port) as listener:
            loop.event(make_event("sender_heard", epoch=7))
            loop.reading(make_reading(2_000_000_000))
            loop.picture(make_picture())
            until(lambda: listener.of(f"{_SENDER}/picture"))
        broker.kill()
        broker.start()  # without persistence
        with listening(broker.port) as listener:
            until(lambda: listener.of(f"{_SENDER}/picture") and listener.of(f"{_SENDER}/state"))
            assert listener.of("pantel/home/status")[-1] == b"online"


@pytest.fixture
def closed_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that wants a user and a password."""
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "mast", "s3cret pass"], check=True)
    mosquitto = Mosquitto(tmp_path, ("allow_anonymous false", f"password_file {tmp_path / 'users'}"))
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


def _password(folder: Path, text: str) -> str:
    path = folder / "password"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return str(path)


def test_user_and_password(closed_broker: Mosquitto, publish: _Publish, tmp_path: Path) -> None:
    login = {"mqtt_user": "mast", "mqtt_password_file": _password(tmp_path, "s3cret pass")}
    with (
        publish(mqtt=_url(closed_broker), **login) as loop,
        listening(closed_broker.port, user="mast", password="s3cret pass") as listener,  # noqa: S106
    ):
        loop.event(_alarm(1))
        until(lambda: listener.of(f"{_SENDER}/alarm"))


def test_a_wrong_password_is_one_line_and_no_storm(
    closed_broker: Mosquitto, publish: _Publish, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    login = {"mqtt_user": "mast", "mqtt_password_file": _password(tmp_path, "wrong")}
    with publish(mqtt=_url(closed_broker), **login) as loop:
        loop.event(_alarm(1))
        until(lambda: closed_broker.log().count("CONNACK") >= 4)  # at once, at once, after 2 s and after 4 s more
    (line,) = [record.getMessage() for record in caplog.records if "gone" in record.getMessage()]
    assert "it refuses the connection: Not authorized" in line
    assert "mqtt_password_file" in line
    assert len(list((tmp_path / "state" / "alarms" / "mqtt").glob("*.json"))) == 1


def test_a_flood_of_pictures_does_not_keep_alarms_waiting(broker: Mosquitto, publish: _Publish) -> None:
    options = {"mqtt": _url(broker), "mqtt_picture_interval_s": 0.1}
    with listening(broker.port) as listener, publish(**options) as loop:
        loop.event(make_event("sender_heard", epoch=7))
        for step in range(200):
            loop.picture(make_picture(step * 200_000_000, grey=step % 250))
            if step % 50 == 0:
                loop.event(_alarm(step))
        until(lambda: len(listener.of(f"{_SENDER}/alarm")) == 4)


def test_numbers_that_are_none_are_null(broker: Mosquitto, publish: _Publish) -> None:
    with listening(broker.port) as listener, publish(mqtt=_url(broker)) as loop:
        loop.event(make_event("telemetry", battery_v=float("nan")))
        until(lambda: listener.of(f"{_SENDER}/telemetry"))
        assert json.loads(listener.of(f"{_SENDER}/telemetry")[0])["battery_v"] is None
