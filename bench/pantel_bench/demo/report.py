"""The results of a demo and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from pantel_bench.live.scoring import InstantScore, ScoreKeeper
from pantel_bench.rig.run import Findings
from pantel_bench.rig.settings import PLAYOUT_DELAY_NS, Channel, RigSettings
from pantel_link import LengthClass, wire_format
from pantel_models import find_artefact

__all__ = ["DemoReport", "Series", "make_report", "to_json"]

_ANCHOR_S = 10
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time, one for each display instant; all lists are of equal length.

    Attributes:
        t_s: Time since the capture of the first frame [s].
        psnr_db: PSNR of the whole picture [dB].
        ms_ssim: MS-SSIM of the whole picture.
        moving_psnr_db: PSNR over the moving region [dB]; None where nothing moves.
        wire_octets: Octets written to the port until then.
        gross_bps_10s: Rate over the 10 s before [bit/s].
    """

    t_s: Sequence[float]
    psnr_db: Sequence[float]
    ms_ssim: Sequence[float]
    moving_psnr_db: Sequence[float | None]
    wire_octets: Sequence[int]
    gross_bps_10s: Sequence[float]


@dataclass(frozen=True, slots=True)
class DemoReport:
    """All figures of a demo; docs/reports.md says what each is and how it is measured."""

    mode: str
    seconds: float
    camera: str
    size_px: tuple[int, int]
    fps: float
    bitrate_bps: int
    preset: str
    model: str
    model_hash: str
    port: str | None
    channel: Channel | None
    roi_mask: bool
    playout_delay_s: float
    moving_region: str
    gross_bps_max_10s: float
    wire_octets: int
    payload_octets: int
    ident_octets: int
    payload_share: float
    packets_sent: int
    packets_received: int
    packets_lost: int
    packets_duplicate: int
    bit_error_rate: float | None
    first_picture_s: float | None
    ms_ssim_at_10s: float | None
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None
    final_ms_ssim: float
    shown_fps: float
    distinct_fps: float | None
    encoder_ms: float | None
    generator_ms: float | None
    receiver_max_rss_mib: float | None
    wall_s: float
    series: Series


def make_report(
    settings: RigSettings, findings: Findings, keeper: ScoreKeeper, *, moving_region: str, wall_s: float
) -> DemoReport:
    """Put together what a run has found.

    Args:
        settings: What was asked for.
        findings: What the ends have measured.
        keeper: The scores, one an instant.
        moving_region: By which rule pixels counted as moving.
        wall_s: Time that everything took [s].
    """
    scores = keeper.scores
    sender, receiver = findings.sender, findings.receiver
    artefact = find_artefact()
    simulated = settings.port is None
    return DemoReport(
        mode="real_time" if settings.real_time else "virtual",
        seconds=settings.seconds,
        camera=settings.camera,
        size_px=settings.size_px,
        fps=settings.fps,
        bitrate_bps=settings.bitrate_bps,
        preset=str(settings.preset),
        model=artefact.name,
        model_hash=artefact.hash,
        port=settings.port,
        channel=settings.channel if simulated else None,
        roi_mask=settings.masked,
        playout_delay_s=PLAYOUT_DELAY_NS / 1e9,
        moving_region=moving_region,
        gross_bps_max_10s=sender.meter.max_bps(),
        wire_octets=sender.meter.octets,
        payload_octets=sender.statistics.payload_octets,
        ident_octets=sender.statistics.idents * wire_format(settings.preset, LengthClass.LIVE).wire_octets,
        payload_share=sender.statistics.payload_octets / sender.meter.octets if sender.meter.octets else 0.0,
        packets_sent=sender.statistics.packets,
        packets_received=receiver.statistics.packets_good,
        packets_lost=receiver.statistics.packets_lost,
        packets_duplicate=receiver.statistics.packets_duplicate,
        bit_error_rate=receiver.statistics.bit_error_rate,
        first_picture_s=keeper.first_picture_s,
        ms_ssim_at_10s=next((score.ms_ssim for score in scores if score.time_s >= _ANCHOR_S), None),
        psnr_db=fmean(score.psnr_db for score in scores),
        ms_ssim=fmean(score.ms_ssim for score in scores),
        moving_psnr_db=keeper.moving.db,
        final_ms_ssim=scores[-1].ms_ssim,
        shown_fps=keeper.shown_fps,
        distinct_fps=keeper.distinct_fps,
        encoder_ms=sender.encoder_ms,
        generator_ms=receiver.generator_ms,
        receiver_max_rss_mib=receiver.max_rss_mib,
        wall_s=wall_s,
        series=_series(findings, scores),
    )


def to_json(report: DemoReport) -> bytes:
    """Return the report as a JSON file."""
    return (json.dumps({"benchmark": "demo", **asdict(report)}, indent=1, allow_nan=False) + "\n").encode()


def _series(findings: Findings, scores: Sequence[InstantScore]) -> Series:
    """Return the values over time; times of the line begin with the first frame, too."""
    meter, start_ns = findings.sender.meter, findings.sender.start_ns
    times_ns = [start_ns + round(score.time_s * 1e9) for score in scores]
    return Series(
        t_s=[score.time_s for score in scores],
        psnr_db=[round(score.psnr_db, _DECIMALS) for score in scores],
        ms_ssim=[round(score.ms_ssim, _DECIMALS) for score in scores],
        moving_psnr_db=[
            None if score.moving_psnr_db is None else round(score.moving_psnr_db, _DECIMALS) for score in scores
        ],
        wire_octets=[meter.octets_until(time_ns) for time_ns in times_ns],
        gross_bps_10s=[round(meter.bps_until(time_ns), _DECIMALS) for time_ns in times_ns],
    )
