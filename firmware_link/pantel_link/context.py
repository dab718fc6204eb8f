"""The context of a stream: what both sides must agree on before a packet means anything."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.callsign import CALLSIGN_BITS, decode_callsign, encode_callsign
from pantel_link.errors import CallsignError, IdentityError

__all__ = ["DESCRIPTION_OCTETS", "MODEL_HASH_OCTETS", "SENDER_BITS", "StreamContext"]

SENDER_BITS = 6
MODEL_HASH_OCTETS = 4

_DESCRIPTION = (
    BitField("epoch", 32),
    BitField("model_hash", 8 * MODEL_HASH_OCTETS),
    BitField("width_minus_1", 10),
    BitField("height_minus_1", 10),
    BitField("reserved", 4),
    BitField("callsign", CALLSIGN_BITS),
)
DESCRIPTION_OCTETS = packed_octets(_DESCRIPTION)


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What an IDENT packet announces and every trailer covers.

    Attributes:
        sender: Number of the sender on its channel, 0..63, as in each packet's header.
        callsign: Callsign of the operator.
        epoch: Boot epoch, 32 bit. It must differ after every start of the sender: sequence numbers restart.
        model_hash: First 4 octets of the hash of the model artefact.
        width_px: Width of the picture, 1..1024.
        height_px: Height of the picture, 1..1024.

    Raises:
        ValueError: A value does not fit its field.
        CallsignError: The callsign is malformed.
    """

    sender: int
    callsign: str
    epoch: int
    model_hash: bytes
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if not 0 <= self.sender < 1 << SENDER_BITS:
            raise ValueError(f"sender is {self.sender} and must lie in 0..{(1 << SENDER_BITS) - 1}")
        if len(self.model_hash) != MODEL_HASH_OCTETS:
            raise ValueError(f"model_hash has {len(self.model_hash)} octets and must have {MODEL_HASH_OCTETS}")
        self.description()

    def description(self) -> bytes:
        """Return the 17 octets that an IDENT packet announces."""
        return pack_fields(
            _DESCRIPTION,
            {
                "epoch": self.epoch,
                "model_hash": int.from_bytes(self.model_hash, "big"),
                "width_minus_1": self.width_px - 1,
                "height_minus_1": self.height_px - 1,
                "reserved": 0,
                "callsign": encode_callsign(self.callsign),
            },
        )

    @classmethod
    def from_description(cls, sender: int, description: bytes) -> StreamContext:
        """Return the context that a sender announces.

        Raises:
            IdentityError: The 17 octets describe no possible stream.
        """
        values = unpack_fields(_DESCRIPTION, description)
        if values["reserved"]:
            raise IdentityError("reserved bits of the stream description are set")
        try:
            callsign = decode_callsign(values["callsign"])
        except CallsignError as error:
            raise IdentityError(str(error)) from error
        return cls(
            sender=sender,
            callsign=callsign,
            epoch=values["epoch"],
            model_hash=values["model_hash"].to_bytes(MODEL_HASH_OCTETS, "big"),
            width_px=values["width_minus_1"] + 1,
            height_px=values["height_minus_1"] + 1,
        )

    def to_bytes(self) -> bytes:
        """Return the octets that the trailer covers before the packet: sender, then the description."""
        return bytes([self.sender]) + self.description()
