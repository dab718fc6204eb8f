"""The modem benchmark's results for people: lines for the terminal, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_bench.live.scoring import RECOGNIZABLE_MS_SSIM
from pantel_bench.modem.report import LAST_S, ModemRow
from pantel_bench.pages.line_plot import Curve
from pantel_bench.pages.parts import Still, grid, page, pair, plot, quantity, scientific
from pantel_bench.rig.settings import PLAYOUT_DELAY_NS, RigSettings

__all__ = ["to_html", "to_lines"]

_HEADINGS = (
    "way",
    "profile",
    "first [s]",
    "PSNR [dB]",
    "moving [dB]",
    "MS-SSIM",
    f"last {LAST_S} s",
    "shown/s",
    "distinct/s",
    "bit/s",
    "sent",
    "lost",
    "BER",
)


def to_lines(rows: Sequence[ModemRow]) -> str:
    """Return a line of text for each way, under headings."""
    table = [_HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "".join(
        "  ".join([cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]) + "\n"
        for cells in table
    )


def to_html(settings: RigSettings, rows: Sequence[ModemRow], stills: Sequence[Still]) -> bytes:
    """Return the page.

    Args:
        settings: Of the run.
        rows: The figures.
        stills: What each way showed at the end, beside the source.
    """
    psnr = [value for row in rows for value in row.series.psnr_db]
    lead = (
        f"Camera <code>{escape(settings.camera)}</code> for {settings.seconds:g} s at {settings.bitrate_bps} bit/s, "
        "through modem programs that are joined by audio, and through a simulated line for each profile. All show "
        f"what was seen {PLAYOUT_DELAY_NS / 1e9:g} s before."
    )
    note = (
        f"First: until MS-SSIM {RECOGNIZABLE_MS_SSIM} was reached. docs/reports.md says how the figures are measured."
    )
    parts = [
        "<h1>The same scene through real modems</h1>",
        f"<p class='lead'>{lead}</p>",
        grid(_HEADINGS, [_cells(row) for row in rows]),
        "<h2>Over time</h2>",
        "<div class='plots'>",
        *(
            plot(
                f"PSNR [dB], {_name(row)}",
                [Curve("whole picture", list(zip(row.series.t_s, row.series.psnr_db, strict=True)))],
                (min(psnr) - 1.0, max(psnr) + 1.0),
            )
            for row in rows
        ),
        "</div>",
        "<h2>At the end: source and received picture</h2>",
        "<div class='pairs'>",
        *(f"<div><h3>{_name(row)}</h3>{pair(still)}</div>" for row, still in zip(rows, stills, strict=True)),
        "</div>",
        f"<p class='note'>{note}</p>",
    ]
    return page("pantel bench modem", parts)


def _name(row: ModemRow) -> str:
    """Return what a way is called, in plain text."""
    if row.snr_db is not None:
        return f"{row.modem}, {row.snr_db:g} dB SNR"
    return row.modem


def _cells(row: ModemRow) -> tuple[str, ...]:
    return (
        _name(row),
        row.profile,
        quantity(row.first_picture_s, 1),
        f"{row.psnr_db:.2f}",
        quantity(row.moving_psnr_db, 2),
        f"{row.ms_ssim:.3f}",
        f"{row.ms_ssim_last_5s:.3f}",
        f"{row.shown_fps:.1f}",
        quantity(row.distinct_fps, 1),
        f"{row.gross_bps_max_10s:.0f}",
        str(row.packets_sent),
        str(row.packets_lost),
        scientific(row.bit_error_rate),
    )
