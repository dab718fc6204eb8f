"""What Prometheus gets from the page, and that docs/metrics.md says the same."""

from __future__ import annotations

import base64
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.device.web.serving import MAST, TOKEN, Site, make_event, make_picture

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.web.metrics.table import GROUPS
from pantel_link import StreamStatistics
from pantel_link.statistics import ReceiverStatistics

_PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"
_LABELS = {"callsign": "K1ABC", "sender": "0"}


def _families(site: Site, **headers: str) -> dict[str, Metric]:
    answer = site.get("/metrics", **headers)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}


def _value(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    samples = families[name.removesuffix("_total")].samples
    return next((each.value for each in samples if each.name == name and each.labels == labels), None)


@pytest.fixture
def told(site: Site) -> Site:
    """A page that knows of a sender."""
    now_ns = site.clock.now_ns()
    site.hub.on_event(make_event("sender_heard", now_ns))
    site.hub.on_event(make_event("telemetry", now_ns, battery_v=12.5, disk_free_mib=3))
    contact = Contact(MAST, now_ns, None, StreamStatistics(packets_good=7, packets_lost=2, good_bits=800))
    statistics = ReceiverStatistics(packets_good=9, good_bits=1600, corrected_bits=3, wire_octets=500)
    site.hub.on_reading(LinkReading(now_ns, (contact,), MAST, (LineReading("pty:", 960, False, 4, statistics),)))
    while _value(_families(site), "pantel_receiver_senders") != 1:
        """It is on its way from one thread to the other."""
    return site


def test_what_is_known_is_told(told: Site) -> None:
    told.get("/picture.jpg")
    told.feed(make_picture(told.clock.now_ns()))
    assert told.get("/picture.jpg").status == 200
    families = _families(told)
    line = {"port": "pty:"}
    assert [
        _value(families, "pantel_build_info", version=version("pantel")),
        _value(families, "pantel_port_up", **line),
        _value(families, "pantel_link_capacity_bytes_per_second", **line),
        _value(families, "pantel_link_received_bytes_total", **line),
        _value(families, "pantel_link_codeword_bytes_total", **line),
        _value(families, "pantel_link_bit_errors_total", **line),
        _value(families, "pantel_receiver_payloads_damaged_total"),
        _value(families, "pantel_receiver_events_total", kind="telemetry"),
        _value(families, "pantel_sender_packets_good_total", **_LABELS),
        _value(families, "pantel_sender_packets_lost_total", **_LABELS),
        _value(families, "pantel_sender_packets_duplicate_total", **_LABELS),
        _value(families, "pantel_sender_codeword_bytes_total", **_LABELS),
        _value(families, "pantel_sender_alarms_total", **_LABELS),
        _value(families, "pantel_sender_battery_volts", **_LABELS),
        _value(families, "pantel_sender_disk_free_bytes", **_LABELS),
        _value(families, "pantel_sender_latitude_degrees", **_LABELS),
        _value(families, "pantel_page_pictures_total"),
    ] == [1, 0, 120, 500, 200, 3, 4, 1, 7, 2, 0, 100, 0, 12.5, 3 << 20, None, 1]
    assert _value(families, "pantel_sender_last_content_timestamp_seconds", **_LABELS) is None
    assert (_value(families, "process_resident_memory_bytes") or 0) > 1e6


def test_nothing_is_made_up_before_anything_is_known(site: Site) -> None:
    families = _families(site)
    assert _value(families, "pantel_receiver_senders") == 0
    assert families["pantel_sender_packets_good"].samples == []
    assert families["pantel_receiver_last_reading_timestamp_seconds"].samples == []


def test_openmetrics_for_who_asks_for_it(told: Site) -> None:
    answer = told.get("/metrics", Accept="text/plain;q=0.5, Application/OpenMetrics-Text;version=1.0.0;q=0.7")
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in read_openmetrics(answer.body.decode())}  # type: ignore[no-untyped-call]
    assert families["pantel_link_packets_good"].type == "counter"
    assert told.get("/metrics", Accept="application/openmetrics-text; version=x\\").status == 200


@pytest.mark.parametrize(
    "credentials", [f"Bearer {TOKEN}", "Basic " + base64.b64encode(f"any:{TOKEN}".encode()).decode()]
)
def test_the_token_opens_the_metrics(locked: Site, credentials: str) -> None:
    assert locked.get("/metrics").status == 401
    assert "pantel_build_info" in set(_families(locked, Authorization=credentials))


def test_the_document_says_the_same(told: Site) -> None:
    text = _PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(pantel_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)
    table = [
        (metric.name, str(metric.kind), ", ".join(f"`{label}`" for label in group.labels), metric.meaning)
        for group in GROUPS
        for metric in group.metrics
    ]
    assert [tuple(cell.strip() for cell in row) for row in rows] == table
    families = {name: family for name, family in _families(told).items() if name.startswith("pantel_")}
    exposed = {
        family.name + "_total" * (family.type == "counter"): (family.type, family.documentation)
        for family in families.values()
    }
    assert exposed == {name: (kind, meaning) for name, kind, _, meaning in table}
    for name, _, labels, _ in table:
        for sample in families[name.removesuffix("_total")].samples:
            assert ", ".join(f"`{label}`" for label in sample.labels) == labels
