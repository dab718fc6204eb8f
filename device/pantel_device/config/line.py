"""What both ends of a line must know of it, and the types that both configurations share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from pantel_link import CallsignError, check_callsign
from pantel_link.pacing import DEFAULT_BITRATE_BPS, check_bitrate
from pantel_link.ports import DEFAULT_BAUD_RATE

__all__ = ["LONGEST_S", "Callsign", "LineConfig", "check_further_lines", "default_state_dir"]

LONGEST_S = 31_536_000.0
"""The longest time that can be set [s], a year: clocks count in nanoseconds, and no infinity has any."""

_NEW_PTY = "pty:"  # each time another one


def default_state_dir() -> Path:
    """Return where a program's state belongs: where systemd says, or the XDG base directory specification."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]  # a service has exactly one
    if given.startswith("/"):
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "pantel"


def _normal_callsign(value: str) -> str:
    """Return a callsign in capital letters."""
    callsign = value.upper()
    try:
        check_callsign(callsign, on_air=False)
    except CallsignError as error:
        raise ValueError(str(error)) from error
    return callsign


Callsign = Annotated[str, AfterValidator(_normal_callsign)]


class LineConfig(BaseModel):
    """What both ends of a line must know of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: str = Field(
        "/dev/serial0",
        min_length=1,
        description="device, pyserial URL or pty:[LINK]; the default is the UART of a Raspberry Pi",
        json_schema_extra={
            "more": (
                "Best under `/dev/serial/by-id/`. URLs of pyserial are such as `socket://host:port`; `pty:` is a "
                "new pseudo-terminal, `pty:/run/line` one with a name. Packets go through `kiss+tcp://host:port`, "
                "`kiss+serial:/dev/ttyUSB0` and `udp://host:port?local=port`. Options behind `?` are in "
                "[operators.md](operators.md#ports). Plug-ins bring others, see [api.md](api.md#a-port)."
            ),
        },
    )
    baud_rate: int = Field(
        DEFAULT_BAUD_RATE,
        gt=0,
        le=100_000_000,
        description="line rate of a serial device [Bd]; 1200 is what slow radios take",
        json_schema_extra={
            "more": (
                "The octets have 8 data bits, no parity, 1 stop bit. A faster line changes nothing about the bit "
                "rate, but a device must be fast enough for it: 3000 bit/s need 3750 Bd."
            ),
        },
    )
    bitrate_bps: int = Field(
        DEFAULT_BITRATE_BPS,
        gt=0,
        description="octets on the line times 8 [bit/s], the same at both ends; 960 fill 1200 Bd (8N1), 7680 9600 Bd",
        json_schema_extra={
            "more": (
                "All octets count. Up to 1000 bit/s no 10 s hold more than 10,000 bit, above that not more than the "
                "rate allows. From about 2,640 on scenes leave in long packets, which are mostly payload, and while "
                "nothing moves from 840 on, on serial lines without a duty cycle. The receiver needs the sender's "
                "value to know how long a packet is on its way. With start and stop bit an octet takes 10 bits."
            ),
            "values": "1 to 10,000",
        },
    )

    capture: str = Field(
        "",
        description="file (pcapng) to append all codewords to, for Wireshark and pantel replay; empty for none",
        json_schema_extra={
            "more": (
                "They are written as they are on the line, before error correction, good or bad, with their time "
                "and what became of them. `pantel capture info` sums them up. A sender's file holds only what was "
                "sent, of which nothing can be replayed. A codeword takes about 150 bytes, a day 30 MB."
            ),
        },
    )
    capture_max_bytes: int = Field(
        50_000_000,
        ge=10_000,
        description="size at which the capture begins a new file [byte]; a day takes 30 million",
        json_schema_extra={
            "more": (
                "The older one is then `line.000001.pcapng` and so on for `line.pcapng`. The default is more than a "
                "day's, so that usually the age decides."
            ),
        },
    )
    capture_max_age_s: float = Field(
        86_400.0,
        ge=60,
        le=LONGEST_S,
        description="time after which the capture begins a new file [s]; a day's are easily found",
        json_schema_extra={"more": "It begins with the next codeword."},
    )
    capture_quota_bytes: int = Field(
        1_000_000_000,
        ge=10_000,
        description="what all files of the capture may take [byte], the oldest go first; the default holds a month",
        json_schema_extra={
            "more": "Nothing else is ever removed. If it is less than `capture_max_bytes`, files are as small as this."
        },
    )

    @field_validator("bitrate_bps")
    @classmethod
    def _possible(cls, value: int) -> int:
        check_bitrate(value)
        return value


def check_further_lines(lines: Sequence[LineConfig], *, port: str, capture: str) -> None:
    """Refuse lines that cannot be told apart, from each other or from the first one.

    Args:
        lines: The further ones.
        port: Of the first one.
        capture: Of the first one; empty for none.

    Raises:
        ValueError: Two have the same port or the same capture, or one has no port.
    """
    ports, captures = {port}, {capture}
    for number, line in enumerate(lines, 1):
        if "port" not in line.model_fields_set:
            raise ValueError(f"line {number} has no port; give it one")
        if line.port in ports - {_NEW_PTY}:
            raise ValueError(f"two lines have the port {line.port}; give each its own")
        if line.capture in captures - {""}:
            raise ValueError(f"two lines have the capture {line.capture}; give each its own")
        ports.add(line.port)
        captures.add(line.capture)
