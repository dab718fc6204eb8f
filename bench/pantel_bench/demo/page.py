"""The demo's page: what arrived, beside what was sent, and the figures; one file but for the video beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pantel_bench.demo.report import DemoReport
from pantel_bench.live.scoring import RECOGNIZABLE_MS_SSIM
from pantel_bench.pages.line_plot import Curve
from pantel_bench.pages.parts import Still, page, pair, plot, quantity, scientific, table, thousands, tile
from pantel_bench.rig.meter import WINDOW_S

__all__ = ["to_html"]

_LIMIT_BPS = 1000


def to_html(report: DemoReport, stills: Sequence[Still], *, video: str, data: str) -> bytes:
    """Return the page.

    Args:
        report: The figures.
        stills: Pairs of pictures in the order of time.
        video: Name of the video file beside the page.
        data: Name of the JSON file beside the page.
    """
    width, height = report.size_px
    parts = [
        f"<h1>A picture crosses a {report.bitrate_bps} bit/s line</h1>",
        f"<p class='lead'>{_lead(report)}</p>",
        f"<div class='tiles'>{''.join(tile(*each) for each in _headline(report))}</div>",
        f"<video src='{escape(video, quote=True)}' controls loop muted playsinline preload='metadata'></video>",
        f"<p class='note'>{_video_note(report)}</p>",
        "<h2>Source and received picture</h2>",
        f"<p>{_story(report)}</p>",
        f"<div class='pairs'>{''.join(map(pair, stills))}</div>",
        "<h2>Over time</h2>",
        f"<div class='plots'>{''.join(_plots(report))}</div>",
        "<h2>All figures</h2>",
        f"<div class='tables'>{table(_line_figures(report))}{table(_picture_figures(report))}</div>",
        f"<p class='note'>{_data_note(data)}</p>",
    ]
    return page(f"Pantel demo: {width}x{height} at {report.bitrate_bps} bit/s", parts)


def _lead(report: DemoReport) -> str:
    how = {
        "virtual": "in one process on a virtual clock",
        "real_time": "as processes of their own, in real time",
    }[report.mode]
    over = f"port {escape(report.port)}" if report.port else "a simulated line"
    return (
        f"Sender and receiver ran {how} for {report.seconds:g} s. Camera <code>{escape(report.camera)}</code> was sent "
        f"over {over}; the receiver knows nothing but the {thousands(report.wire_octets)} octets that crossed it."
    )


def _headline(report: DemoReport) -> list[tuple[float | None, int, str, str]]:
    """Return value, decimals, unit and meaning of the figures that matter most."""
    return [
        (report.gross_bps_max_10s, 0, "bit/s", f"most over any {WINDOW_S} s, every octet counted"),
        (report.first_picture_s, 1, "s", f"until MS-SSIM {RECOGNIZABLE_MS_SSIM} was reached"),
        (report.ms_ssim_at_10s, 3, "", "MS-SSIM after 10 s"),
        (report.final_ms_ssim, 3, "", "MS-SSIM at the end"),
        (report.psnr_db, 1, "dB", "PSNR, mean of the run"),
        (report.shown_fps, 1, "/s", "pictures drawn"),
    ]


def _story(report: DemoReport) -> str:
    kilobytes = report.wire_octets / 1000
    favoured = (
        "Where something moves, errors count more, so it comes first and grows sharp first. "
        if report.roi_mask
        else "No region was favoured in this run. "
    )
    return (
        "Until the first packets are through, the receiver shows grey. Then the whole picture appears coarsely, and "
        f"every packet improves what improves most per bit. {favoured}"
        "Every packet can be read without any other, so a lost one costs only its own improvement. "
        f"All of the run together took {kilobytes:.1f} kB."
    )


def _video_note(report: DemoReport) -> str:
    return (
        "Left the source, right what the receiver showed. Both show the same moment: the receiver plays everything "
        f"{report.playout_delay_s:g} s after its capture. Pixels are doubled, not smoothed."
    )


def _data_note(data: str) -> str:
    return (
        f"The same figures, and every instant, stand in <a href='{escape(data, quote=True)}'>{escape(data)}</a>; "
        "docs/reports.md says how they are measured."
    )


def _plots(report: DemoReport) -> list[str]:
    series, end_s = report.series, report.seconds
    limit_octets = _LIMIT_BPS / 8
    octets_scale = max(limit_octets * end_s, report.wire_octets)
    moving = [value for value in series.moving_psnr_db if value is not None]
    psnr = [*series.psnr_db, *moving]
    return [
        plot(
            "Octets on the line",
            [
                Curve("octets written", _points(report, series.wire_octets)),
                Curve(f"{_LIMIT_BPS} bit/s", [(0.0, 0.0), (end_s, limit_octets * end_s)], "limit"),
            ],
            (0.0, octets_scale * 1.05),
        ),
        plot(
            f"Rate over the last {WINDOW_S} s [bit/s]",
            [
                Curve("bit/s", _points(report, series.gross_bps_10s)),
                Curve(f"limit {_LIMIT_BPS} bit/s", [(0.0, _LIMIT_BPS), (end_s, _LIMIT_BPS)], "limit"),
            ],
            (0.0, max(_LIMIT_BPS, report.gross_bps_max_10s) * 1.1),
        ),
        plot(
            "MS-SSIM",
            [
                Curve("whole picture", _points(report, series.ms_ssim)),
                Curve(
                    f"recognizable: {RECOGNIZABLE_MS_SSIM}",
                    [(0.0, RECOGNIZABLE_MS_SSIM), (end_s, RECOGNIZABLE_MS_SSIM)],
                    "limit",
                ),
            ],
            (0.0, 1.0),
        ),
        plot(
            "PSNR [dB]",
            [
                Curve("whole picture", _points(report, series.psnr_db)),
                *([Curve("moving region", _points(report, series.moving_psnr_db), "second")] if moving else []),
            ],
            (max(0.0, min(psnr) - 1.0), max(psnr) + 1.0),
        ),
    ]


def _points(report: DemoReport, values: Sequence[float | None]) -> list[tuple[float, float | None]]:
    return list(zip(report.series.t_s, values, strict=True))


def _line_figures(report: DemoReport) -> list[tuple[str, str]]:
    rows = [
        ("Bit rate", f"{report.bitrate_bps} bit/s"),
        ("Error protection", report.preset),
        ("Octets on the wire", thousands(report.wire_octets)),
        ("of them scene payload", f"{100 * report.payload_share:.1f} %"),
        ("of them introductions (IDENT)", thousands(report.ident_octets)),
        ("Packets sent", str(report.packets_sent)),
        ("Packets received", str(report.packets_received)),
        ("Packets lost", str(report.packets_lost)),
        ("Bit error rate, estimated", scientific(report.bit_error_rate)),
    ]
    if report.channel is not None:
        rows += [
            ("Bit error rate, simulated", scientific(report.channel.bit_error_rate)),
            ("Loss, simulated", f"{100 * report.channel.loss:g} %"),
        ]
    return rows


def _picture_figures(report: DemoReport) -> list[tuple[str, str]]:
    width, height = report.size_px
    return [
        ("Picture", f"{width}x{height}, {report.fps:g} captured/s"),
        ("Model", f"{report.model} ({report.model_hash[:8]})"),
        ("PSNR, mean", f"{report.psnr_db:.2f} dB"),
        ("PSNR of the moving regions together", quantity(report.moving_psnr_db, 2, "dB")),
        ("MS-SSIM, mean", f"{report.ms_ssim:.3f}"),
        ("Pictures drawn", f"{report.shown_fps:.2f} /s"),
        ("with new motion, while the source moves", quantity(report.distinct_fps, 2, "/s")),
        ("Encoder, median of a payload", quantity(report.encoder_ms, 1, "ms")),
        ("Generator, median of a picture", quantity(report.generator_ms, 1, "ms")),
        ("Receiver's memory", quantity(report.receiver_max_rss_mib, 0, "MiB")),
        ("This run took", f"{report.wall_s:.1f} s"),
    ]
