"""The report: columns for people, JSON for programs."""

from __future__ import annotations

import json

from pantel_device.doctor import Section, Status
from pantel_device.doctor.finding import note, ok, problem, warning, worst
from pantel_device.doctor.report import as_json, as_text

_SECTIONS = [
    Section("machine", "", (ok("python", "3.11.7, 64 bit, aarch64"), warning("temperature", "82 °C", "give it shade"))),
    Section("sender-mast", "/etc/pantel/sender-mast.toml", (problem("port", "there is no /dev/x", "plug it in"),)),
]


def test_columns_are_aligned_and_advice_stands_below() -> None:
    assert as_text(_SECTIONS).splitlines() == [
        "machine",
        "  ok       python       3.11.7, 64 bit, aarch64",
        "  warning  temperature  82 °C",
        "                        -> give it shade",
        "",
        "sender-mast (/etc/pantel/sender-mast.toml)",
        "  problem  port         there is no /dev/x",
        "                        -> plug it in",
        "",
        "1 problem, 1 warning",
    ]


def test_long_lines_are_wrapped_for_a_terminal_and_never_else() -> None:
    words = " ".join(["word"] * 40)
    sections = [Section("machine", "", (note("power", words, words),))]
    assert max(map(len, as_text(sections, width=60).splitlines())) <= 60
    assert as_text(sections, width=60).split() == as_text(sections).split()
    assert any(len(line) > 200 for line in as_text(sections).splitlines())
    assert max(map(len, as_text(sections, width=1).splitlines())) <= 60  # a terminal that tells no width


def test_colours_change_no_column() -> None:
    text = as_text(_SECTIONS, colour=True)
    assert "\x1b[31;1mproblem\x1b[0m  port " in text
    assert "\x1b[32mok     \x1b[0m  python " in text
    assert "\x1b" not in as_text(_SECTIONS)


def test_no_problems_are_said_to_be_none() -> None:
    assert as_text([Section("machine", "", (ok("clock", "set"),))]).splitlines()[-1] == "no problems"
    assert as_text([]).strip() == "no problems"


def test_json() -> None:
    report = json.loads(as_json(_SECTIONS))
    assert (report["report"], report["status"]) == ("doctor", "problem")
    assert report["counts"] == {"ok": 1, "note": 0, "warning": 1, "problem": 1}
    assert report["findings"][0] == {
        "subject": "machine",
        "file": None,
        "check": "python",
        "status": "ok",
        "found": "3.11.7, 64 bit, aarch64",
        "advice": None,
    }
    assert report["findings"][2]["file"] == "/etc/pantel/sender-mast.toml"
    assert report["findings"][2]["advice"] == "plug it in"


def test_the_worst_counts() -> None:
    assert worst([ok("a", ""), problem("b", "", ""), note("c", "")]) is Status.PROBLEM
    assert worst([]) is Status.OK
