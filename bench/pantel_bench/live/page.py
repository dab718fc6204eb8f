"""The live benchmark's results for people: lines for the terminal, and a page with tables, pictures and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from pantel_bench.live.comparison import MEDIAN_SO_FAR
from pantel_bench.live.report import ClipReport
from pantel_bench.live.scoring import RECOGNIZABLE_MS_SSIM
from pantel_bench.pages.line_plot import Curve
from pantel_bench.pages.parts import Still, grid, page, pair, plot, quantity, scientific, table, thousands, tile
from pantel_bench.rig.meter import WINDOW_S

__all__ = ["ClipSection", "to_html", "to_lines"]

_LIMIT_BPS = 1000
# Key, heading and decimals of the columns in which peers are compared.
_COLUMNS = (
    ("kbps", "kbit/s", 2),
    ("psnr_db", "PSNR [dB]", 2),
    ("moving_psnr_db", "moving PSNR [dB]", 2),
    ("ms_ssim", "MS-SSIM", 3),
    ("lpips", "LPIPS", 3),
    ("lpips_last_third", "last third", 3),
    ("object_recall", "objects", 2),
    ("first_picture_s", "first [s]", 1),
    ("shown_fps", "shown/s", 1),
    ("distinct_fps", "distinct/s", 1),
)

# Label, kinds of elements and style of the curves of shares.
_GROUPS = (
    ("background", ("cells", "seeds"), "ours"),
    ("looks of objects", ("sprites",), "second"),
    ("poses of objects", ("poses", "farewells"), "limit"),
)


@dataclass(frozen=True, slots=True)
class ClipSection:
    """What the page shows of one clip.

    Attributes:
        report: The figures.
        stills: Pairs of pictures in the order of time.
        video: Name of the video file beside the page; None if there is none.
    """

    report: ClipReport
    stills: Sequence[Still]
    video: str | None


def to_lines(reports: Sequence[ClipReport]) -> str:
    """Return the most important figures, a few lines for each clip."""
    return "".join(map(_lines, reports))


def to_html(sections: Sequence[ClipSection]) -> bytes:
    """Return the page; it needs no other file but the videos."""
    parts = [
        "<h1>Live pictures over a slow line</h1>",
        f"<p class='lead'>{_lead(sections[0].report)}</p>",
    ]
    if len(sections) > 1:
        rows = [_row(_name(each.report), _ours(each.report)) for each in sections]
        parts += ["<h2>All clips</h2>", grid(("clip", *(heading for _, heading, _ in _COLUMNS)), rows)]
    for section in sections:
        parts += _section(section)
    return page("pantel bench live", parts)


def _lines(report: ClipReport) -> str:
    objects = ""
    if report.judged_objects is not None:
        objects = (
            f", poses {quantity(report.pose_recall, 2)}, objects {quantity(report.object_recall, 2)} "
            f"of at best {quantity(report.object_recall_ceiling, 2)}"
        )
    same = "the same pictures" if report.replay_same_pictures else "OTHER PICTURES"
    return (
        f"{_name(report)}: at most {report.gross_bps_max_10s:.0f} bit/s over any {WINDOW_S} s, first picture after "
        f"{quantity(report.first_picture_s, 1, 's')}, PSNR {report.psnr_db:.2f} dB, moving "
        f"{quantity(report.moving_psnr_db, 2, 'dB')}, MS-SSIM {report.ms_ssim:.3f}, LPIPS {quantity(report.lpips, 3)}"
        f"{objects}; a replay draws {same}\n{_with_losses(report)}{_worth(report)}"
    )


def _with_losses(report: ClipReport) -> str:
    return "".join(
        f"    with {100 * row.loss:g} % lost (mean of {row.patterns} patterns): PSNR {row.psnr_db:.2f} dB, moving "
        f"{quantity(row.moving_psnr_db, 2, 'dB')} (worst {quantity(row.worst_moving_psnr_db, 2)}), "
        f"MS-SSIM {row.ms_ssim:.3f}\n"
        for row in report.losses
    )


def _worth(report: ClipReport) -> str:
    """Return a line on the back-channel; none without one."""
    back = report.back_channel
    if back is None:
        return ""
    without = back.rows[0]
    return (
        f"    with {back.mean_bps:.0f} bit/s back: {_percent(back.saved_by_ms_ssim)} fewer octets to MS-SSIM "
        f"{without.ms_ssim_last_third:.3f} ({_percent(back.saved_by_ms_ssim_both_ways)} with what goes back), "
        f"{_percent(back.saved_by_psnr)} to {without.psnr_db_last_third:.2f} dB "
        f"({_percent(back.saved_by_psnr_both_ways)})\n"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _lead(report: ClipReport) -> str:
    return (
        f"Sender and receiver ran on a virtual clock, joined by {report.bitrate_bps} bit/s. What was on show is "
        f"compared, ten times a second, with what the camera had seen {report.playout_delay_s:g} s before."
    )


def _section(section: ClipSection) -> list[str]:
    report = section.report
    parts = [
        f"<h2>{escape(_name(report))}, {report.seconds:g} s</h2>",
        f"<div class='tiles'>{''.join(tile(*each) for each in _headline(report))}</div>",
    ]
    if section.video:
        video = escape(section.video, quote=True)
        parts.append(f"<video src='{video}' controls loop muted playsinline preload='metadata'></video>")
    parts.append(f"<div class='pairs'>{''.join(map(pair, section.stills))}</div>")
    if report.peers:
        rows = [_row("Pantel", _ours(report))]
        rows += [_row(f"{peer.peer}, {peer.variant}", asdict(peer)) for peer in report.peers]
        parts.append(grid(("codec", *(heading for _, heading, _ in _COLUMNS)), rows))
    parts += _back_channel(report)
    parts.append(f"<div class='plots'>{''.join(_plots(report))}</div>")
    parts.append(_shares(report))
    parts.append(f"<div class='tables'>{table(_line_figures(report))}{table(_picture_figures(report))}</div>")
    return parts


def _back_channel(report: ClipReport) -> list[str]:
    """Return what acknowledgements were worth; nothing where there were none."""
    back = report.back_channel
    if back is None:
        return []
    headings = ("line", "octets there", "octets back", "PSNR [dB]", "last third", "MS-SSIM", "last third")
    rows = [
        [
            f"{row.bitrate_bps} bit/s, "
            + (f"acknowledged every {row.acknowledge_s:g} s" if row.acknowledge_s else "one way"),
            thousands(row.wire_octets),
            thousands(row.back_octets),
            quantity(row.psnr_db, 2),
            quantity(row.psnr_db_last_third, 2),
            quantity(row.ms_ssim, 3),
            quantity(row.ms_ssim_last_third, 3),
        ]
        for row in back.rows
    ]
    return [
        "<h3>What acknowledgements are worth</h3>",
        f"<p>{escape(_worth(report).strip())}</p>",
        grid(headings, rows),
    ]


def _headline(report: ClipReport) -> list[tuple[float | None, int, str, str]]:
    """Return value, decimals, unit and meaning of the figures that matter most."""
    return [
        (report.gross_bps_max_10s, 0, "bit/s", f"most over any {WINDOW_S} s, every octet counted"),
        (report.first_picture_s, 1, "s", f"until MS-SSIM {RECOGNIZABLE_MS_SSIM} was reached"),
        (report.psnr_db, 1, "dB", "PSNR, mean of the run"),
        (report.moving_psnr_db, 1, "dB", "PSNR of what moves"),
        (report.ms_ssim, 3, "", "MS-SSIM, mean of the run"),
        (report.distinct_fps, 1, "/s", "pictures with new motion, while the source moves"),
    ]


def _plots(report: ClipReport) -> list[str]:
    series, end_s = report.series, report.seconds
    plots = [
        _psnr_plot("PSNR of the whole picture [dB]", report, series.psnr_db, _goal(report)),
        _psnr_plot("PSNR of what moves [dB]", report, series.moving_psnr_db, _best_delivered(report)),
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
            f"Rate over the last {WINDOW_S} s [bit/s]",
            [
                Curve("bit/s", _points(report, series.gross_bps_10s)),
                Curve(f"limit {_LIMIT_BPS} bit/s", [(0.0, _LIMIT_BPS), (end_s, _LIMIT_BPS)], "limit"),
            ],
            (0.0, max(_LIMIT_BPS, report.gross_bps_max_10s) * 1.1),
        ),
    ]
    plots.append(plot("Share of the payload's bits", _share_curves(report), (0.0, 1.0)))
    sampled = [(t_s, value) for t_s, value in zip(series.t_s, series.lpips, strict=True) if value is not None]
    if sampled:
        plots.insert(3, plot("LPIPS", [Curve("whole picture, lower is better", sampled)], (0.0, 1.0)))
    return plots


def _psnr_plot(
    title: str, report: ClipReport, ours: Sequence[float | None], other: tuple[str, Sequence[float | None]] | None
) -> str:
    """Plot our PSNR and, if there is one, that of a peer."""
    curves = [Curve("Pantel", _points(report, ours))]
    if other is not None:
        curves.append(Curve(other[0], _points(report, other[1]), "second"))
    values = [value for _, value in (point for curve in curves for point in curve.points) if value is not None]
    if not values:
        values = [0.0]
    return plot(title, curves, (max(0.0, min(values) - 1.0), min(max(values) + 1.0, 60.0)))


def _goal(report: ClipReport) -> tuple[str, Sequence[float | None]] | None:
    """Return what a background could reach with as many octets."""
    rows = [peer for peer in report.peers if peer.peer == MEDIAN_SO_FAR]
    return ("the median in as many octets, AVIF", rows[0].series.psnr_db) if rows else None


def _best_delivered(report: ClipReport) -> tuple[str, Sequence[float | None]] | None:
    """Return the delivered peer that shows best what moves."""
    delivered = [peer for peer in report.peers if peer.variant == "delivered" and peer.peer != MEDIAN_SO_FAR]
    best = max(delivered, key=lambda peer: peer.moving_psnr_db or 0.0, default=None)
    return (f"{best.peer}, {best.variant}", best.series.moving_psnr_db) if best is not None else None


def _share_curves(report: ClipReport) -> list[Curve]:
    """Return what share of the bits each of the three largest groups of kinds had, as steps."""
    curves = []
    for label, kinds, style in _GROUPS:
        steps: list[tuple[float, float | None]] = []
        for span in report.spans:
            bits = sum(span.bits_per_element.get(kind, 0.0) for kind in kinds)
            share = bits / (sum(span.bits_per_element.values()) or 1.0)
            steps += [(span.begin_s, share), (span.end_s, share)]
        curves.append(Curve(label, steps, style))
    return curves


def _shares(report: ClipReport) -> str:
    """Return a table of what the bits were spent on, beside what there was to tell."""
    kinds = sorted(report.bits_per_element)
    headings = ("time", "objects", "pixels that move", "PSNR of the others", *(f"{kind} [bit/s]" for kind in kinds))
    bps = (f"{report.bits_per_element[kind]:.0f}" for kind in kinds)
    rows = [["whole run", "-", f"{100 * report.moving_share:.1f} %", "-", *bps]]
    rows += [
        [
            f"{span.begin_s:g} to {span.end_s:g} s",
            quantity(span.objects, 1),
            f"{100 * span.moving_share:.1f} %",
            quantity(span.background_psnr_db, 1, "dB"),
            *(f"{span.bits_per_element.get(kind, 0.0):.0f}" for kind in kinds),
        ]
        for span in report.spans
    ]
    return grid(headings, rows)


def _points(report: ClipReport, values: Sequence[float | None]) -> list[tuple[float, float | None]]:
    return list(zip(report.series.t_s, values, strict=True))


def _line_figures(report: ClipReport) -> list[tuple[str, str]]:
    rows = [
        ("Bit rate", f"{report.bitrate_bps} bit/s"),
        ("Error protection", report.preset),
        ("Bit error rate, simulated", scientific(report.channel.bit_error_rate)),
        ("Loss, simulated", f"{100 * report.channel.loss:g} %"),
        ("Loss that the sender expects", f"{100 * report.assumed_loss:g} %"),
        ("Octets on the wire", thousands(report.wire_octets)),
        ("of them scene payload", f"{100 * report.payload_share:.1f} %"),
        ("of them introductions (IDENT)", thousands(report.ident_octets)),
        ("Packets sent", str(report.packets_sent)),
        ("Packets lost", str(report.packets_lost)),
    ]
    rows += [(f"Payload for {kind}", f"{bps:.0f} bit/s") for kind, bps in report.bits_per_element.items()]
    rows += [
        (f"Joined at {join.join_s:g} s, {'known' if join.known else 'unknown'} stream", quantity(join.wait_s, 1, "s"))
        for join in report.late_joins
    ]
    rows += [
        (f"Over what moves with {100 * row.loss:g} % lost", quantity(row.moving_psnr_db, 2, "dB"))
        for row in report.losses
    ]
    return rows


def _picture_figures(report: ClipReport) -> list[tuple[str, str]]:
    return [
        ("Model", f"{report.model} ({report.model_hash[:8]})"),
        ("Pictures drawn", f"{report.shown_fps:.2f} /s"),
        ("Share of the pixels that move", f"{100 * report.moving_share:.1f} %"),
        ("MS-SSIM at 25 s", quantity(report.ms_ssim_at_25s, 3)),
        ("MS-SSIM, last 5 s", f"{report.ms_ssim_last_5s:.3f}"),
        ("LPIPS, last third", quantity(report.lpips_last_third, 3)),
        ("Poses found", quantity(report.pose_recall, 2)),
        ("Objects found", quantity(report.object_recall, 2)),
        ("at best", quantity(report.object_recall_ceiling, 2)),
        ("Sender, mean of a frame", quantity(report.sender_ms_per_frame, 1, "ms")),
        ("Renderer, mean of a picture", quantity(report.renderer_ms_per_picture, 1, "ms")),
        ("Receiver's memory", quantity(report.receiver_max_rss_mib, 0, "MiB")),
        ("Replay in a new process", "the same pictures" if report.replay_same_pictures else "other pictures"),
    ]


def _row(name: str, values: Mapping[str, object]) -> list[str]:
    cells = []
    for key, _, decimals in _COLUMNS:
        value = values.get(key)
        cells.append(quantity(float(value) if isinstance(value, int | float) else None, decimals))
    return [name, *cells]


def _ours(report: ClipReport) -> dict[str, object]:
    """Return our own values in the columns of the peers; our rate is that of the line, not of slices."""
    values = {key: getattr(report, key) for key, _, _ in _COLUMNS if key != "kbps"}
    return {"kbps": 8 * report.wire_octets / report.seconds / 1000, **values}


def _name(report: ClipReport) -> str:
    return Path(report.clip).stem
