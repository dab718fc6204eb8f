"""Ports: where octets enter and leave. The adapters are imported when their first port is opened."""

from pantel_link.ports.base import Port
from pantel_link.ports.memory import MemoryPort, memory_pair
from pantel_link.ports.reconnecting import ReconnectingPort
from pantel_link.ports.registry import DEFAULT_BAUD_RATE, open_port

__all__ = ["DEFAULT_BAUD_RATE", "MemoryPort", "Port", "ReconnectingPort", "memory_pair", "open_port"]
