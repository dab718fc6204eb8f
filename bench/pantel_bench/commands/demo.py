"""`pantel demo`: a scene crosses a slow line, and a page shows what arrived."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pantel_bench.commands.line_options import add_line_options, seconds_up_to
from pantel_bench.demo.live_page import LivePage, show_live
from pantel_bench.demo.produce import DATA_FILE, PAGE_FILE, VIDEO_FILE, produce
from pantel_bench.errors import BenchError
from pantel_bench.rig.settings import RigSettings
from pantel_device.command import Command, CommandError, UsageError, used_wrongly
from pantel_device.errors import CameraNameError
from pantel_link import DEFAULT_CALLSIGN, CallsignError, check_callsign

__all__ = ["COMMAND"]

_LONGEST_S = 3600.0
_SECONDS = 30.0
_ADDRESS = "127.0.0.1:8080"

_LIVE = ("v4l2", "picamera2")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), metavar="DIR", help="folder for the report (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=seconds_up_to(_LONGEST_S),
        metavar="S",
        help=f"line time, 1 to 3600 (default: {_SECONDS:g}; with --live until Ctrl-C)",
    )
    parser.add_argument(
        "--camera", default="test", metavar="C", help="test, test:SEED or file:PATH (default: %(default)s)"
    )
    parser.add_argument("--no-mask", action="store_true", help="do not favour what moves, to compare")
    add_line_options(parser)
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="sender and receiver as processes of their own, joined by pseudo-terminals, on the real clock",
    )
    parser.add_argument(
        "--live",
        nargs="?",
        const=_ADDRESS,
        metavar="ADDRESS",
        help=f"in real time on the receiver's page, of any camera, until Ctrl-C (default address: {_ADDRESS})",
    )
    parser.add_argument(
        "--port",
        metavar="P",
        help="with --real-time: a port whose output returns to its input, such as loop:// or a UART with a bridge",
    )
    parser.add_argument(
        "--callsign",
        type=_callsign,
        default=DEFAULT_CALLSIGN,
        metavar="C",
        help="your callsign, for a port that leads out of this machine",
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.live is not None and arguments.real_time:
        raise UsageError("--live shows, --real-time measures; leave one of them out")
    if arguments.port is not None and not arguments.real_time:
        raise UsageError("--port needs the real clock; add --real-time")
    if arguments.port is not None and (arguments.ber or arguments.loss):
        raise UsageError("--ber and --loss belong to the simulated line; leave them out with --port")
    if arguments.live is None and arguments.camera.partition(":")[0] in _LIVE:
        raise UsageError(
            f"a demo reads its source twice, to compare, and {arguments.camera} sees everything once; take test or "
            "file:PATH, or add --live"
        )
    settings = RigSettings(
        camera=arguments.camera,
        seconds=_SECONDS if arguments.seconds is None else arguments.seconds,
        bit_error_rate=arguments.ber,
        loss=arguments.loss,
        seed=arguments.seed,
        masked=not arguments.no_mask,
        real_time=arguments.real_time,
        port=arguments.port,
        callsign=arguments.callsign,
    )
    try:
        if arguments.live is not None:
            show_live(settings, LivePage(arguments.live, arguments.out), arguments.seconds)
            return 0
        with used_wrongly(CameraNameError):
            report = produce(settings, arguments.out)
    except BenchError as error:
        raise CommandError(str(error)) from error
    at_10s = "" if report.ms_ssim_at_10s is None else f"MS-SSIM {report.ms_ssim_at_10s:.3f} after 10 s, "
    sys.stdout.write(
        f"at most {report.gross_bps_max_10s:.0f} bit/s over any 10 s, {at_10s}"
        f"{report.final_ms_ssim:.3f} at the end, mean PSNR {report.psnr_db:.2f} dB\n"
    )
    for file in (PAGE_FILE, DATA_FILE, VIDEO_FILE):
        sys.stdout.write(f"{arguments.out / file}\n")
    return 0


def _callsign(text: str) -> str:
    callsign = text.upper()
    try:
        check_callsign(callsign, on_air=False)
    except CallsignError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return callsign


COMMAND = Command("demo", "send a scene over a simulated 960 bit/s line and show what arrives", _add_arguments, _run)
