"""The back-channel: commands to a mast and acknowledgements, authenticated only, and its replies."""

from pantel_link.back_channel.acknowledge import ACKNOWLEDGED_PACKETS, Acknowledge, Heard
from pantel_link.back_channel.command import (
    AskStill,
    Command,
    CommandError,
    Confirm,
    Outcome,
    Reply,
    SetLine,
    Watch,
    command_from_payload,
    command_to_payload,
)
from pantel_link.back_channel.commander import Commander
from pantel_link.back_channel.listener import CommandListener, NumberedCommand
from pantel_link.region import Region

__all__ = [
    "ACKNOWLEDGED_PACKETS",
    "Acknowledge",
    "AskStill",
    "Command",
    "CommandError",
    "CommandListener",
    "Commander",
    "Confirm",
    "Heard",
    "NumberedCommand",
    "Outcome",
    "Region",
    "Reply",
    "SetLine",
    "Watch",
    "command_from_payload",
    "command_to_payload",
]
