"""Ports: where octets or packets enter and leave. The adapters are imported when their first port is opened."""

from pantel_link.ports.base import PacketPort, Port, PortFactory
from pantel_link.ports.memory import MemoryPacketPort, MemoryPort, memory_pair, packet_pair
from pantel_link.ports.reconnecting import ReconnectingPacketPort, ReconnectingPort, reconnecting
from pantel_link.ports.registry import DEFAULT_BAUD_RATE, open_port

__all__ = [
    "DEFAULT_BAUD_RATE",
    "MemoryPacketPort",
    "MemoryPort",
    "PacketPort",
    "Port",
    "PortFactory",
    "ReconnectingPacketPort",
    "ReconnectingPort",
    "memory_pair",
    "open_port",
    "packet_pair",
    "reconnecting",
]
