"""The link: packets, forward error correction, framing, pacing, ports and a simulated channel.

The core does no I/O: `LinkSender` turns payloads into paced octets and `LinkReceiver` turns octets into
verified packets; ports move the octets, and time is an argument. docs/protocol.md is the format's definition.
`pantel_link.captures` records and repeats what a receiver heard.
"""

from pantel_link.callsign import DEFAULT_CALLSIGN, check_callsign
from pantel_link.channel import Bursts, Channel, ChannelSettings
from pantel_link.clock import Clock, MonotonicClock, VirtualClock
from pantel_link.codeword import CodewordListener, HeardCodeword, SentCodeword
from pantel_link.context import Security, StreamContext
from pantel_link.errors import (
    CallsignError,
    CaptureError,
    EpochUsedUp,
    KeyFileError,
    LinkError,
    PacketError,
    PayloadError,
    PluginError,
    PortClosed,
    PortError,
    PortGone,
    PortNameError,
    SecurityError,
)
from pantel_link.identity import Identity
from pantel_link.keys import Keyring, MasterKey, SenderKey, new_master_key, read_key, write_key
from pantel_link.null_modem import NullModem
from pantel_link.packet import Packet, PacketKind
from pantel_link.ports import Port, ReconnectingPort, memory_pair, open_port
from pantel_link.profiles import PacketProfile, Profile, StreamProfile
from pantel_link.pty_null_modem import PtyNullModem
from pantel_link.receiver import LinkReceiver, ReceivedPacket
from pantel_link.seal import make_seal
from pantel_link.sender import LinkSender, SentListener
from pantel_link.statistics import ReceiverStatistics, SenderStatistics, StreamStatistics
from pantel_link.streams import StreamMemory
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
    "EpochUsedUp",
    "HeardCodeword",
    "Identity",
    "KeyFileError",
    "Keyring",
    "LengthClass",
    "LinkError",
    "LinkReceiver",
    "LinkSender",
    "MasterKey",
    "MonotonicClock",
    "NullModem",
    "Packet",
    "PacketError",
    "PacketKind",
    "PacketProfile",
    "PayloadError",
    "PluginError",
    "Port",
    "PortClosed",
    "PortError",
    "PortGone",
    "PortNameError",
    "Preset",
    "Profile",
    "PtyNullModem",
    "ReceivedPacket",
    "ReceiverStatistics",
    "ReconnectingPort",
    "Security",
    "SecurityError",
    "SenderKey",
    "SenderStatistics",
    "SentCodeword",
    "SentListener",
    "StreamContext",
    "StreamMemory",
    "StreamProfile",
    "StreamStatistics",
    "VirtualClock",
    "WireFormat",
    "check_callsign",
    "make_seal",
    "memory_pair",
    "new_master_key",
    "open_port",
    "read_key",
    "wire_format",
    "write_key",
]
