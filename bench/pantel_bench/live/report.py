"""The results of the live benchmark and their JSON form; its keys stand in ``docs/reports.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import fmean

from pantel_bench.live.back_channel import BackChannel
from pantel_bench.live.comparison import BestPeer, Lead, best_peers, lead_over_median
from pantel_bench.live.late_join import LateJoin
from pantel_bench.live.losses import LossRow
from pantel_bench.live.measure import ClipResult
from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.scoring import LiveSeries
from pantel_bench.live.shares import Span
from pantel_bench.rig.settings import DISPLAY_INTERVAL_NS, Channel, detector_name
from pantel_link import LengthClass, wire_format
from pantel_models import View, find_artefact, load_scene_codec

__all__ = ["ClipReport", "make_report", "to_json"]

_DECIMALS = 4
_LIBRARIES = ("pantel", "av", "numpy", "onnxruntime", "opencv-python-headless")
_AT_S = 25.0
_FINAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time, one for each display instant; all lists are of equal length.

    Attributes:
        t_s: Time since the capture of the first frame [s].
        psnr_db: PSNR of the whole picture [dB].
        ms_ssim: MS-SSIM of the whole picture.
        moving_psnr_db: PSNR over the moving region [dB]; None where nothing moves.
        lpips: Perceptual distance; None where it was not taken.
        wire_octets: Octets written to the port until then.
        gross_bps_10s: Rate over the 10 s before [bit/s].
    """

    t_s: Sequence[float]
    psnr_db: Sequence[float]
    ms_ssim: Sequence[float]
    moving_psnr_db: Sequence[float | None]
    lpips: Sequence[float | None]
    wire_octets: Sequence[int]
    gross_bps_10s: Sequence[float]


@dataclass(frozen=True, slots=True)
class ClipReport:
    """All figures of one clip; docs/reports.md says what each is and how it is measured."""

    clip: str
    seconds: float
    size_px: tuple[int, int]
    fps: float
    bitrate_bps: int
    preset: str
    detector: str | None
    detect_every: int
    model: str
    model_hash: str
    channel: Channel
    assumed_loss: float
    playout_delay_s: float
    gross_bps_max_10s: float
    wire_octets: int
    payload_octets: int
    ident_octets: int
    payload_share: float
    bits_per_element: Mapping[str, float]
    packets_sent: int
    packets_received: int
    packets_lost: int
    packets_duplicate: int
    bit_error_rate: float | None
    first_picture_s: float | None
    shown_fps: float
    distinct_fps: float | None
    moved_s: float
    psnr_db: float
    ms_ssim: float
    ms_ssim_at_25s: float | None
    ms_ssim_last_5s: float
    moving_psnr_db: float | None
    changed_psnr_db: float | None
    moving_share: float
    lpips: float | None
    lpips_last_third: float | None
    lpips_view: str
    pose_recall: float | None
    object_recall: float | None
    object_recall_ceiling: float | None
    judged_objects: int | None
    late_join_s: float | None
    late_join_known_s: float | None
    losses: Sequence[LossRow]
    late_joins: Sequence[LateJoin]
    sender_ms_per_frame: float | None
    sender_ms_per_frame_p95: float | None
    renderer_ms_per_picture: float | None
    renderer_ms_per_picture_p95: float | None
    receiver_max_rss_mib: float | None
    replay_same_pictures: bool
    replay_pictures: int
    wall_s: float
    series: Series
    spans: Sequence[Span]
    best_peers: Sequence[BestPeer]
    lead_over_median: Lead | None
    peers: Sequence[PeerRow]
    back_channel: BackChannel | None = None


def make_report(
    result: ClipResult, peers: Sequence[PeerRow] = (), back_channel: BackChannel | None = None
) -> ClipReport:
    """Put together what was measured with a clip.

    Args:
        result: Our own figures.
        peers: Those of the competition.
        back_channel: What it was worth; None if there was none.
    """
    settings, scores, recalls = result.settings, result.scores, result.recalls
    sender, receiver = result.findings.sender, result.findings.receiver
    artefact = find_artefact()
    return ClipReport(
        clip=settings.camera.removeprefix("file:"),
        seconds=settings.seconds,
        size_px=settings.size_px,
        fps=settings.fps,
        bitrate_bps=settings.bitrate_bps,
        preset=str(settings.preset),
        detector=detector_name(settings.detector),
        detect_every=settings.detect_every,
        model=artefact.name,
        model_hash=artefact.hash,
        channel=settings.channel,
        assumed_loss=settings.assumed_loss,
        playout_delay_s=settings.playout_delay_s,
        gross_bps_max_10s=sender.meter.max_bps(),
        wire_octets=sender.meter.octets,
        payload_octets=sender.statistics.payload_octets,
        ident_octets=sender.statistics.idents * wire_format(settings.preset, LengthClass.LIVE).wire_octets,
        payload_share=sender.statistics.payload_octets / sender.meter.octets if sender.meter.octets else 0.0,
        bits_per_element={kind: bits / settings.seconds for kind, bits in sorted(sender.element_bits.items())},
        packets_sent=sender.statistics.packets,
        packets_received=receiver.statistics.packets_good,
        packets_lost=receiver.statistics.packets_lost,
        packets_duplicate=receiver.statistics.packets_duplicate,
        bit_error_rate=receiver.statistics.bit_error_rate,
        first_picture_s=scores.first_picture_s,
        shown_fps=scores.shown_fps,
        distinct_fps=scores.distinct_fps,
        moved_s=scores.moved_s,
        psnr_db=scores.psnr_db,
        ms_ssim=scores.ms_ssim,
        ms_ssim_at_25s=_ms_ssim_between(scores.series, _AT_S, _AT_S + 1.0),
        ms_ssim_last_5s=_ms_ssim_between(scores.series, settings.seconds - _FINAL_S, settings.seconds) or 0.0,
        moving_psnr_db=scores.moving_psnr_db,
        changed_psnr_db=scores.changed_psnr_db,
        moving_share=scores.moving_share,
        lpips=scores.lpips,
        lpips_last_third=scores.lpips_last_third,
        lpips_view=load_scene_codec(artefact, view=View.PERCEPTUAL).view,
        pose_recall=recalls.poses.share if recalls else None,
        object_recall=recalls.objects.share if recalls else None,
        object_recall_ceiling=recalls.ceiling.share if recalls else None,
        judged_objects=recalls.poses.wanted if recalls else None,
        late_join_s=_longest_wait(result.joins, known=False),
        late_join_known_s=_longest_wait(result.joins, known=True),
        losses=result.losses,
        late_joins=result.joins,
        sender_ms_per_frame=sender.frame_ms,
        sender_ms_per_frame_p95=sender.frame_p95_ms,
        renderer_ms_per_picture=receiver.picture_ms,
        renderer_ms_per_picture_p95=receiver.picture_p95_ms,
        receiver_max_rss_mib=result.replayed.max_rss_mib,
        replay_same_pictures=result.replayed_same,
        replay_pictures=len(result.replayed.hashes),
        wall_s=result.wall_s,
        series=_series(result),
        spans=result.spans,
        best_peers=best_peers(peers),
        lead_over_median=lead_over_median(scores.series, peers),
        peers=peers,
        back_channel=back_channel,
    )


def to_json(reports: Sequence[ClipReport]) -> bytes:
    """Return the results as a JSON file: those of a single clip at the top, those of several as a list of clips."""
    clips = [asdict(report) for report in reports]
    head: dict[str, object] = {"benchmark": "live", "versions": {name: version(name) for name in _LIBRARIES}}
    body: dict[str, object] = clips[0] if len(clips) == 1 else {"clips": clips}
    return (json.dumps(head | body, indent=1, allow_nan=False) + "\n").encode()


def _ms_ssim_between(series: LiveSeries, begin_s: float, end_s: float) -> float | None:
    """Return the mean MS-SSIM of a time; None if the run was over before."""
    values = [value for time_s, value in zip(series.t_s, series.ms_ssim, strict=True) if begin_s <= time_s < end_s]
    return fmean(values) if values else None


def _longest_wait(joins: Sequence[LateJoin], *, known: bool) -> float | None:
    """Return how long the slowest of the receivers waited; None if there were none or one waited in vain."""
    waits = [join.wait_s for join in joins if join.known is known]
    there = [wait_s for wait_s in waits if wait_s is not None]
    return max(there) if there and len(there) == len(waits) else None


def _series(result: ClipResult) -> Series:
    """Return the values over time; times of the line begin with the first frame, too."""
    series, meter, start_ns = result.scores.series, result.findings.sender.meter, result.findings.sender.start_ns
    times_ns = [start_ns + k * DISPLAY_INTERVAL_NS for k in range(len(series.t_s))]
    return Series(
        t_s=series.t_s,
        psnr_db=[round(value, _DECIMALS) for value in series.psnr_db],
        ms_ssim=[round(value, _DECIMALS) for value in series.ms_ssim],
        moving_psnr_db=_rounded(series.moving_psnr_db),
        lpips=_rounded(series.lpips),
        wire_octets=[meter.octets_until(time_ns) for time_ns in times_ns],
        gross_bps_10s=[round(meter.bps_until(time_ns), _DECIMALS) for time_ns in times_ns],
    )


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, _DECIMALS) for value in values]
