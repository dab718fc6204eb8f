"""A real Prometheus that scrapes a real receiver: what the dashboard and the alerts ask for is there."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tests.real_parts import needs_program
from tests.system.page_rig import PageRig, end, free_port, live_rig

from pantel_device.commands.metrics import COMMAND
from pantel_device.web.metrics.table import GROUPS

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_program("prometheus"), needs_program("promtool", "prometheus")]

_TOKEN = "a-token-of-tests-1234"  # noqa: S105
_FILES = Path(str(files("pantel_device").joinpath("examples", "prometheus")))
_ALERTS = _FILES / "pantel-alerts.yml"
_PATIENCE_S = 90.0
_LABELS = {metric.name: {*group.labels, "instance", "job"} for group in GROUPS for metric in group.metrics}
_SELECTOR = re.compile(r"\b((?:pantel|process)_\w+)(?:\{([^}]*)\})?")


def _targets() -> list[tuple[str, str, str]]:
    """Return panel, expression and legend of all that the dashboard asks for."""
    board = json.loads((_FILES / "pantel-dashboard.json").read_text(encoding="utf-8"))
    return [
        (panel["title"], target["expr"], target["legendFormat"])
        for panel in board["panels"]
        for target in panel["targets"]
    ]


def _fetch(url: str, **headers: str) -> bytes:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - of this machine
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        body: bytes = response.read()
        return body


class _Prometheus:
    """A server that scrapes the page every second.

    Attributes:
        url: Of its interface for programs.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        answer = json.loads(_fetch(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"))
        assert answer["status"] == "success"
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result


def _wait_for(found: Callable[[], Any], what: str) -> Any:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not (value := found()):
        assert time.monotonic() < deadline_s, what
        time.sleep(0.5)
    return value


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageRig]:
    folder = tmp_path_factory.mktemp("rig")
    (folder / "token").write_text(f"{_TOKEN}\n")
    (folder / "token").chmod(0o600)
    measured = {"battery_v": 12.5, "temperature_c": 21.0, "cpu_temperature_c": 50.0}  # not every machine knows the last
    (folder / "measured.json").write_text(json.dumps(measured))
    sending = [f"--telemetry-file={folder / 'measured.json'}"]
    with live_rig(folder, sending=sending, receiving=[f"--web-token-file={folder / 'token'}"]) as rig:
        yield rig


@pytest.fixture(scope="module")
def prometheus(rig: PageRig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "token").write_text(f"{_TOKEN}\n")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(_ALERTS)],
        "scrape_configs": [
            {
                "job_name": "pantel",
                "authorization": {"credentials_file": str(folder / "token")},
                "static_configs": [{"targets": [urllib.parse.urlsplit(rig.url).netloc]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        prometheus = _Prometheus(f"http://{address}")

        def ready() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return bool(prometheus.query('up{job="pantel"} == 1'))
            except OSError:
                return False

        _wait_for(ready, "Prometheus does not scrape")
        yield prometheus
    finally:
        end(process)


def test_the_files_are_where_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    from pantel_device.cli import main

    for action, name in (("dashboard", "pantel-dashboard.json"), ("alerts", "pantel-alerts.yml")):
        assert main([COMMAND.name, action]) == 0
        assert capsys.readouterr().out == f"{_FILES / name}\n"


def test_promtool_finds_nothing_to_complain_of(rig: PageRig) -> None:
    text = _fetch(f"{rig.url}/metrics", Authorization=f"Bearer {_TOKEN}")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    done = subprocess.run(["promtool", "check", "rules", str(_ALERTS)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _series(name: str, values: str, **labels: str) -> dict[str, str]:
    pairs = {"job": "pantel", "instance": "gate:8080"} | labels
    named = ",".join(f'{key}="{value}"' for key, value in pairs.items())
    return {"series": f"{name}{{{named}}}", "values": values}


def test_a_mast_that_is_dead_is_told_of_after_the_receiver_has_started_again(tmp_path: Path) -> None:
    """One mast is heard on, one has died ten minutes in; the receiver starts again after twenty."""
    times = "pantel_sender_last_packet_timestamp_seconds"
    dead, mast = {"callsign": "K1ABC", "sender": "3"}, {"callsign": "K1ABC", "sender": "0"}
    told = {
        "exp_labels": {"severity": "warning", "job": "pantel", "instance": "gate:8080", **dead},
        "exp_annotations": {
            "summary": "K1ABC-3 has not been heard for 20m 0s; since then the receiver has been started again."
        },
    }
    alert = "PantelSenderNotHeardAgain"
    checks = {
        "rule_files": [str(_ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    _series("pantel_receiver_senders", "2x20 1x40"),
                    _series(times, "0+60x60", **mast),
                    _series(times, "0+60x10 600x10 stale", **dead),
                ],
                "alert_rule_test": [
                    {"eval_time": "20m", "alertname": alert, "exp_alerts": []},
                    {"eval_time": "30m", "alertname": alert, "exp_alerts": [told]},
                ],
            }
        ],
    }
    (tmp_path / "checks.yml").write_text(json.dumps(checks))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "checks.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_labels_that_the_dashboard_names_exist() -> None:
    for title, expression, _ in _targets():
        selected = _SELECTOR.findall(expression)
        assert selected, title
        for name, matchers in selected:
            labels = set(re.findall(r"(\w+)\s*=~", matchers))
            known = _LABELS[name] if name.startswith("pantel_") else {"instance", "job"}
            assert labels <= known, (title, name, labels - known)


def test_every_panel_has_something_to_show(prometheus: _Prometheus) -> None:
    for title, expression, legend in _targets():
        query = re.sub(r"\$(job|instance|callsign)", ".*", expression).replace("$__rate_interval", "10s")
        assert "$" not in query
        for series in _wait_for(partial(prometheus.query, query), f"{title} shows nothing: {query}"):
            assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= series["metric"].keys(), title


def test_the_figures_are_those_of_the_rig(prometheus: _Prometheus) -> None:
    mast = {"callsign": "K1ABC", "sender": "0"}
    (battery,) = prometheus.query("pantel_sender_battery_volts")
    assert battery["metric"].items() >= mast.items()
    assert float(battery["value"][1]) == 12.5
    # A loaded machine is slow to see, and then there is little to tell.
    busy = partial(prometheus.query, "8 * rate(pantel_link_received_bytes_total[10s]) > 500")
    (rate,) = _wait_for(busy, "the line carries too little")
    assert float(rate["value"][1]) < 1100
    (age,) = prometheus.query("time() - pantel_sender_last_packet_timestamp_seconds")
    assert 0 <= float(age["value"][1]) < 10
    assert float(prometheus.query("pantel_sender_alarms_total")[0]["value"][1]) >= 1


def test_alerts_can_be_reckoned_and_tell_of_a_port_that_is_gone(rig: PageRig, prometheus: _Prometheus) -> None:
    rules = _wait_for(
        lambda: [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]], "there are no rules"
    )
    assert len(rules) == 7
    _wait_for(
        lambda: {rule["health"] for group in prometheus.get("rules")["groups"] for rule in group["rules"]} == {"ok"},
        "a rule cannot be reckoned",
    )
    gone = {rule["name"]: rule["query"] for rule in rules}["PantelPortGone"]
    assert prometheus.query(gone) == []
    assert rig.sender is not None
    rig.sender.kill()
    rig.sender.wait()
    _wait_for(lambda: prometheus.query(gone), "a port that is gone is not told")
    pending = _wait_for(lambda: prometheus.get("alerts")["alerts"], "no alert")
    assert {alert["labels"]["alertname"] for alert in pending} >= {"PantelPortGone"}
