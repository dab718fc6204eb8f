"""The report as one page for people, which needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_device.hil.cases import Case
from pantel_device.hil.plot import latency_plot
from pantel_device.hil.report import HilReport
from pantel_device.report_page import DASH, figure, report_page, tile

__all__ = ["to_html"]

_LATENCY_NOTE = (
    "Seconds from a packet's first octet to its delivery, over the payload phase. The dashed line is the limit for "
    "95 % of them; a stroke at the bottom is a packet that did not arrive."
)


def to_html(report: HilReport) -> bytes:
    """Return the page."""
    verdict = "The line keeps all limits" if report.passed else "The line fails"
    parts = [
        f"<h1>{verdict}</h1>",
        f"<p class='lead'>{escape(_lead(report))}</p>",
        f"<div class='tiles'>{''.join(tile(*each) for each in _headline(report))}</div>",
        "<h2>Cases</h2>",
        f"<table class='cases'>{''.join(map(_case_row, report.cases))}</table>",
        *_latency(report),
        "<h2>All figures</h2>",
        f"<div class='tables'>{_table(_line_rows(report))}{_table(_setting_rows(report))}</div>",
        "<p class='note'>docs/rig-builders.md says what each case means, docs/reports.md what each figure is.</p>",
    ]
    return report_page(f"{report.settings.port}: {verdict.lower()}", parts)


def _lead(report: HilReport) -> str:
    settings = report.settings
    ends = f"from {settings.port} to {settings.peer}" if settings.peer else f"out of {settings.port} and back into it"
    return (
        f"Known packets and a known still went {ends} at {settings.bitrate_bps} bit/s, on "
        f"{report.began:%Y-%m-%d at %H:%M} UTC. Of the cases {report.summary}."
    )


def _headline(report: HilReport) -> list[tuple[str, str, str]]:
    """Return figure, unit and meaning of what matters most."""
    line, recovery = report.measured.line, report.measured.recovery
    loss = None if line.packet_loss is None else 100 * line.packet_loss
    return [
        (figure(loss, ".1f"), "%", f"packets lost, of {line.packets_sent}"),
        (figure(line.bit_error_rate, ".1e"), "", "bit error rate before correction"),
        (figure(line.wire_bps, ".0f"), "bit/s", "on the wire"),
        (figure(line.payload_bps, ".0f"), "bit/s", "of payload"),
        (figure(line.latency_p95_s, ".2f"), "s", "latency that 95 % keep to"),
        (figure(recovery.recovery_s if recovery else None, ".1f"), "s", "to recover from a break"),
    ]


def _latency(report: HilReport) -> list[str]:
    if report.measured.line.latency_p95_s is None:
        return []
    return [
        "<h2>Latency</h2>",
        f"<div class='plot'>{latency_plot(report.measured.series, report.limits.max_latency_s)}</div>",
        f"<p class='note'>{_LATENCY_NOTE}</p>",
    ]


def _case_row(case: Case) -> str:
    advice = f"<small>{escape(case.advice)}</small>" if case.advice else ""
    return (
        f"<tr><th scope='row'>{escape(case.name)}</th><td class='{case.outcome}'>{case.outcome}</td>"
        f"<td>{escape(case.text)}{advice}</td></tr>"
    )


def _line_rows(report: HilReport) -> list[tuple[str, str]]:
    line, still, recovery = report.measured.line, report.measured.still, report.measured.recovery
    return [
        ("Octets sent", str(line.octets_sent)),
        ("Octets received", str(line.octets_received)),
        ("Packets sent", str(line.packets_sent)),
        ("Packets received", str(line.packets_received)),
        ("Packets received more than once", str(line.packets_duplicate)),
        ("Packets of other senders", str(line.foreign_packets)),
        ("Undetected errors", str(line.undetected_errors)),
        ("Bits compared", str(line.bits_compared)),
        ("Bits wrong", str(line.bits_wrong)),
        ("Latency, minimum", _seconds(line.latency_min_s)),
        ("Latency, median", _seconds(line.latency_median_s)),
        ("Latency, 95 %", _seconds(line.latency_p95_s)),
        ("Still", f"{still.symbols_received} of {still.symbols_sent} packets" if still else DASH),
        ("Break", _seconds(recovery.break_s if recovery else None)),
        ("Recovery", _seconds(recovery.recovery_s if recovery else None)),
        ("Ports that disappeared", str(recovery.outages) if recovery else DASH),
        ("This test took", f"{report.measured.wall_s:.1f} s"),
    ]


def _setting_rows(report: HilReport) -> list[tuple[str, str]]:
    settings, limits = report.settings, report.limits
    return [
        ("Port", settings.port),
        ("Peer", settings.peer or DASH),
        ("Travels as", {"stream": "octets", "packet": "whole packets"}[settings.kind]),
        ("Payload phase", f"{settings.seconds:g} s"),
        ("Baud rate", f"{settings.baud_rate} Bd"),
        ("Bit rate", f"{settings.bitrate_bps} bit/s"),
        ("Error protection", settings.preset or "none"),
        ("Callsign", settings.callsign),
        ("Security", settings.security),
        ("Seed", str(settings.seed)),
        ("Broken by", settings.break_command or "closing the ports"),
        ("Mended by", settings.mend_command or (DASH if settings.break_command else "opening them again")),
        ("Largest loss", f"{100 * limits.max_loss:g} %"),
        ("Largest bit error rate", f"{limits.max_ber:g}"),
        ("Least throughput", f"{100 * limits.min_throughput_share:g} %"),
        ("Largest latency", f"{limits.max_latency_s:.3g} s"),
        ("Longest recovery", f"{limits.max_recovery_s:g} s"),
    ]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table class='figures'>{body}</table>"


def _seconds(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f} s"
