"""The link: packets, forward error correction, framing, pacing, ports and a simulated channel.

The core does no I/O: `LinkSender` turns payloads into paced octets and `LinkReceiver` turns octets into
verified packets; ports move the octets, and time is an argument. docs/protocol.md is the format's definition.
`pantel_link.captures` records and repeats what a receiver heard.
"""

from pantel_link.callsign import DEFAULT_CALLSIGN, check_callsign
from pantel_link.channel import Bursts, Channel, ChannelSettings
from pantel_link.clock import Clock, MonotonicClock, VirtualClock
from pantel_link.codeword import CodewordListener, HeardCodeword
from pantel_link.context import StreamContext
from pantel_link.errors import (
    CallsignError,
    CaptureError,
    LinkError,
    PacketError,
    PayloadError,
    PortClosed,
    PortError,
    PortGone,
)
from pantel_link.identity import Identity
from pantel_link.null_modem import NullModem
from pantel_link.packet import Packet, PacketKind
from pantel_link.ports import Port, ReconnectingPort, memory_pair, open_port
from pantel_link.pty_null_modem import PtyNullModem
from pantel_link.receiver import LinkReceiver, ReceivedPacket
from pantel_link.sender import LinkSender
from pantel_link.statistics import ReceiverStatistics, SenderStatistics
from pantel_link.wire_format import LengthClass, Preset, WireFormat, wire_format

__all__ = [
    "DEFAULT_CALLSIGN",
    "Bursts",
    "CallsignError",
    "CaptureError",
    "Channel",
    "ChannelSettings",
    "Clock",
    "CodewordListener",
    "HeardCodeword",
    "Identity",
    "LengthClass",
    "LinkError",
    "LinkReceiver",
    "LinkSender",
    "MonotonicClock",
    "NullModem",
    "Packet",
    "PacketError",
    "PacketKind",
    "PayloadError",
    "Port",
    "PortClosed",
    "PortError",
    "PortGone",
    "Preset",
    "PtyNullModem",
    "ReceivedPacket",
    "ReceiverStatistics",
    "ReconnectingPort",
    "SenderStatistics",
    "StreamContext",
    "VirtualClock",
    "WireFormat",
    "check_callsign",
    "memory_pair",
    "open_port",
    "wire_format",
]
