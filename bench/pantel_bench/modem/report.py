"""The results of the modem benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from pantel_bench.live.source import FRAME_INTERVAL_NS
from pantel_bench.modem.measure import ModemResult
from pantel_bench.rig.settings import PLAYOUT_DELAY_NS, RigSettings
from pantel_models import find_artefact

__all__ = ["LAST_S", "ModemRow", "ModemSeries", "make_row", "to_json"]

LAST_S = 5
_LAST = LAST_S * 1_000_000_000 // FRAME_INTERVAL_NS
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class ModemSeries:
    """Scores over time, one for each display instant; all lists are of equal length."""

    t_s: Sequence[float]
    psnr_db: Sequence[float]
    ms_ssim: Sequence[float]
    moving_psnr_db: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class ModemRow:
    """All figures of one way; docs/reports.md says what each is."""

    modem: str
    snr_db: float | None
    profile: str
    modem_delay_s: float
    first_picture_s: float | None
    shown_fps: float
    distinct_fps: float | None
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None
    psnr_last_5s_db: float
    ms_ssim_last_5s: float
    gross_bps_max_10s: float
    wire_octets: int
    packets_sent: int
    packets_received: int
    packets_lost: int
    bit_error_rate: float | None
    series: ModemSeries


def make_row(result: ModemResult) -> ModemRow:
    """Put together what was measured on one way."""
    scores, sender, receiver = result.scores, result.sender, result.receiver.statistics
    series = scores.series
    return ModemRow(
        modem=result.case.modem,
        snr_db=result.case.snr_db,
        profile=result.profile,
        modem_delay_s=result.delay_ns / 1e9,
        first_picture_s=scores.first_picture_s,
        shown_fps=scores.shown_fps,
        distinct_fps=scores.distinct_fps,
        psnr_db=scores.psnr_db,
        ms_ssim=scores.ms_ssim,
        moving_psnr_db=scores.moving_psnr_db,
        psnr_last_5s_db=fmean(series.psnr_db[-_LAST:]),
        ms_ssim_last_5s=fmean(series.ms_ssim[-_LAST:]),
        gross_bps_max_10s=sender.meter.max_bps(),
        wire_octets=sender.meter.octets,
        packets_sent=sender.statistics.packets,
        packets_received=receiver.packets_good,
        packets_lost=receiver.packets_lost,
        bit_error_rate=receiver.bit_error_rate,
        series=ModemSeries(
            t_s=series.t_s,
            psnr_db=[round(value, _DECIMALS) for value in series.psnr_db],
            ms_ssim=[round(value, _DECIMALS) for value in series.ms_ssim],
            moving_psnr_db=[None if value is None else round(value, _DECIMALS) for value in series.moving_psnr_db],
        ),
    )


def to_json(settings: RigSettings, rows: Sequence[ModemRow]) -> bytes:
    """Return the results as a JSON file."""
    artefact = find_artefact()
    content = {
        "benchmark": "modem",
        "settings": {
            "camera": settings.camera,
            "seconds": settings.seconds,
            "size_px": settings.size_px,
            "fps": settings.fps,
            "bitrate_bps": settings.bitrate_bps,
            "preset": str(settings.preset),
            "playout_delay_s": PLAYOUT_DELAY_NS / 1e9,
            "seed": settings.seed,
        },
        "versions": {"pantel": importlib.metadata.version("pantel")},
        "model": artefact.name,
        "model_hash": artefact.hash,
        "rows": [asdict(row) for row in rows],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
