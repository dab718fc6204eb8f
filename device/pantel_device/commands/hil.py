"""`pantel hil`: the loopback test of a rig."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pantel_codec import MIN_SIDE_PX
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError, used_wrongly
from pantel_device.commands.options import file_name, positive_seconds, share
from pantel_device.config import default_state_dir
from pantel_device.hil import (
    Break,
    Ends,
    HilReport,
    Limits,
    Loopback,
    LoopbackSettings,
    RigSettings,
    ShellSwitch,
    air_time_s,
    judge,
    to_html,
    to_json,
    to_junit,
    to_table,
)
from pantel_device.line_profile import line_profile
from pantel_device.progress import progress
from pantel_device.sending.boot_epoch import next_epoch
from pantel_link import (
    DEFAULT_CALLSIGN,
    CallsignError,
    Clock,
    KeyFileError,
    MonotonicClock,
    Port,
    PortNameError,
    Preset,
    Security,
    SenderKey,
    StreamContext,
    check_callsign,
    open_port,
    read_key,
)
from pantel_link.pacing import DEFAULT_BITRATE_BPS, check_bitrate
from pantel_link.ports import DEFAULT_BAUD_RATE, PacketPort, reconnecting

__all__ = ["COMMAND"]

_MODEL_HASH = b"hil"  # of no model: a receiver that listens in knows that these are no pictures
# Play-out is 1.5 s late. With 0.3 s of hindsight, 0.15 s to look at a frame and up to two packets' air time of 0.4 s
# until one has arrived, 0.25 s are left.
_LATENCY_RESERVE_S = 0.25
_DEFAULTS = Limits(max_latency_s=0.0)
_PROGRESS_INTERVAL_S = 5.0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        required=True,
        metavar="URL",
        help="where to send, as for pantel send: a device, loop://, kiss+tcp://host:port, pty:LINK and others",
    )
    parser.add_argument(
        "--peer", metavar="URL", help="where to receive; without it the port's output must return to its input"
    )
    parser.add_argument(
        "--seconds",
        type=positive_seconds,
        default=30.0,
        metavar="S",
        help="time to send payloads (default: %(default)g)",
    )
    parser.add_argument(
        "--baud-rate", type=_whole, default=DEFAULT_BAUD_RATE, metavar="BD", help="line rate (default: %(default)s)"
    )
    parser.add_argument(
        "--bitrate-bps",
        type=_whole,
        default=DEFAULT_BITRATE_BPS,
        metavar="BPS",
        help="octets on the line times 8 (default: %(default)s)",
    )
    parser.add_argument(
        "--preset",
        choices=[preset.value for preset in Preset],
        default=Preset.STANDARD.value,
        help="error protection where octets travel (default: %(default)s)",
    )
    parser.add_argument(
        "--callsign",
        default=DEFAULT_CALLSIGN,
        metavar="C",
        help="your callsign; the default never goes out on a real port",
    )
    parser.add_argument("--key-file", type=file_name, metavar="FILE", help="test with authenticated packets")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=default_state_dir(),
        metavar="DIR",
        help="where the boot epoch is kept, that of pantel send on this machine (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of what is sent (default: %(default)s)")
    _add_limits(parser.add_argument_group("limits"))
    _add_break(parser.add_argument_group("the break", "Without these the test closes its ports and opens them again."))
    reports = parser.add_argument_group("reports")
    reports.add_argument("--junit", type=file_name, metavar="FILE", help="write the cases as JUnit XML")
    reports.add_argument("--report", type=file_name, metavar="FILE", help="write everything as one HTML page")
    reports.add_argument("--json", type=file_name, metavar="FILE", help="write everything as JSON")


def _add_limits(limits: argparse._ArgumentGroup) -> None:
    limits.add_argument(
        "--max-loss",
        type=share,
        default=_DEFAULTS.max_loss,
        metavar="X",
        help="share of packets that may be lost (default: %(default)g)",
    )
    limits.add_argument(
        "--max-ber",
        type=share,
        default=_DEFAULTS.max_ber,
        metavar="X",
        help="share of bits that may be wrong before correction (default: %(default)g)",
    )
    limits.add_argument(
        "--min-throughput-share",
        type=share,
        default=_DEFAULTS.min_throughput_share,
        metavar="X",
        help="share of the bit rate that must arrive (default: %(default)g)",
    )
    limits.add_argument(
        "--max-latency-s",
        type=positive_seconds,
        metavar="S",
        help=f"for 95 %% of the packets, first octet to delivery (default: air time and {_LATENCY_RESERVE_S:g} s)",
    )
    limits.add_argument(
        "--max-recovery-s",
        type=positive_seconds,
        default=_DEFAULTS.max_recovery_s,
        metavar="S",
        help="from the mend to the first packet (default: %(default)g)",
    )


def _add_break(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--break", dest="break_command", metavar="COMMAND", help="shell command that breaks the line")
    group.add_argument(
        "--mend",
        dest="mend_command",
        metavar="COMMAND",
        help="shell command that mends it; without it the other one must do both",
    )


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    key = None if arguments.key_file is None else _sender_key(arguments.key_file, arguments.callsign)
    clock = MonotonicClock()
    open_again = partial(_open_ends, arguments, clock)
    with ExitStack() as stack:
        ends = open_again()
        stack.callback(ends.close)
        kind = _check_ends(ends, arguments.callsign)
        limits = _limits(arguments, ends)
        loopback = stack.enter_context(
            closing(
                Loopback(
                    ends,
                    open_again,
                    clock,
                    settings=LoopbackSettings(
                        arguments.seconds, arguments.bitrate_bps, Preset(arguments.preset), arguments.seed
                    ),
                    limits=limits,
                    context=_context(arguments, key),
                    key=key,
                    breaks=_breaks(arguments, clock),
                )
            )
        )
        began = datetime.now(UTC)
        with progress(loopback.steps, "hil", every_s=_PROGRESS_INTERVAL_S) as step:
            measured = loopback.run(step)
    settings = _settings(arguments, kind, key)
    report = HilReport(settings, limits, measured, judge(measured, limits), began)
    _write(arguments, report)
    sys.stdout.write(to_table(report))
    return 0 if report.passed else 1


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before anything is opened."""
    try:
        check_bitrate(arguments.bitrate_bps)
    except ValueError as error:
        raise UsageError(f"--bitrate-bps: {error}") from error
    if arguments.peer == arguments.port:
        raise UsageError("--peer is --port; leave it out if the port's output returns to its input")
    if arguments.mend_command and not arguments.break_command:
        raise UsageError("--mend needs --break, which breaks the line before")
    check_outputs((arguments.junit, arguments.report, arguments.json))


def _sender_key(path: Path, callsign: str) -> SenderKey:
    with used_wrongly(KeyFileError):
        read = read_key(path)
    key = read.sender_key(read.sender if isinstance(read, SenderKey) else 0, callsign)
    if key is None:
        raise UsageError(f"{path} is the key of another callsign than {callsign}; set --callsign")
    return key


def _open_ends(arguments: argparse.Namespace, clock: Clock) -> Ends:
    """Open both ends, a new pseudo-terminal first: the other end may be its name."""
    opened: dict[str, Port] = {}
    urls = [arguments.port, *([arguments.peer] if arguments.peer else [])]
    try:
        for url in sorted(urls, key=lambda url: not url.startswith("pty:")):
            opening = partial(open_port, url, baud_rate=arguments.baud_rate, callsign=arguments.callsign)
            with used_wrongly(PortNameError):
                opened[url] = reconnecting(opening(), opening, clock)
    except BaseException:
        for port in opened.values():
            port.close()
        raise
    return Ends(opened[arguments.port], opened[arguments.peer or arguments.port])


def _check_ends(ends: Ends, callsign: str) -> str:
    """Return what travels between the ends."""
    whole = {isinstance(port, PacketPort) for port in ends.ports}
    if len(whole) > 1:
        raise UsageError("one of --port and --peer carries octets and the other one packets; name two of a kind")
    for port in ends.ports:
        try:
            check_callsign(callsign, on_air=port.on_air)
        except CallsignError as error:
            raise UsageError(f"{error} (--callsign, {port.name})") from error
    return "packet" if whole == {True} else "stream"


def _limits(arguments: argparse.Namespace, ends: Ends) -> Limits:
    profile = line_profile(ends.near, Preset(arguments.preset))
    return Limits(
        max_latency_s=arguments.max_latency_s or air_time_s(profile, arguments.bitrate_bps) + _LATENCY_RESERVE_S,
        max_loss=arguments.max_loss,
        max_ber=arguments.max_ber,
        min_throughput_share=arguments.min_throughput_share,
        max_recovery_s=arguments.max_recovery_s,
    )


def _context(arguments: argparse.Namespace, key: SenderKey | None) -> StreamContext:
    return StreamContext(
        sender=0 if key is None else key.sender,
        callsign=arguments.callsign,
        epoch=next_epoch(arguments.state_dir, key),
        model_hash=_MODEL_HASH,
        width_px=MIN_SIDE_PX,
        height_px=MIN_SIDE_PX,
        security=Security.CHECKED if key is None else Security.AUTHENTICATED,
    )


def _breaks(arguments: argparse.Namespace, clock: Clock) -> Break | None:
    if not arguments.break_command:
        return None
    mending = ShellSwitch("--mend", arguments.mend_command, clock) if arguments.mend_command else None
    return Break(ShellSwitch("--break", arguments.break_command, clock), mending)


def _settings(arguments: argparse.Namespace, kind: str, key: SenderKey | None) -> RigSettings:
    return RigSettings(
        port=arguments.port,
        peer=arguments.peer,
        kind=kind,
        seconds=arguments.seconds,
        baud_rate=arguments.baud_rate,
        bitrate_bps=arguments.bitrate_bps,
        preset=arguments.preset if kind == "stream" else None,
        callsign=arguments.callsign,
        security="checked" if key is None else "authenticated",
        seed=arguments.seed,
        break_command=arguments.break_command,
        mend_command=arguments.mend_command,
    )


def _write(arguments: argparse.Namespace, report: HilReport) -> None:
    writers: tuple[tuple[Path | None, Callable[[HilReport], bytes]], ...] = (
        (arguments.junit, to_junit),
        (arguments.report, to_html),
        (arguments.json, to_json),
    )
    for path, to_bytes in writers:
        if path is not None:
            write_atomically(path, to_bytes(report))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


COMMAND = Command(
    "hil", "test a looped line: loss, errors, throughput, latency, a still and a break", _add_arguments, _run
)
