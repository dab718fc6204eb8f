"""`pantel bench live`: clips cross a simulated line, and what was on show is scored."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from pantel_bench.commands.detector_option import add_detect_every
from pantel_bench.commands.line_options import add_line_options, bitrate, seconds_up_to
from pantel_bench.live.back_channel import compare_back_channel, make_row
from pantel_bench.live.measure import Instruments, measure_clip
from pantel_bench.live.page import ClipSection, to_html, to_lines
from pantel_bench.live.peer_cache import PeerCache
from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.peers import LIVE_PEER_STEPS, live_peers
from pantel_bench.live.recall import JudgedSource
from pantel_bench.live.report import make_report, to_json
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import Lpips
from pantel_bench.rig.settings import PICTURE_PX, PLAYOUT_DELAY_NS, RigSettings
from pantel_codec import MIN_SIDE_PX
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name, share
from pantel_device.observer.detector import open_detector
from pantel_device.progress import progress
from pantel_device.scene_encoding.audience import ASSUMED_LOSS
from pantel_device.scene_encoding.contours.sketch_encoder import SKETCH_BELOW_BPS
from pantel_link import Preset
from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["LIVE"]

_LONGEST_S = 300.0  # both the source and the received pictures are held: 5 MB a second for 320x240
_LONGEST_SIDE_PX = 640


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip",
        type=file_name,
        action="append",
        required=True,
        metavar="FILE",
        help="clip or picture; may be repeated",
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(_LONGEST_S),
        default=60.0,
        metavar="S",
        help="line time for each clip, 1 to 300; shorter clips are played there and back (default: %(default)g)",
    )
    parser.add_argument(
        "--size",
        type=_size,
        default=PICTURE_PX,
        metavar="WxH",
        help="width x height of the pictures [px] (default: {}x{})".format(*PICTURE_PX),
    )
    add_line_options(parser)
    parser.add_argument(
        "--assumed-loss",
        type=share,
        default=ASSUMED_LOSS,
        metavar="P",
        help="share of packets that the sender expects to be lost, as its configuration says (default: %(default)s)",
    )
    parser.add_argument(
        "--preset",
        type=Preset,
        choices=tuple(Preset),
        default=Preset.STANDARD,
        help="error protection (default: %(default)s)",
    )
    parser.add_argument(
        "--bitrate",
        type=bitrate,
        default=DEFAULT_BITRATE_BPS,
        metavar="B",
        help="octets on the line times 8 [bit/s] (default: %(default)s)",
    )
    parser.add_argument(
        "--playout-delay-s",
        type=seconds_up_to(10.0),
        default=PLAYOUT_DELAY_NS / 1e9,
        metavar="S",
        help="from capture to show, 1 to 10; on slow lines news takes longer than the default (%(default)g)",
    )
    parser.add_argument(
        "--detector", metavar="ONNX", help="the sender's, or default for the bundled one; without, motion alone decides"
    )
    add_detect_every(parser, default=5)
    parser.add_argument(
        "--judge", type=file_name, metavar="ONNX", help="looks for objects in source and pictures, a YOLOX export"
    )
    parser.add_argument("--lpips", type=file_name, metavar="NPZ", help="weights of LPIPS (lpips_squeeze_v01.npz)")
    parser.add_argument(
        "--back-channel",
        type=seconds_up_to(_LONGEST_S, shortest_s=0.5),
        nargs="?",
        const=5.0,
        default=0.0,
        metavar="S",
        help="let the receiver acknowledge every so many seconds (5 by default), and compare with a run one way",
    )
    parser.add_argument(
        "--join-s", type=_times, default=(), metavar="T,…", help="times at which further receivers join late [s]"
    )
    parser.add_argument(
        "--losses",
        type=_shares,
        default=(),
        metavar="P,…",
        help="what is left of this sending when so many packets are lost: means over patterns; not with --loss",
    )
    parser.add_argument(
        "--patterns",
        type=int,
        choices=range(1, 101),
        default=6,
        metavar="N",
        help="patterns of losses for each of --losses, 1 to 100 (default: %(default)s)",
    )
    parser.add_argument("--peers", action="store_true", help="measure video codecs and slideshows as well")
    parser.add_argument("--peers-cache", type=file_name, metavar="FILE", help="keep the peers' results in a file")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write a page with tables, pictures and plots")
    parser.add_argument(
        "--video",
        type=file_name,
        metavar="FILE",
        help="write source and pictures side by side; for several clips FILE-CLIP",
    )
    parser.add_argument("--captures", type=Path, metavar="DIR", help="keep what the receivers heard, for pantel replay")


def _run(arguments: argparse.Namespace) -> int:
    cv2.setNumThreads(1)  # times are those of one thread
    names = _names(arguments.clip)
    _check_outputs(arguments, names)
    lpips = Lpips.from_file(arguments.lpips) if arguments.lpips else None
    judge = open_detector(str(arguments.judge or ""))
    if arguments.peers and arguments.judge and not arguments.judge.is_file():
        raise UsageError("with --peers the --judge is a file, by which the cache knows it")
    if arguments.losses and (arguments.loss or arguments.ber or arguments.back_channel):
        raise UsageError("--losses is of a line that is good and one way: leave out --loss, --ber and --back-channel")
    if arguments.peers and arguments.size != PICTURE_PX:
        raise UsageError("--peers choose among settings for {}x{}: leave out --size".format(*PICTURE_PX))
    cache = PeerCache(arguments.peers_cache)
    sections = []
    for clip, name in zip(arguments.clip, names, strict=True):
        settings = RigSettings(
            camera=f"file:{clip}",
            seconds=arguments.seconds,
            size_px=arguments.size,
            bitrate_bps=arguments.bitrate,
            sketch=arguments.bitrate < SKETCH_BELOW_BPS,
            playout_delay_ns=round(arguments.playout_delay_s * 1e9),
            preset=arguments.preset,
            bit_error_rate=arguments.ber,
            loss=arguments.loss,
            seed=arguments.seed,
            assumed_loss=arguments.assumed_loss,
            detector=arguments.detector or "",
            detect_every=arguments.detect_every,
            acknowledge_s=arguments.back_channel,
        )
        source = ClipSource(settings.camera, settings.seconds, size_px=settings.size_px)
        video = _video(arguments.video, name, len(names))
        capture = arguments.captures / f"{name}.pcapng" if arguments.captures else None
        judged = JudgedSource(source, judge) if judge is not None else None
        instruments = Instruments(lpips, judged, arguments.join_s, arguments.losses, arguments.patterns)
        result = measure_clip(settings, source, instruments, capture=capture, video=video)
        peers: Sequence[PeerRow] = []
        if arguments.peers:
            key = cache.key(source, settings.bitrate_bps, settings.playout_delay_s, (arguments.lpips, arguments.judge))
            peers = _peers(source, settings, instruments, cache, key)
        back_channel = None
        if settings.acknowledge_s:
            row = make_row(settings, result.scores, result.findings)
            back_channel = compare_back_channel(settings, source, row)
        report = make_report(result, peers, back_channel)
        sys.stdout.write(to_lines([report]))
        sys.stdout.flush()
        sections.append(ClipSection(report, result.stills, video.name if video else None))
    if arguments.json:
        write_atomically(arguments.json, to_json([section.report for section in sections]))
    if arguments.report:
        write_atomically(arguments.report, to_html(sections))
    return 0


def _peers(
    source: ClipSource, settings: RigSettings, instruments: Instruments, cache: PeerCache, key: str
) -> Sequence[PeerRow]:
    """Return the figures of the peers, measured or remembered."""
    rows = cache.get(key)
    if rows is None:
        with progress(LIVE_PEER_STEPS, f"peers of {Path(source.camera).stem}", every_s=5) as done:
            rows = live_peers(
                source,
                bitrate_bps=settings.bitrate_bps,
                delay_s=settings.playout_delay_s,
                lpips=instruments.lpips,
                judged=instruments.judged,
                done=done,
            )
        cache.put(key, rows)
    return rows


def _names(clips: Sequence[Path]) -> list[str]:
    """Return a name for each clip by which its files are told apart."""
    names = [clip.stem for clip in clips]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two clips are named {name}; rename one, or measure them one by one")
    return names


def _video(path: Path | None, name: str, clips: int) -> Path | None:
    """Return the place of a clip's video."""
    return path.with_name(f"{path.stem}-{name}{path.suffix}") if path is not None and clips > 1 else path


def _check_outputs(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    if arguments.captures:
        try:
            arguments.captures.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {arguments.captures}: {error.strerror}; name another") from error
    videos = [_video(arguments.video, name, len(names)) for name in names]
    check_outputs((arguments.json, arguments.report, arguments.peers_cache, *videos))


def _times(text: str) -> tuple[float, ...]:
    try:
        times_s = tuple(float(part) for part in text.split(","))
    except ValueError:
        times_s = (-1.0,)
    if not all(0.0 <= time_s <= _LONGEST_S for time_s in times_s):
        raise argparse.ArgumentTypeError(f"{text!r} are no times; write for example 10,20.5")
    return times_s


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not all(
        each.isascii() and each.isdigit() and MIN_SIDE_PX <= int(each) <= _LONGEST_SIDE_PX for each in (width, height)
    ):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size with sides of {MIN_SIDE_PX} to {_LONGEST_SIDE_PX}; write for example 640x480"
        )
    return int(width), int(height)


def _shares(text: str) -> tuple[float, ...]:
    return tuple(share(part) for part in text.split(","))


LIVE = Command(
    "live", "live pictures of clips over a simulated line: ours and, with --peers, others", _add_arguments, _run
)
