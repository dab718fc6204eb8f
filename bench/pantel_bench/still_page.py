"""The results of the still benchmark for people: a table for the terminal, and a page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_bench.metrics import METRICS, Metric
from pantel_bench.pages.parts import image
from pantel_bench.plots import plot_curves
from pantel_bench.still_experiments import EXPERIMENT_HEADINGS, experiment_plots, experiment_rows, experiments_of
from pantel_bench.still_log import LogEntry, pictures_of
from pantel_bench.still_report import StillReport
from pantel_bench.still_resilience import PREFIX_SHARES, mean_resilience
from pantel_bench.still_sheet import MOST_ROWS, contact_sheet, hardest_first, sheet_columns
from pantel_bench.summary import OURS, Mean, curve, means, rate_differences

__all__ = ["to_html", "to_table"]

_MEAN_HEADINGS = (
    "codec",
    "bit/pixel",
    "images",
    "bytes",
    "over entropy",
    *(metric.label for metric in METRICS),
    "encode [ms]",
    "decode [ms]",
)
_ROW_HEADINGS = ("image", "codec", "bit/pixel", "bytes", "file bytes", *(metric.label for metric in METRICS))
_SET_HEADINGS = ("codec", "bit/pixel", "images", "Frechet (SqueezeNet)", "object recall", "objects")
_RESILIENCE_HEADINGS = (
    "bit/pixel",
    "MS-SSIM",
    "30 % of cells lost",
    "the same, inpainted",
    f"PSNR of {', '.join(f'{share:.0%}' for share in PREFIX_SHARES)} of the file [dB]",
    "32-byte payloads, 15 % more bytes: PSNR [dB]",
    "MS-SSIM",
    "region of interest [dB]",
    "the rest [dB]",
)
_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .15em .8em; text-align: right }
td:first-child, th:first-child { text-align: left }
tr:nth-child(even) { background: #f2f2f2 }
img { max-width: 100% }
img.sheet { max-width: none }
"""


def to_table(report: StillReport) -> str:
    """Return the means as lines of text, one for each codec and rate, the highest rate first."""
    lines = [_table_line(_MEAN_HEADINGS)]
    lines += [_table_line(_cells(mean)) for mean in _sorted_means(report)]
    if report.resilience:
        lines.append("; ".join(_RESILIENCE_HEADINGS))
        lines += ["  ".join(row) for row in _resilience_rows(report)]
    lines.append(_models(report))
    lines += [
        f"{unreached.codec} cannot encode {unreached.image} at {unreached.target_bpp:g} bit/pixel"
        for unreached in report.unreached
    ]
    return "\n".join(lines) + "\n"


def to_html(report: StillReport, log: Sequence[LogEntry] = ()) -> bytes:
    """Return the report as one HTML file that needs no other.

    Args:
        report: What a run found.
        log: Experiments; those over the same pictures are shown.

    Raises:
        PlotError: matplotlib is missing.
    """
    title = f"pantel bench still: {len(report.images)} pictures, size {report.size}"
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(_models(report))}</p>",
        "<h2>Means</h2>",
        _html_table(_MEAN_HEADINGS, [_cells(mean) for mean in _sorted_means(report)]),
        *(_plot(report, metric) for metric in METRICS),
        "<h2>Rate at equal quality (BD-rate)</h2>",
        _html_table(
            ("codec", "against", "metric", "rate"),
            [
                (difference.codec, difference.anchor, difference.metric, f"{difference.percent:+.1f} %")
                for difference in rate_differences(report.all_rows)
            ],
        ),
        *_sets(report),
        *_resilience(report),
        *_experiments(report, log),
        *_sheets(report),
        "<h2>Pictures</h2>",
        _html_table(
            _ROW_HEADINGS,
            [
                (
                    row.image,
                    row.codec,
                    f"{row.target_bpp:g}",
                    str(row.bytes_needed),
                    str(row.file_bytes),
                    *(_number(row.scores.value(metric), metric.decimals) for metric in METRICS),
                )
                for row in report.rows
            ],
        ),
        "</html>\n",
    ]
    return "\n".join(parts).encode()


def _sets(report: StillReport) -> list[str]:
    """Return the table of what was measured of all pictures together; nothing without measures."""
    if not any(each.frechet_squeeze is not None or each.objects is not None for each in report.sets):
        return []
    rows = [
        (
            each.codec,
            f"{each.target_bpp:g}",
            str(each.images),
            _number(each.frechet_squeeze, 4),
            _number(each.object_recall, 3),
            _number(each.objects, 0),
        )
        for each in sorted(report.sets, key=lambda each: -each.target_bpp)
    ]
    return ["<h2>All pictures together</h2>", _html_table(_SET_HEADINGS, rows)]


def _resilience(report: StillReport) -> list[str]:
    """Return the table of what is left when parts are missing; nothing if that was not measured."""
    if not report.resilience:
        return []
    heading = "<h2>pantel-faithful, when parts of it are missing</h2>"
    return [heading, _html_table(_RESILIENCE_HEADINGS, _resilience_rows(report))]


def _experiments(report: StillReport, log: Sequence[LogEntry]) -> list[str]:
    """Return table and plots of the experiments; nothing if there are none."""
    experiments = experiments_of(log, pictures_of(report))
    if not experiments:
        return []
    rates = ", ".join(f"{rate:g}" for rate in sorted(report.rates_bpp, reverse=True))
    return [
        "<h2>Experiments</h2>",
        f"<p>Scores by falling rate (of a run of today {rates} bit/pixel).</p>",
        _html_table(EXPERIMENT_HEADINGS, experiment_rows(experiments)),
        *experiment_plots(experiments, report.rates_bpp),
    ]


def _resilience_rows(report: StillReport) -> list[tuple[str, ...]]:
    return [
        (
            f"{each.target_bpp:g}",
            f"{each.ms_ssim:.4f}",
            f"{each.ms_ssim_lost:.4f}",
            f"{each.ms_ssim_inpainted:.4f}",
            " ".join(f"{value:.2f}" for value in each.prefix_psnr_db),
            f"{each.payload_psnr_gain_db:+.2f}",
            f"{each.payload_ms_ssim_gain:+.4f}",
            f"{each.region_gain_db:+.2f}",
            f"{each.rest_gain_db:+.2f}",
        )
        for each in mean_resilience(report.resilience)
    ]


def _sheets(report: StillReport) -> list[str]:
    """Return a contact sheet for each rate, the hardest pictures of our first codec first."""
    parts = []
    for target_bpp in sorted(report.rates_bpp, reverse=True):
        columns = sheet_columns(report.rows, target_bpp)
        if not columns:
            continue
        names = hardest_first(report.rows, columns[0], target_bpp)[:MOST_ROWS]
        sheet = contact_sheet(report.rows, report.sources, target_bpp, names)
        parts += [
            f"<h2>{target_bpp:g} bit/pixel: {escape(', '.join(['source', *columns]))}</h2>",
            f"<p>The lowest MS-SSIM of {escape(columns[0])} first: {escape(', '.join(names))}.</p>",
            image(sheet, "webp", "contact sheet", css_class="sheet"),
        ]
    return parts


def _models(report: StillReport) -> str:
    models = report.models
    return (
        f"model {models.name} ({models.hash[:8]}): encoder {models.encoder_mac_per_pixel:.0f},"
        f" generator {models.generator_mac_per_pixel:.0f} MAC/pixel"
        + (f", enlarger {models.enlarger_mac_per_pixel:.0f}" if models.enlarger_mac_per_pixel else "")
        + "; encoding with its search "
        + ", ".join(f"{macs:.0f} at {rate}" for rate, macs in models.encode_mac_per_pixel.items())
    )


def _cells(mean: Mean) -> tuple[str, ...]:
    return (
        mean.codec,
        f"{mean.target_bpp:g}",
        str(mean.images),
        f"{mean.bytes_needed:.1f}",
        "-" if mean.entropy_bytes is None else f"{mean.bytes_needed / mean.entropy_bytes - 1:+.2%}",
        *(_number(mean.scores.value(metric), metric.decimals) for metric in METRICS),
        _number(mean.encode_ms, 1),
        _number(mean.decode_ms, 1),
    )


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _table_line(cells: Sequence[str]) -> str:
    return f"{cells[0]:<20}" + "".join(f"{cell:>13}" for cell in cells[1:])


def _html_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _plot(report: StillReport, metric: Metric) -> str:
    """Return an image of all curves of a metric; empty text where there is nothing to draw."""
    rows = report.all_rows
    codecs = dict.fromkeys(row.codec for row in rows)
    curves = {codec: points for codec in codecs if (points := curve(rows, codec, metric))}
    if not curves:
        return ""
    png = plot_curves(curves, metric.label, report.rates_bpp, [codec for codec in curves if codec.startswith(OURS)])
    return image(png, "png", f"{metric.label} over the rate")


def _sorted_means(report: StillReport) -> list[Mean]:
    return sorted(means(report.all_rows), key=lambda mean: -mean.target_bpp)
