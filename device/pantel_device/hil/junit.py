"""The report as JUnit XML, as CI servers read it."""

from __future__ import annotations

import platform
import re
from dataclasses import asdict
from xml.etree import ElementTree as ET

from pantel_device.hil.cases import Case, Outcome
from pantel_device.hil.report import HilReport

__all__ = ["to_junit"]

_SUITE = "pantel.hil"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: HilReport) -> bytes:
    """Return the report as an XML file: one suite, whose properties are settings and figures."""
    counts = {
        "tests": str(len(report.cases)),
        "failures": str(report.count(Outcome.FAILED)),
        "errors": "0",
        "skipped": str(report.count(Outcome.SKIPPED)),
        "time": _seconds(report.measured.wall_s),
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _SUITE,
            **counts,
            "timestamp": report.began.replace(tzinfo=None).isoformat(timespec="seconds"),
            "hostname": _clean(platform.node() or "unknown"),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for case in report.cases:
        _add_case(suite, case)
    ET.indent(root, " ")
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _properties(report: HilReport) -> dict[str, str]:
    """Return settings, limits and the figures of the line; what was not measured is left out."""
    figures = {**asdict(report.measured.line), **asdict(report.limits), **asdict(report.settings)}
    return {
        name: f"{value:.6g}" if isinstance(value, float) else str(value)
        for name, value in figures.items()
        if value is not None
    }


def _add_case(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", {"classname": _SUITE, "name": case.name, "time": _seconds(case.seconds)})
    match case.outcome:
        case Outcome.FAILED:
            failure = ET.SubElement(element, "failure", {"type": "limit", "message": _clean(case.text)})
            failure.text = _clean(f"{case.text}\n{case.advice}")
        case Outcome.SKIPPED:
            ET.SubElement(element, "skipped", {"message": _clean(case.text)})
        case Outcome.PASSED:
            ET.SubElement(element, "system-out").text = _clean(case.text)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    """Replace what no XML file may hold, such as octets of a file name that is no UTF-8."""
    return _NOT_XML.sub("?", text)
