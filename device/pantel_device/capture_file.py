"""The capture that a daemon writes, as its configuration wants it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pantel_device.atomic_file import check_writable
from pantel_device.command import used_wrongly
from pantel_device.config.line import LineConfig
from pantel_device.wall_clock import utc_offset_ns
from pantel_link import CaptureError, Clock, Port
from pantel_link.captures import CaptureHeader, CaptureLimits, CaptureWriter, LinkType
from pantel_link.ports import PacketPort

__all__ = ["check_capture", "open_capture"]

_NS_PER_S = 1_000_000_000


def check_capture(config: LineConfig) -> None:
    """Check before the work that a capture will have a place.

    Raises:
        UsageError: It has none.
    """
    if config.capture:
        check_writable(Path(config.capture))


def open_capture(
    config: LineConfig, port: Port, clock: Clock, header: CaptureHeader, stack: ExitStack, *, callsign: str
) -> CaptureWriter | None:
    """Return what writes the capture that is wanted, to be closed with the stack; None if none is.

    Args:
        config: Names the file and its limits.
        port: What is captured.
        clock: Of the daemon.
        header: How a replay shall receive it; the clock's offset is put in here.
        stack: Closes it.
        callsign: Of those who send here.

    Raises:
        UsageError: The capture's place is taken by another file.
    """
    if not config.capture:
        return None
    with used_wrongly(CaptureError):
        writer = CaptureWriter(
            Path(config.capture),
            replace(
                header,
                clock_offset_ns=utc_offset_ns(clock) or 0,
                crossing_bps=port.crossing_bps if isinstance(port, PacketPort) else None,
            ),
            interface=config.port,
            link_type=LinkType.of_port(port),
            wire_octets=port.wire_octets if isinstance(port, PacketPort) else len,
            callsign=callsign,
            limits=CaptureLimits(
                max_bytes=config.capture_max_bytes,
                max_age_ns=round(config.capture_max_age_s * _NS_PER_S),
                quota_bytes=config.capture_quota_bytes,
            ),
        )
    stack.callback(lambda: writer.close(clock.now_ns()))
    return writer
