"""What a mast can be told, and what it answers.

A command's payload is the upper 16 bits of its number, an octet that says what it is, and its arguments; a reply's is
the lower 16 bits of the number, the outcome, and how the mast sends now.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from pantel_link.errors import PacketError
from pantel_link.region import Region
from pantel_link.wire_format import Preset

__all__ = [
    "AskStill",
    "Command",
    "CommandError",
    "Confirm",
    "Outcome",
    "Reply",
    "SetLine",
    "Watch",
    "command_from_payload",
    "command_to_payload",
    "rollover_of",
]

_NUMBER = struct.Struct(">H")
_STILL = struct.Struct(">H4B")
_LINE = struct.Struct(">HB")
_CONFIRM = struct.Struct(">H")
_WATCH = struct.Struct(">4BH")
_REPLY = struct.Struct(">HBHB")
_PRESETS = tuple(Preset)
_EVERYWHERE = 0, 0, 0, 0  # instead of a region


class CommandError(PacketError):
    """A command or a reply that makes no sense."""


@dataclass(frozen=True, slots=True)
class AskStill:
    """Send a still of what is seen now.

    Attributes:
        still_bytes: Size of the file; 0 for the usual one.
        region: What matters most in it; None for all of it.
    """

    still_bytes: int = 0
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class SetLine:
    """Send so from now on, on trial: without a `Confirm` the mast goes back.

    Attributes:
        bitrate_bps: Bit rate; 0 to leave it.
        preset: Error protection; None to leave it.
    """

    bitrate_bps: int = 0
    preset: Preset | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """You are heard as you send now: stay with it.

    Attributes:
        number: Lower 16 bits of the number of the command that set it.
    """

    number: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Look here: for some time errors in a part of the picture count several times. It takes the place of any before.

    Attributes:
        region: What matters.
        seconds: For how long; 0 to end it.
    """

    region: Region
    seconds: int


Command = AskStill | SetLine | Confirm | Watch


class Outcome(IntEnum):
    """What became of a command."""

    DONE = 0
    REFUSED = 1
    """It cannot be done, such as a bit rate beyond the promise."""
    ON_TRIAL = 2
    """Done until further notice: a confirmation must come."""
    ROLLED_BACK = 3
    """No confirmation came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mast answers.

    Attributes:
        number: Lower 16 bits of the number of the command.
        outcome: What became of it.
        bitrate_bps: How the mast sends now.
        preset: Of error protection, now.
    """

    number: int
    outcome: Outcome
    bitrate_bps: int
    preset: Preset

    def to_payload(self) -> bytes:
        """Return the payload."""
        return _REPLY.pack(self.number, self.outcome, self.bitrate_bps, _PRESETS.index(self.preset))

    @classmethod
    def from_payload(cls, payload: bytes) -> Reply:
        """Read a payload; zeros behind it are padding.

        Raises:
            CommandError: It makes no sense.
        """
        try:
            number, outcome, bitrate_bps, preset = _REPLY.unpack_from(payload)
            return cls(number, Outcome(outcome), bitrate_bps, _PRESETS[preset])
        except (struct.error, ValueError, IndexError) as error:
            raise CommandError(f"reply makes no sense: {error}") from error


class _Code(IntEnum):
    STILL = 1
    LINE = 2
    CONFIRM = 3
    WATCH = 4


def command_to_payload(command: Command, rollover: int) -> bytes:
    """Return the payload of a command.

    Args:
        command: The command.
        rollover: Upper 16 bits of its number.
    """
    head = _NUMBER.pack(rollover)
    match command:
        case AskStill(still_bytes, region):
            steps = _EVERYWHERE if region is None else region.to_steps()
            return head + bytes([_Code.STILL]) + _STILL.pack(still_bytes, *steps)
        case SetLine(bitrate_bps, preset):
            index = len(_PRESETS) if preset is None else _PRESETS.index(preset)
            return head + bytes([_Code.LINE]) + _LINE.pack(bitrate_bps, index)
        case Confirm(number):
            return head + bytes([_Code.CONFIRM]) + _CONFIRM.pack(number)
        case Watch(region, seconds):
            return head + bytes([_Code.WATCH]) + _WATCH.pack(*region.to_steps(), seconds)


def rollover_of(payload: bytes) -> int:
    """Return the upper 16 bits of a command's number; nothing is checked yet.

    Raises:
        CommandError: The payload is too short.
    """
    if len(payload) <= _NUMBER.size:
        raise CommandError(f"command of {len(payload)} octets is too short")
    return int(_NUMBER.unpack_from(payload)[0])


def command_from_payload(payload: bytes) -> Command:
    """Read the payload of a command; zeros behind it are padding.

    Raises:
        CommandError: It makes no sense.
    """
    rollover_of(payload)
    arguments = payload[_NUMBER.size + 1 :]
    try:
        match _Code(payload[_NUMBER.size]):
            case _Code.STILL:
                still_bytes, *steps = _STILL.unpack_from(arguments)
                region = Region.from_steps(*steps) if any(steps) else None
                return AskStill(still_bytes, region)
            case _Code.LINE:
                bitrate_bps, index = _LINE.unpack_from(arguments)
                return SetLine(bitrate_bps, None if index == len(_PRESETS) else _PRESETS[index])
            case _Code.CONFIRM:
                return Confirm(_CONFIRM.unpack_from(arguments)[0])
            case _Code.WATCH:
                *steps, seconds = _WATCH.unpack_from(arguments)
                return Watch(Region.from_steps(*steps), seconds)
    except (struct.error, ValueError, IndexError) as error:
        raise CommandError(f"command makes no sense: {error}") from error
