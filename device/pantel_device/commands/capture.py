"""`pantel capture`: what a capture holds, and the dissector for Wireshark."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, used_wrongly
from pantel_device.commands.options import file_name
from pantel_device.printable import printable
from pantel_link import KeyFileError, PacketKind, Security, read_key
from pantel_link.captures import DISSECTOR, CaptureSummary, SenderSummary, read_capture, summarize

__all__ = ["COMMAND"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DISSECTOR_HELP = """\
Prints where the dissector lies; pantel_messages.lua, which it loads, lies beside it. Once:

  wireshark -X lua_script:$(pantel capture dissector) line.pcapng

For good, as links to both in the folder that Wireshark calls Personal Lua Plugins (tshark -G folders):

  mkdir -p ~/.local/lib/wireshark/plugins
  ln -s $(pantel capture dissector) ~/.local/lib/wireshark/plugins/
  ln -s $(dirname $(pantel capture dissector))/pantel_messages.lua ~/.local/lib/wireshark/plugins/

Fields are then named pantel.kind, pantel.ident.callsign, pantel.telemetry.battery_v and so on:

  tshark -r line.pcapng -Y 'pantel.kind == 2 && !pantel.needs_correction' -T fields -e pantel.still.block
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="say who sent what, how much of it arrived, and how good the line was")
    info.add_argument(
        "files", type=file_name, nargs="+", metavar="FILE", help="file written by pantel receive --capture"
    )
    info.add_argument(
        "--key", type=file_name, metavar="FILE", help="key of all senders or of one, to check their packets"
    )
    info.add_argument("--json", type=file_name, metavar="FILE", help="write the figures as JSON")
    info.set_defaults(run_action=_info)
    dissector = actions.add_parser(
        "dissector",
        help="print where the dissector for Wireshark lies",
        description=_DISSECTOR_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    dissector.set_defaults(run_action=_dissector)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run_action(arguments)
    return code


def _dissector(_: argparse.Namespace) -> int:
    sys.stdout.write(f"{DISSECTOR}\n")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    check_outputs([arguments.json], arguments.files)
    with used_wrongly(KeyFileError):
        key = read_key(arguments.key) if arguments.key else None
    files = []
    for path in arguments.files:
        summary = summarize(read_capture(path), key)
        files.append(_figures(path, summary))
        sys.stdout.write("\n".join(_lines(path, summary)) + "\n")
    if arguments.json:
        write_atomically(arguments.json, (json.dumps({"files": files}, indent=1) + "\n").encode())
    return 0


def _figures(path: Path, summary: CaptureSummary) -> dict[str, object]:
    return {
        "capture": str(path),
        "runs": summary.runs,
        "dated": summary.dated,
        "first_s": _seconds(summary.first_ns),
        "seconds": summary.seconds,
        "codewords": summary.codewords,
        "codewords_failed": summary.failed,
        "codewords_failed_share": summary.failed / summary.codewords if summary.codewords else None,
        "codewords_unknown": summary.unknown,
        "codewords_sent": summary.sent,
        "formats": dict(summary.formats),
        "senders": [_sender_figures(sender) for sender in summary.senders],
    }


def _sender_figures(sender: SenderSummary) -> dict[str, object]:
    context = sender.context
    return {
        "callsign": context.callsign,
        "sender": context.sender,
        "epoch": context.epoch,
        "security": context.security.name.lower(),
        "verified": sender.verified,
        "model": context.model_hash.hex(),
        "width_px": context.width_px,
        "height_px": context.height_px,
        "version": context.version,
        "outbound": sender.outbound,
        "packets": {kind.name.lower(): sender.kinds[kind] for kind in PacketKind},
        "packets_per_s": _rate(sender.packets, sender),
        "payload_bps": _rate(8 * sender.payload_octets, sender),
        "wire_bps": _rate(8 * sender.wire_octets, sender),
        "bit_error_rate": sender.bit_error_rate,
        "packets_lost": sender.lost,
        "packet_loss": sender.packet_loss,
        "packets_duplicate": sender.duplicates,
        "packets_replayed": sender.stale,
        "first_s": _seconds(sender.first_ns),
        "last_s": _seconds(sender.last_ns),
        "seconds": sender.seconds,
        "silences": [
            {"begun_s": _seconds(silence.begun_ns), "seconds": silence.seconds} for silence in sender.silences
        ],
        "first_ident_utc_s": sender.first_ident_utc_s,
        "last_ident_utc_s": sender.last_ident_utc_s,
    }


def _lines(path: Path, summary: CaptureSummary) -> list[str]:
    begun = "" if summary.first_ns is None else f" from {_when(summary.first_ns, dated=summary.dated)}"
    formats = ", ".join(f"{count} {name}" for name, count in sorted(summary.formats.items()))
    share = f" ({summary.failed / summary.codewords:.1%})" if summary.codewords else ""
    heard = f"heard: {formats or 'nothing'}; {summary.failed} beyond repair{share}, {summary.unknown} of nobody known"
    lines = [f"{printable(str(path))}: {summary.seconds:.1f} s{begun}, {_count(summary.runs, 'run')}", f"  {heard}"]
    if summary.sent:
        lines.append(f"  sent: {summary.sent}")
    for sender in summary.senders:
        lines += _sender_lines(sender, dated=summary.dated)
    return lines


def _sender_lines(sender: SenderSummary, *, dated: bool) -> list[str]:
    context = sender.context
    name = f"{context.callsign} {'sent' if sender.outbound else 'heard'} as sender {context.sender}"
    picture = f"model {context.model_hash.hex()}, {context.width_px}x{context.height_px}"
    kinds = ", ".join(f"{count} {kind.name.lower()}" for kind, count in sorted(sender.kinds.items()))
    lines = [f"  {name}, epoch {context.epoch}, {_security(sender)}, {picture}", f"    packets: {kinds or 'none'}"]
    if sender.first_ns is not None and sender.last_ns is not None:
        first, last = _when(sender.first_ns, dated=dated), _when(sender.last_ns, dated=dated)
        lines.append(f"    time: {sender.seconds:.1f} s from {first} to {last}; by its own clock {_own_time(sender)}")
        payload_bps, wire_bps = _rate(8 * sender.payload_octets, sender), _rate(8 * sender.wire_octets, sender)
        bits = f"{payload_bps or 0:.0f} bit/s of payload, {wire_bps or 0:.0f} bit/s on the wire"
        lines.append(f"    rates: {_rate(sender.packets, sender) or 0:.2f} packets/s, {bits}")
    if not sender.outbound:
        bits = "-" if sender.bit_error_rate is None else f"{sender.bit_error_rate:.1e}"
        lost = f"{sender.lost} packets lost ({sender.packet_loss or 0:.1%})"
        others = f"{_count(sender.duplicates, 'duplicate')}, {_count(sender.stale, 'recording')}"
        lines.append(f"    errors: bit error rate {bits} before correction; {lost}, {others}")
    if sender.silences:
        silences = ", ".join(f"{each.seconds:.1f} s at {_when(each.begun_ns, dated=dated)}" for each in sender.silences)
        lines.append(f"    longest silences: {silences}")
    return lines


def _security(sender: SenderSummary) -> str:
    security = sender.context.security
    if security is Security.CHECKED:
        return "checked"
    verified = "verified" if sender.verified else "UNVERIFIED: anybody may have made this; name the key with --key"
    return f"{security.name.lower()} ({verified})"


def _own_time(sender: SenderSummary) -> str:
    if sender.first_ident_utc_s is None or sender.last_ident_utc_s is None:
        return "unknown"
    told_s = sender.first_ident_utc_s, sender.last_ident_utc_s
    return " to ".join(_when(utc_s * 1_000_000_000, dated=True) for utc_s in told_s)


def _rate(count: int, sender: SenderSummary) -> float | None:
    return count / sender.seconds if sender.heard_ns else None


def _seconds(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / 1e9


def _when(time_ns: int, *, dated: bool) -> str:
    """Return a time of the file for people: UTC, or seconds of a clock that did not know it."""
    if not dated:
        return f"{time_ns / 1e9:.1f} s"
    time = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


COMMAND = Command("capture", "sum up captures, and show them in Wireshark", _add_arguments, _run)
