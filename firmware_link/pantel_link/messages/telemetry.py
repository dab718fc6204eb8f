"""Telemetry: measured values of the mast, each with a tag of one octet that says what it is.

A payload is a row of (tag, value) and ends at a tag of 0 or at its end. A reader that meets a tag it does not know
stops there, because only the tag says how long a value is; so new tags come last.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields

from pantel_link.errors import PacketError

__all__ = ["Telemetry", "TelemetryError"]


class TelemetryError(PacketError):
    """A value that is cut off."""


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How a value travels: an integer in units of `step`."""

    tag: int
    layout: str
    step: float


# In the order in which they are sent: what matters most first, because a packet may not have room for all.
_QUANTITIES = {
    "battery_v": _Quantity(1, ">H", 0.001),
    "temperature_c": _Quantity(2, ">h", 0.1),
    "latitude_deg": _Quantity(3, ">i", 1e-7),
    "longitude_deg": _Quantity(4, ">i", 1e-7),
    "altitude_m": _Quantity(5, ">h", 1.0),
    "uptime_s": _Quantity(6, ">I", 1.0),
    "disk_free_mib": _Quantity(7, ">I", 1.0),
    "cpu_temperature_c": _Quantity(8, ">h", 0.1),
}
_NAMES = {quantity.tag: name for name, quantity in _QUANTITIES.items()}
_END = 0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a mast tells of itself; None for what it does not know.

    Attributes:
        battery_v: Voltage of the battery [V], in steps of 1 mV up to 65 V.
        temperature_c: Of the air [deg C], in steps of 0.1.
        latitude_deg: WGS 84, north positive [deg], in steps of 1e-7.
        longitude_deg: WGS 84, east positive [deg].
        altitude_m: Above the ellipsoid [m].
        uptime_s: Since the machine started [s].
        disk_free_mib: Room left for what is kept [MiB].
        cpu_temperature_c: Of the processor [deg C].
    """

    battery_v: float | None = None
    temperature_c: float | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    uptime_s: float | None = None
    disk_free_mib: float | None = None
    cpu_temperature_c: float | None = None

    def to_payload(self, limit_octets: int) -> bytes:
        """Return as much of it as fits; values beyond what can be told are told as the nearest that can."""
        payload = b""
        for name, quantity in _QUANTITIES.items():
            value = getattr(self, name)
            if value is None:
                continue
            item = bytes([quantity.tag]) + _pack(value, quantity)
            if len(payload) + len(item) <= limit_octets:
                payload += item
        return payload

    @classmethod
    def from_payload(cls, payload: bytes) -> Telemetry:
        """Read a payload.

        Raises:
            TelemetryError: A value is cut off.
        """
        values: dict[str, float] = {}
        at = 0
        while at < len(payload) and payload[at] in _NAMES:
            name = _NAMES[payload[at]]
            quantity = _QUANTITIES[name]
            size = struct.calcsize(quantity.layout)
            if at + 1 + size > len(payload):
                raise TelemetryError(f"telemetry ends within {name}")
            (value,) = struct.unpack_from(quantity.layout, payload, at + 1)
            values[name] = round(value * quantity.step, 7)
            at += 1 + size
        return cls(**values)

    def known(self) -> dict[str, float]:
        """Return the values that are known, by name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}


def _pack(value: float, quantity: _Quantity) -> bytes:
    bits = 8 * struct.calcsize(quantity.layout)
    signed = quantity.layout[1].islower()
    lowest = -(1 << bits - 1) if signed else 0
    return struct.pack(quantity.layout, min(max(round(value / quantity.step), lowest), lowest + (1 << bits) - 1))
