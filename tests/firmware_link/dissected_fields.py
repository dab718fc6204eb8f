"""What the dissector's fields must be, by Python's own reading of codewords, packets and payloads."""

from __future__ import annotations

from pantel_link import Identity, PacketKind, Preset
from pantel_link.back_channel import (
    Acknowledge,
    AskStill,
    Command,
    Confirm,
    Reply,
    SetLine,
    Watch,
    command_from_payload,
    command_to_payload,
)
from pantel_link.context import description_octets
from pantel_link.fec import reed_solomon
from pantel_link.framing import announced_format
from pantel_link.messages import Alarm, Telemetry, TextPart
from pantel_link.packet import SealedPacket
from pantel_link.stills import Fragment
from pantel_link.whitening import whiten
from pantel_link.wire_format import MARKER_OCTETS

__all__ = ["FIELDS", "SHARES", "codeword_fields", "message_fields", "packet_fields"]

_REGION = ("left", "top", "right", "bottom")
_PRESETS = (*Preset, None)
_QUANTITIES = tuple(f"telemetry.{name}" for name in Telemetry.__dataclass_fields__)
_MESSAGE_FIELDS = (
    *("telemetry", *_QUANTITIES, "telemetry.unknown"),
    *("text", "text.message", "text.parts", "text.part", "text.text"),
    *("command", "command.rollover", "command.number", "command.what", "command.still_bytes", "command.region"),
    *(f"command.{side}" for side in _REGION),
    *("command.bitrate_bps", "command.preset", "command.confirms", "command.seconds"),
    *("acknowledge", "acknowledge.rollover", "acknowledge.newest", "acknowledge.began", "acknowledge.heard"),
    *("reply", "reply.number", "reply.outcome", "reply.bitrate_bps", "reply.preset"),
    *("alarm", "alarm.number", "alarm.began", "alarm.class_id", "alarm.age_s", "alarm.reserved", "alarm.region"),
    *(f"alarm.{side}" for side in _REGION),
    "alarm.zone",
)
FIELDS = (
    *("marker", "format", "marker_errors", "whitened", "codeword", "parity", "syndromes", "needs_correction"),
    *("version", "kind", "sender", "sequence", "tick", "seconds", "payload", "encrypted", "padding", "trailer"),
    *("ident.epoch", "ident.model_hash", "ident.width", "ident.height", "ident.security", "ident.reserved"),
    *("ident.callsign", "ident.rollover", "ident.counter", "ident.utc"),
    *("still.block", "still.symbols", "still.index", "still.repair", "still.symbol"),
    *("scene", *_MESSAGE_FIELDS),
)
SHARES = (*_QUANTITIES, *(f"{kind}.{side}" for kind in ("command", "alarm") for side in _REGION), "alarm.age_s")
"""The fields that are no integers, or need not be."""


def codeword_fields(octets: bytes) -> dict[str, str]:
    """Return what the fields of marker and codeword must be; what has errors is not corrected."""
    wire_format = announced_format(int.from_bytes(octets[:MARKER_OCTETS], "big"))
    assert wire_format is not None
    marker, whitened = octets[:MARKER_OCTETS], octets[MARKER_OCTETS:]
    codeword = whiten(whitened)
    message, parity = codeword[: wire_format.packet_octets], codeword[wire_format.packet_octets :]
    right = reed_solomon(wire_format).encode(message) == codeword
    fields = {
        "pantel.marker": marker.hex(),
        "pantel.format": f"{wire_format.preset} {wire_format.length_class}",
        "pantel.marker_errors": str((int.from_bytes(marker, "big") ^ wire_format.marker).bit_count()),
        "pantel.whitened": whitened.hex(),
        "pantel.codeword": codeword.hex(),
        "pantel.parity": parity.hex(),
        "pantel.needs_correction": str(not right),
    }
    return fields | ({"pantel.syndromes": "00" * len(parity)} if right else {}) | packet_fields(message)


def packet_fields(message: bytes, *, encrypted: bool = False) -> dict[str, str]:
    """Return what the fields of a packet must be."""
    sealed = SealedPacket.from_bytes(message)
    fields = {
        "pantel.version": str(sealed.version),
        "pantel.kind": str(int(sealed.kind)),
        "pantel.sender": str(sealed.sender),
        "pantel.sequence": str(sealed.sequence),
        "pantel.tick": str(sealed.tick),
        "pantel.seconds": f"{sealed.tick * 0.025:g}",
        "pantel.trailer": message[-4:].hex(),
    }
    payload = message[4:-4]
    if not payload:
        return fields
    fields["pantel.payload"] = payload.hex()
    if sealed.kind is PacketKind.IDENT:
        return fields | _identity_fields(sealed, payload)
    if encrypted:
        return fields | {"pantel.encrypted": payload.hex()}
    if sealed.kind is PacketKind.STILL:
        fragment = Fragment.from_payload(payload)
        return fields | {
            "pantel.still.block": str(fragment.block),
            "pantel.still.symbols": str(fragment.content_symbols),
            "pantel.still.index": str(fragment.index),
            "pantel.still.repair": str(fragment.index >= fragment.content_symbols),
            "pantel.still.symbol": fragment.symbol.hex(),
        }
    if sealed.kind is PacketKind.SCENE:
        return fields | {"pantel.scene": payload.hex()}
    named = message_fields(sealed.kind, payload, sealed.sequence)
    return fields | {f"pantel.{name}": value for name, value in named.items()}


def _identity_fields(sealed: SealedPacket, payload: bytes) -> dict[str, str]:
    identity = Identity.from_payload(sealed.sender, payload, version=sealed.version)
    context = identity.context
    fields = {
        "pantel.ident.epoch": str(context.epoch),
        "pantel.ident.model_hash": context.model_hash.hex(),
        "pantel.ident.width": str(context.width_px),
        "pantel.ident.height": str(context.height_px),
        "pantel.ident.reserved": "0",
        "pantel.ident.callsign": context.callsign,
        "pantel.ident.utc": str(identity.utc_s or 0),
    }
    if payload[21:]:
        fields["pantel.padding"] = payload[21:].hex()
    if sealed.version == 1:
        return fields
    assert description_octets(sealed.version) == 15
    return fields | {
        "pantel.ident.security": str(int(context.security)),
        "pantel.ident.rollover": str(identity.rollover),
        "pantel.ident.counter": str(identity.rollover << 10 | sealed.sequence),
    }


def message_fields(kind: PacketKind, payload: bytes, sequence: int) -> dict[str, str]:
    """Return the values of all fields, without their prefix; numbers of `SHARES` have 7 decimals."""
    match kind:
        case PacketKind.TELEMETRY:
            telemetry = Telemetry.from_payload(payload)
            values: dict[str, object] = {
                f"telemetry.{name}": f"{value:.7f}" for name, value in telemetry.known().items()
            }
            read = len(telemetry.to_payload(len(payload)))
        case PacketKind.TEXT:
            part = TextPart.from_payload(payload)
            line = part.text.decode(errors="replace")
            values = {"text.message": part.message, "text.parts": part.parts, "text.part": part.part, "text.text": line}
            read = 2 + len(part.text)
        case PacketKind.COMMAND:
            command = command_from_payload(payload)
            rollover = int.from_bytes(payload[:2], "big")
            values = {"command.rollover": rollover, "command.number": rollover << 10 | sequence}
            values |= _arguments(command)
            read = len(command_to_payload(command, rollover))
            if isinstance(command, AskStill):
                values["command.region"] = payload[5:9].hex()
            elif isinstance(command, Watch):
                values["command.region"] = payload[3:7].hex()
        case PacketKind.ACKNOWLEDGE:
            rollover = int.from_bytes(payload[:2], "big")
            acknowledge = Acknowledge.from_payload(payload, rollover << 10 | sequence)
            values = {"acknowledge.rollover": rollover, "acknowledge.newest": acknowledge.newest}
            values |= {"acknowledge.began": acknowledge.began, "acknowledge.heard": f"0x{acknowledge.heard:08x}"}
            read = len(acknowledge.to_payload())
        case PacketKind.ALARM:
            alarm = Alarm.from_payload(payload)
            values = {f"alarm.{side}": f"{getattr(alarm.region, side):.7f}" for side in _REGION}
            values |= {"alarm.number": alarm.number, "alarm.began": int(alarm.began), "alarm.class_id": alarm.class_id}
            values |= {"alarm.age_s": f"{alarm.age_s:.7f}", "alarm.reserved": payload[3] & 15, "alarm.zone": alarm.zone}
            values["alarm.region"] = payload[4:8].hex()
            read = len(alarm.to_payload(len(payload)))
        case _:
            assert kind is PacketKind.REPLY
            reply = Reply.from_payload(payload)
            values = {
                "reply.number": reply.number,
                "reply.outcome": int(reply.outcome),
                "reply.bitrate_bps": reply.bitrate_bps,
                "reply.preset": _PRESETS.index(reply.preset),
            }
            read = len(reply.to_payload())
    values[kind.name.lower()] = payload.hex()
    values["padding"] = payload[read:].hex()
    return {name: str(value) for name, value in values.items() if value != ""}


def _arguments(command: Command) -> dict[str, object]:
    match command:
        case AskStill(still_bytes, region):
            sides = {f"command.{side}": f"{getattr(region, side):.7f}" for side in _REGION if region}
            return {"command.what": 1, "command.still_bytes": still_bytes, **sides}
        case SetLine(bitrate_bps, preset):
            index = _PRESETS.index(preset)
            return {"command.what": 2, "command.bitrate_bps": bitrate_bps, "command.preset": index}
        case Confirm(number):
            return {"command.what": 3, "command.confirms": number}
        case Watch(region, seconds):
            sides = {f"command.{side}": f"{getattr(region, side):.7f}" for side in _REGION}
            return {"command.what": 4, "command.seconds": seconds, **sides}
