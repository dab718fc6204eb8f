"""The results of a demo and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from pantel_bench.demo.run import Findings
from pantel_bench.demo.scores import InstantScore, ScoreKeeper
from pantel_bench.demo.settings import PLAYOUT_DELAY_NS, DemoSettings
from pantel_link import LengthClass, wire_format
from pantel_models import find_artefact

__all__ = ["RECOGNIZABLE_MS_SSIM", "Channel", "DemoReport", "Series", "make_report", "to_json"]

RECOGNIZABLE_MS_SSIM = 0.65  # from here on a picture counts as arrived
_ANCHOR_S = 10
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Channel:
    """The simulated line's faults, beside its rate.

    Attributes:
        bit_error_rate: Probability that a bit was inverted.
        loss: Probability that a packet was hit by a drop-out.
        seed: Of everything random.
    """

    bit_error_rate: float
    loss: float
    seed: int


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
    distinct_fps: float
    encoder_ms: float | None
    generator_ms: float | None
    receiver_max_rss_mib: float | None
    wall_s: float
    series: Series


def make_report(
    settings: DemoSettings, findings: Findings, keeper: ScoreKeeper, *, moving_region: str, wall_s: float
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
        channel=Channel(settings.bit_error_rate, settings.loss, settings.seed) if simulated else None,
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
        first_picture_s=next((score.time_s for score in scores if score.ms_ssim >= RECOGNIZABLE_MS_SSIM), None),
        ms_ssim_at_10s=next((score.ms_ssim for score in scores if score.time_s >= _ANCHOR_S), None),
        psnr_db=fmean(score.psnr_db for score in scores),
        ms_ssim=fmean(score.ms_ssim for score in scores),
        moving_psnr_db=_mean_of_present(score.moving_psnr_db for score in scores),
        final_ms_ssim=scores[-1].ms_ssim,
        shown_fps=receiver.pictures / settings.seconds,
        distinct_fps=keeper.distinct / settings.seconds,
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


def _mean_of_present(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that there are, None where there are none."""
    present = [value for value in values if value is not None]
    return fmean(present) if present else None
