"""The profile of the link that fits a port."""

from __future__ import annotations

from pantel_link import PacketProfile, Port, Preset, Profile, StreamProfile
from pantel_link.ports import PacketPort

__all__ = ["line_profile"]


def line_profile(port: Port, preset: Preset) -> Profile:
    """Return how packets leave through a port; packets that arrive whole need no preset."""
    if isinstance(port, PacketPort):
        return PacketProfile(port.max_packet_octets, port.wire_octets)
    return StreamProfile(preset)
