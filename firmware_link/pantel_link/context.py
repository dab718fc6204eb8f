"""The context of a stream: what both sides must agree on before a packet means anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.callsign import CALLSIGN_BITS, decode_callsign, encode_callsign
from pantel_link.errors import CallsignError, IdentityError

__all__ = [
    "EPOCH_BITS",
    "MODEL_HASH_OCTETS",
    "PROTOCOL_VERSION",
    "SENDER_BITS",
    "Security",
    "StreamContext",
    "description_octets",
]

PROTOCOL_VERSION = 2
"""What senders speak. Receivers read version 1, too: old captures, and masts that nobody can climb."""
SENDER_BITS = 6
EPOCH_BITS = 24
MODEL_HASH_OCTETS = 3


class Security(IntEnum):
    """What protects the packets of a stream."""

    CHECKED = 0
    """CRC-32: against noise only."""
    AUTHENTICATED = 1
    """Keyed BLAKE2s: nobody without the key can make or repeat a packet; everybody can read them."""
    ENCRYPTED = 2
    """AES-CCM: nobody without the key can read a payload, either; not allowed on amateur bands."""


# What an IDENT packet announces, by version. Version 1 knew no security.
_DESCRIPTIONS = {
    1: (
        BitField("epoch", 32),
        BitField("model_hash", 32),
        BitField("width_minus_1", 10),
        BitField("height_minus_1", 10),
        BitField("reserved", 4),
        BitField("callsign", CALLSIGN_BITS),
    ),
    2: (
        BitField("epoch", EPOCH_BITS),
        BitField("model_hash", 8 * MODEL_HASH_OCTETS),
        BitField("width_minus_1", 10),
        BitField("height_minus_1", 10),
        BitField("security", 2),
        BitField("reserved", 2),
        BitField("callsign", CALLSIGN_BITS),
    ),
}


def description_octets(version: int) -> int:
    """Return the size of a description of a version that can be read."""
    return packed_octets(_DESCRIPTIONS[version])


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What an IDENT packet announces and every trailer covers.

    Attributes:
        sender: Number of the sender on its channel, 0..63, as in each packet's header.
        callsign: Callsign of the operator.
        epoch: Boot epoch, 24 bit. It must grow with every start of the sender: sequence numbers restart.
        model_hash: First 3 octets of the hash of the model artefact; 4 in version 1.
        width_px: Width of the picture, 1..1024.
        height_px: Height of the picture, 1..1024.
        security: What protects the packets.
        version: Of the protocol, 1 or 2.

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
    security: Security = Security.CHECKED
    version: int = PROTOCOL_VERSION

    def __post_init__(self) -> None:
        if not 0 <= self.sender < 1 << SENDER_BITS:
            raise ValueError(f"sender is {self.sender} and must lie in 0..{(1 << SENDER_BITS) - 1}")
        hash_octets = next(field.bits for field in _DESCRIPTIONS[self.version] if field.name == "model_hash") // 8
        if len(self.model_hash) != hash_octets:
            raise ValueError(f"model_hash has {len(self.model_hash)} octets and must have {hash_octets}")
        self.description()

    def description(self) -> bytes:
        """Return what an IDENT packet announces: 15 octets, 17 in version 1."""
        return pack_fields(
            _DESCRIPTIONS[self.version],
            {
                "epoch": self.epoch,
                "model_hash": int.from_bytes(self.model_hash, "big"),
                "width_minus_1": self.width_px - 1,
                "height_minus_1": self.height_px - 1,
                "security": self.security,
                "reserved": 0,
                "callsign": encode_callsign(self.callsign),
            },
        )

    @classmethod
    def from_description(cls, sender: int, description: bytes, *, version: int = PROTOCOL_VERSION) -> StreamContext:
        """Return the context that a sender announces.

        Raises:
            IdentityError: The octets describe no possible stream.
        """
        layout = _DESCRIPTIONS[version]
        values = unpack_fields(layout, description)
        if values["reserved"]:
            raise IdentityError("reserved bits of the stream description are set")
        try:
            callsign = decode_callsign(values["callsign"])
            security = Security(values.get("security", 0))
        except (CallsignError, ValueError) as error:
            raise IdentityError(str(error)) from error
        hash_bits = next(field.bits for field in layout if field.name == "model_hash")
        return cls(
            sender=sender,
            callsign=callsign,
            epoch=values["epoch"],
            model_hash=values["model_hash"].to_bytes(hash_bits // 8, "big"),
            width_px=values["width_minus_1"] + 1,
            height_px=values["height_minus_1"] + 1,
            security=security,
            version=version,
        )

    def to_bytes(self) -> bytes:
        """Return the octets that the trailer covers before the packet: sender, then the description."""
        return bytes([self.sender]) + self.description()

    @classmethod
    def from_bytes(cls, octets: bytes) -> StreamContext:
        """Return what `to_bytes` wrote, of any version.

        Raises:
            IdentityError: The octets describe no possible stream.
        """
        for version in _DESCRIPTIONS:
            if len(octets) == 1 + description_octets(version):
                return cls.from_description(octets[0], octets[1:], version=version)
        raise IdentityError(f"{len(octets)} octets describe no stream")
