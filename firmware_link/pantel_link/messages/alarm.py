"""Alarms: an object of a class has come into a zone, or has left it.

::

    | number 8 | began 1 | class 7 | age 12 | reserved 4 | left 8 | top 8 | right 8 | bottom 8 |  zone  |

The zone's name is UTF-8, with zeros behind it, and has what is left of the payload.
"""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.errors import PacketError
from pantel_link.messages.text import printable
from pantel_link.region import Region

__all__ = ["ALARM_NUMBERS", "Alarm", "AlarmError"]

_FIELDS = (
    BitField("number", 8),
    BitField("began", 1),
    BitField("class_id", 7),
    BitField("age", 12),
    BitField("reserved", 4),
    BitField("left", 8),
    BitField("top", 8),
    BitField("right", 8),
    BitField("bottom", 8),
)
_HEAD_OCTETS = packed_octets(_FIELDS)
ALARM_NUMBERS = 1 << _FIELDS[0].bits
_AGE_STEPS_PER_S = 10
_MAX_AGE_STEPS = (1 << _FIELDS[3].bits) - 1


class AlarmError(PacketError):
    """An alarm that is too short, or about a place that is none."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an alarm says.

    Attributes:
        number: Counts the alarms of a sender, modulo 256. That an object left has the number of its coming.
        began: Whether the object came into the zone; False if it left.
        class_id: What it is, 0..127: 0 if that is not known, else one more than its number among COCO's 80 classes.
        age_s: How long before the packet's time stamp it happened [s], in steps of 0.1; 409.5 stands for more, too.
        region: The box around the object.
        zone: Name of the zone.
    """

    number: int
    began: bool
    class_id: int
    age_s: float
    region: Region
    zone: str

    def to_payload(self, limit_octets: int) -> bytes:
        """Return the payload; the end of a name that does not fit is cut off, at a whole character.

        Args:
            limit_octets: Size of the largest payload, at least 8.

        Raises:
            ValueError: A number does not fit its field.
        """
        left, top, right, bottom = self.region.to_steps()
        head = pack_fields(
            _FIELDS,
            {
                "number": self.number,
                "began": int(self.began),
                "class_id": self.class_id,
                "age": min(max(round(self.age_s * _AGE_STEPS_PER_S), 0), _MAX_AGE_STEPS),
                "reserved": 0,
                "left": left,
                "top": top,
                "right": right,
                "bottom": bottom,
            },
        )
        name = printable(self.zone).encode()[: limit_octets - _HEAD_OCTETS]
        return head + name.decode(errors="ignore").encode()

    @classmethod
    def from_payload(cls, payload: bytes) -> Alarm:
        """Read a payload; zeros at its end are padding.

        Raises:
            AlarmError: It is too short, or there is nothing in its box.
        """
        if len(payload) < _HEAD_OCTETS:
            raise AlarmError(f"alarm of {len(payload)} octets is too short")
        values = unpack_fields(_FIELDS, payload[:_HEAD_OCTETS])
        try:
            region = Region.from_steps(values["left"], values["top"], values["right"], values["bottom"])
        except ValueError as error:
            raise AlarmError(f"alarm makes no sense: {error}") from error
        return cls(
            number=values["number"],
            began=bool(values["began"]),
            class_id=values["class_id"],
            age_s=values["age"] / _AGE_STEPS_PER_S,
            region=region,
            zone=printable(payload[_HEAD_OCTETS:].rstrip(b"\0").decode(errors="replace")),
        )
