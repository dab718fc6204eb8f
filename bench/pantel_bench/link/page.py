"""The link benchmark's results for people: a table for the terminal, and a page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_bench.link.bars import BarGroup, bar_plot
from pantel_bench.link.cases import PUBLISHED
from pantel_bench.link.line import Line
from pantel_bench.link.measure import LinkRow
from pantel_bench.link.report import Condition, LinkReport
from pantel_bench.link.traffic import CONTENT_SYMBOLS
from pantel_bench.pages.parts import page, quantity, thousands, tile
from pantel_link import LengthClass, Preset
from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["to_html", "to_table"]

_HEADINGS = (
    "profile",
    "length",
    "BER",
    "erased",
    "bursts",
    "preset",
    "packets",
    "delivered",
    "symbols",
    "stills",
    "goodput",
    "capacity",
    "ratio",
    "undetected",
    "best",
)
_WIDTHS = (7, 6, 6, 6, 8, 8, 7, 9, 7, 9, 7, 8, 6, 10, 4)
_SSDV = PUBLISHED[0].name


def to_table(report: LinkReport) -> str:
    """Return a line of text for each row, and one for each published figure."""
    lines = [_line(_HEADINGS)]
    for condition in report.conditions:
        lines += [_line(_cells(row, best=row is condition.best)) for row in condition.rows]
    lines += [
        f"{each.name}, published: {each.ratio:.3f} at BER {each.line.bit_error_rate:g} ({each.source})"
        for each in PUBLISHED
    ]
    lines.append(f"{report.cpu_s:.0f} s of computing time")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def to_html(report: LinkReport) -> bytes:
    """Return the report as one HTML file that needs no other."""
    undetected = sum(row.undetected_errors for row in report.rows)
    packets = sum(row.packets for row in report.rows)
    lead = (
        f"Packets with keyed trailers crossed simulated lines of {DEFAULT_BITRATE_BPS} bit/s. Goodput counts what came "
        f"whole: files of {CONTENT_SYMBOLS} symbols, sent with as many more as make 99 % of them arrive, or the "
        "payload of live packets. Ratio is goodput over Shannon's capacity."
    )
    tiles = [tile(undetected, 0, "", f"undetected errors in {thousands(packets)} packets"), *_tiles(report.conditions)]
    parts = [
        "<h1>Goodput over capacity</h1>",
        f"<p class='lead'>{escape(lead)}</p>",
        f"<div class='tiles'>{''.join(tiles)}</div>",
        f"<div class='plots'>{''.join(_plots(report.conditions))}</div>",
        _table(report.conditions),
        f"<p class='note'>{escape(_note())}</p>",
    ]
    return page("pantel bench link", parts)


def _tiles(conditions: Sequence[Condition]) -> list[str]:
    """Return the best ratio of stills on each stream."""
    return [
        tile(each.best.ratio, 2, "", f"stills, {', '.join(filter(None, _labels(each.line)))}: {each.best.case.preset}")
        for each in conditions
        if (each.profile, each.length) == ("stream", LengthClass.STILL)
    ]


def _plots(conditions: Sequence[Condition]) -> list[str]:
    plots = []
    for length, title in ((LengthClass.STILL, "stills"), (LengthClass.LIVE, "live packets")):
        streams = [each for each in conditions if (each.profile, each.length) == ("stream", length)]
        if streams:
            groups = [_group(each) for each in streams]
            mark = f"{_SSDV}, published" if any(group.mark is not None for group in groups) else ""
            plots.append(bar_plot(f"Ratio of {title}, by bit error rate and erasures", groups, tuple(Preset), mark))
    return plots


def _group(condition: Condition) -> BarGroup:
    ratios = {row.case.preset: row.ratio for row in condition.rows}
    values = [ratios.get(preset) for preset in Preset]
    published = {each.line: each.ratio for each in PUBLISHED} if condition.length is LengthClass.STILL else {}
    return BarGroup(_labels(condition.line), values, published.get(condition.line))


def _labels(line: Line) -> tuple[str, str]:
    if line.bursts is not None:
        return "bursts", ""
    return f"BER {line.bit_error_rate:g}", f"{line.erasure:.0%} erased"


def _table(conditions: Sequence[Condition]) -> str:
    head = "".join(f"<th scope='col' style='text-align:right'>{escape(heading)}</th>" for heading in _HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(row, best=row is condition.best))}</tr>"
        for condition in conditions
        for row in condition.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _note() -> str:
    figures = ", ".join(f"{each.ratio:.3f} at a bit error rate of {each.line.bit_error_rate:g}" for each in PUBLISHED)
    return f"{_SSDV}, published: {figures} ({PUBLISHED[0].source}). Its lost packets are never repaired."


def _cells(row: LinkRow, *, best: bool) -> tuple[str, ...]:
    line = row.case.line
    stills = "-" if row.stills is None else f"{row.stills_complete}/{row.stills}"
    return (
        row.case.profile_name,
        str(row.case.length),
        f"{line.bit_error_rate:g}",
        f"{line.erasure:.0%}",
        "no" if line.bursts is None else f"{line.bursts.mean_length_octets:g}/{line.bursts.mean_gap_octets:g}",
        row.case.preset_name,
        str(row.packets),
        str(row.packets_delivered),
        "-" if row.symbols is None else str(row.symbols),
        stills,
        f"{row.goodput_bps:.1f}",
        f"{row.capacity_bps:.1f}",
        quantity(row.ratio, 3),
        str(row.undetected_errors),
        "*" if best else "",
    )


def _line(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
