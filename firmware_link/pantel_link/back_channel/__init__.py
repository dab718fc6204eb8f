"""The back-channel: commands to a mast, authenticated only, and its replies."""

from pantel_link.back_channel.command import (
    AskStill,
    Command,
    CommandError,
    Confirm,
    Outcome,
    Reply,
    SetLine,
    command_from_payload,
    command_to_payload,
)
from pantel_link.back_channel.commander import Commander
from pantel_link.back_channel.listener import CommandListener, NumberedCommand
from pantel_link.region import Region

__all__ = [
    "AskStill",
    "Command",
    "CommandError",
    "CommandListener",
    "Commander",
    "Confirm",
    "NumberedCommand",
    "Outcome",
    "Region",
    "Reply",
    "SetLine",
    "command_from_payload",
    "command_to_payload",
]
