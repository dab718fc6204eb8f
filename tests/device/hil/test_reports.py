"""The reports: JUnit XML as a CI server reads it, a page and JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.device.hil import lines
from tests.device.hil.rig import Open, Rig, null_modem

from pantel_device.hil import HilReport, Outcome, RigSettings, judge, to_html, to_json, to_junit, to_table
from pantel_link import ChannelSettings

ROOT = Path(__file__).parents[3]
SETTINGS = RigSettings(
    port="/dev/tty<A>",
    peer=None,
    kind="stream",
    seconds=10.0,
    baud_rate=1200,
    bitrate_bps=960,
    preset="standard",
    callsign="N0CALL",
    security="checked",
    seed=0,
    break_command="relay 'off' \x1b \udcff && true",
    mend_command=None,
)
LINES = {
    "good": null_modem(),
    "bad": null_modem(ChannelSettings(bit_error_rate=1e-3, seed=2)),
    "dead": lines.deaf,
    "whole": lines.packets(),
}


@pytest.fixture(params=LINES)
def report(rig: Rig, request: pytest.FixtureRequest) -> HilReport:
    return _report(rig, LINES[request.param])


@pytest.fixture
def bad(rig: Rig) -> HilReport:
    return _report(rig, LINES["bad"])


def _report(rig: Rig, open_ends: Open) -> HilReport:
    measured = rig.measure(open_ends)
    cases = judge(measured, rig.limits)
    return HilReport(SETTINGS, rig.limits, measured, cases, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def _parsed(xml: bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 - our own


def test_junit_can_be_read_back(report: HilReport) -> None:
    root = _parsed(to_junit(report))
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [case.name for case in report.cases]
    counts = {"failures": ("failure", Outcome.FAILED), "skipped": ("skipped", Outcome.SKIPPED)}
    for attribute, (tag, outcome) in counts.items():
        found = [case.get("name") for case in cases if case.find(tag) is not None]
        assert found == [case.name for case in report.cases if case.outcome is outcome]
        assert int(suite.attrib[attribute]) == int(root.attrib[attribute]) == len(found)
    assert int(suite.attrib["tests"]) == len(cases)
    assert suite.attrib["errors"] == "0"
    assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"
    phases_s = sum(float(case.attrib["time"]) for case in cases)
    assert phases_s == pytest.approx(float(suite.attrib["time"]), abs=0.01)


def test_junit_says_what_to_check(bad: HilReport) -> None:
    (suite,) = _parsed(to_junit(bad))
    (failure,) = suite.iter("failure")
    assert failure.attrib["message"].startswith(f"{bad.measured.line.bits_wrong} of ")
    assert failure.text is not None
    assert "check ground" in failure.text
    properties = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert properties["port"] == "/dev/tty<A>"
    assert properties["break_command"] == "relay 'off' ? ? && true"
    assert properties["seconds"] == "10"
    assert properties["max_ber"] == "0.0001"
    assert float(properties["bit_error_rate"]) == pytest.approx(bad.measured.line.bit_error_rate, rel=1e-5)
    assert "mend_command" not in properties


class _Page(HTMLParser):
    """Checks that elements are closed in order, and notes what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert tag in {"path", "circle"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_needs_nothing_else(report: HilReport) -> None:
    page = to_html(report).decode()
    parser = _Page()
    parser.feed(page)
    assert not parser.open
    assert not parser.fetched
    assert "/dev/tty<A>" in parser.text
    assert "relay 'off'" in parser.text
    for case in report.cases:
        assert case.text in parser.text
        assert case.advice in parser.text
    line = report.measured.line
    assert page.count("class='arrived'") == line.packets_received
    if line.packets_received:
        assert page.count("class='lost'") == line.packets_sent - line.packets_received


def test_the_keys_are_documented(report: HilReport) -> None:
    page = (ROOT / "docs" / "reports.md").read_text()
    section = page.split("## `pantel hil`")[1].split("\n## ")[0]
    documented = set(re.findall(r"`([a-z0-9_]+)`", section))
    content: dict[str, Any] = json.loads(to_json(report))
    keys = set(content)
    for part in ("settings", "limits", "line", "still", "recovery", "series"):
        keys |= set(content[part] or {})
    keys |= {key for case in content["cases"] for key in case}
    assert keys <= documented
    assert {case["name"] for case in content["cases"]} <= documented


def test_json_holds_the_figures(bad: HilReport) -> None:
    content = json.loads(to_json(bad))
    assert content["benchmark"] == "hil"
    assert content["began_utc"] == "2026-01-02T03:04:05+00:00"
    assert content["passed"] is False
    assert content["line"]["packets_sent"] == bad.measured.line.packets_sent
    assert [case["outcome"] for case in content["cases"]].count("failed") == 1
    assert len(content["series"]["t_s"]) == len(content["series"]["latency_s"])


def test_the_lines_on_a_terminal(report: HilReport) -> None:
    *cases, summary = to_table(report).splitlines()
    assert len(cases) == len(report.cases) + sum(bool(case.advice) for case in report.cases)
    assert summary.startswith("/dev/tty<A>: ")
    assert f"{report.count(Outcome.PASSED)} passed" in summary or not report.count(Outcome.PASSED)
    assert report.passed is ("failed" not in summary)
