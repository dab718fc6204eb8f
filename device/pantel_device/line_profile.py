"""What fits a line: the profile of the link, and how fast it may be."""

from __future__ import annotations

from math import ceil

from pantel_device.command import UsageError
from pantel_link import PacketProfile, Port, Preset, Profile, StreamProfile
from pantel_link.ports import PacketPort

__all__ = ["check_line_rate", "line_profile"]

_LINE_BITS = 10  # that a UART sends for an octet: 8N1
_TOLERANCE = 0.02  # by which the clocks of the two may differ


def line_profile(port: Port, preset: Preset) -> Profile:
    """Return how packets leave through a port; packets that arrive whole need no preset."""
    if isinstance(port, PacketPort):
        return PacketProfile(port.max_packet_octets, port.wire_octets)
    return StreamProfile(preset)


def check_line_rate(url: str, *, bitrate_bps: int, baud_rate: int) -> None:
    """Refuse a bit rate that a serial device cannot carry: octets would queue up, and all would come ever later.

    Args:
        url: Port; only that of a device has a line rate.
        bitrate_bps: Octets times 8 [bit/s].
        baud_rate: Of the device [Bd].

    Raises:
        UsageError: It cannot.
    """
    needed = bitrate_bps * _LINE_BITS / 8
    if url.startswith("/") and needed > baud_rate * (1 + _TOLERANCE):
        raise UsageError(
            f"bitrate_bps = {bitrate_bps} needs a line of {ceil(needed)} Bd, and baud_rate is {baud_rate}: set more "
            f"at both ends if the line takes it, or bitrate_bps = {baud_rate * 8 // _LINE_BITS}"
        )
