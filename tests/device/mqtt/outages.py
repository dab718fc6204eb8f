"""Alarms while broker and publisher are killed again and again: none may be lost.

    python -m tests.device.mqtt.outages --alarms 300 --kills 12 --seed 1

A process with the publisher raises alarms; it and a real mosquitto are killed (SIGKILL) in turns at random moments. At
the end every alarm that was raised must have come, those of one life of the publisher in order; doubles are counted.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.device.mqtt.mosquitto import Listener, Mosquitto, listening, until
from tests.device.web.serving import make_event

from pantel_device.config import ReceiverConfig
from pantel_device.publishing.opening import open_publishing
from pantel_link import MonotonicClock

_TOPIC = "pantel/home/K1ABC-0/alarm"
_LAST_S = 180.0


def _raise_alarms(url: str, folder: Path) -> None:
    """Raise an alarm for each line that comes in, and answer each when that is done."""
    config = ReceiverConfig.model_validate({"mqtt": url, "mqtt_name": "home", "state_dir": folder})
    with ExitStack() as stack:
        publishing = open_publishing(config, clock=MonotonicClock(), stack=stack)
        for line in sys.stdin:
            for watcher in publishing.watchers:
                watcher.on_event(make_event("alarm", phase="began", zone="gate", number=int(line)))
            sys.stdout.write(line)
            sys.stdout.flush()


class _Publisher:
    """The process that raises alarms."""

    def __init__(self, url: str, folder: Path) -> None:
        argv = [sys.executable, "-m", "tests.device.mqtt.outages", "--publish", url, "--folder", str(folder)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def alarm(self, number: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{number}\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def hold(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)


def _start(broker: Mosquitto, listener: Listener, publisher: _Publisher) -> None:
    """Start the broker, and let nobody publish before somebody listens again: a killed broker keeps nothing for him."""
    publisher.hold()
    broker.start()
    until(lambda: listener.is_connected)
    time.sleep(0.2)  # until he has subscribed
    publisher.go_on()


def run(alarms: int, kills: int, seed: int) -> bool:
    chance = random.Random(seed)
    kill_at = set(chance.sample(range(alarms), kills))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Mosquitto(folder)
        broker.start()
        url = f"mqtt://127.0.0.1:{broker.port}"
        publisher = _Publisher(url, folder / "state")
        down = False
        with listening(broker.port) as listener:
            for number in range(alarms):
                publisher.alarm(number)
                if number in kill_at:
                    if chance.random() < 0.5:
                        publisher.kill()
                        publisher = _Publisher(url, folder / "state")
                    elif down:
                        _start(broker, listener, publisher)
                        down = False
                    else:
                        broker.kill()
                        down = True
                time.sleep(chance.uniform(0, 0.1))
            if down:
                _start(broker, listener, publisher)
            began_s = time.monotonic()
            try:
                until(lambda: len({each["number"] for each in listener.json_of(_TOPIC)}) == alarms, _LAST_S)
            except AssertionError:
                sys.stdout.write("gave up\n")
            told = [(each["id"], each["number"]) for each in listener.json_of(_TOPIC)]
        publisher.kill()
        broker.kill()
    first = list(dict.fromkeys(number for _, number in told))
    report = {
        "alarms": alarms,
        "kills": kills,
        "lost": len(set(range(alarms)) - set(first)),
        "doubles": len(told) - len(set(told)),
        "in_order": first == sorted(first),
        "caught_up_after_s": round(time.monotonic() - began_s, 1),
    }
    sys.stdout.write(f"{json.dumps(report)}\n")
    return not report["lost"] and bool(report["in_order"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=300)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publish", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish:
        _raise_alarms(options.publish, options.folder)
    else:
        sys.exit(0 if run(options.alarms, options.kills, options.seed) else 1)
