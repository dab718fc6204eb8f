"""The masts benchmark's results for people: lines for the terminal, and a page."""

from __future__ import annotations

from html import escape

from pantel_bench.masts.measure import MastsResult
from pantel_bench.masts.report import processor_share
from pantel_bench.masts.settings import MastsSettings
from pantel_bench.pages.parts import grid, page, quantity, table, thousands, tile

__all__ = ["to_html", "to_lines"]

_HEADINGS = ("mast", "first picture [s]", "pictures", "pictures/s")


def to_lines(settings: MastsSettings, result: MastsResult) -> str:
    """Return a line of text for each figure, and one for each mast that was watched."""
    figures = _figures(settings, result)
    width = max(len(name) for name, _ in figures)
    lines = [f"{name:<{width}}  {value}" for name, value in figures]
    lines += [
        f"{name}: {pictures_per_s} pictures/s from {first} s on" for name, first, _, pictures_per_s in _cells(result)
    ]
    return "\n".join(lines) + "\n"


def to_html(settings: MastsSettings, result: MastsResult) -> bytes:
    """Return the page."""
    received = result.received
    share = "lines" if not settings.shared else "shared lines"
    lead = (
        f"{settings.masts} masts at {settings.bitrate_bps} bit/s over {settings.lines} {share} into one receiver, for "
        f"{settings.seconds:g} s; {settings.watched} of them were watched."
    )
    tiles = [
        tile(result.packets_dropped, 0, "", f"of {thousands(result.packets_sent)} packets dropped"),
        tile(processor_share(settings, result), 2, "", "of one processor core"),
        tile(received.max_rss_mib, 0, "MiB", "of memory at most"),
        tile(min((mast.pictures_per_s for mast in received.watched), default=None), 2, "", "pictures/s at least"),
    ]
    parts = [
        "<h1>Many masts into one receiver</h1>",
        f"<p class='lead'>{escape(lead)}</p>",
        f"<div class='tiles'>{''.join(tiles)}</div>",
        table(_figures(settings, result)),
        "<h2>Masts that were watched</h2>",
        grid(_HEADINGS, _cells(result)),
        "<p class='note'>docs/reports.md says how the figures are measured.</p>",
    ]
    return page("pantel bench masts", parts)


def _figures(settings: MastsSettings, result: MastsResult) -> list[tuple[str, str]]:
    received = result.received
    return [
        ("masts heard", f"{received.masts} of {settings.masts}"),
        ("octets read", f"{thousands(received.octets)} of {thousands(result.octets_sent)}"),
        ("packets received", f"{thousands(received.packets)} of {thousands(result.packets_sent)}"),
        ("packets dropped", thousands(result.packets_dropped)),
        ("payloads damaged", thousands(received.payloads_damaged)),
        ("pictures", thousands(received.pictures)),
        ("processor time", f"{received.cpu_s:.0f} s, {processor_share(settings, result):.3f} of one core"),
        ("longest step", f"{1000 * received.longest_step_s:.0f} ms; {received.slow_steps} of more than 100 ms"),
        ("longest backlog", f"{received.backlog_octets} octets on a line"),
        ("memory", quantity(received.max_rss_mib, 0, "MiB")),
    ]


def _cells(result: MastsResult) -> list[tuple[str, str, str, str]]:
    return [
        (mast.name, f"{mast.first_picture_s:.1f}", thousands(mast.pictures), f"{mast.pictures_per_s:.2f}")
        for mast in result.received.watched
    ]
