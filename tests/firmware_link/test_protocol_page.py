"""An independent encoder written from docs/protocol.md alone agrees with the link, octet by octet."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import Packet, PacketKind, StreamContext, make_seal
from pantel_link.framing import frame_packet
from pantel_link.wire_format import WIRE_FORMATS, LengthClass, Preset, WireFormat, wire_format

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
CALLSIGN_DIGITS = "\0" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/."


def multiply(a: int, b: int) -> int:
    product = 0
    while b:
        product ^= a * (b & 1)
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def parity(message: bytes, count: int) -> bytes:
    generator, root = [1], 1
    for _ in range(count):
        generator = [a ^ multiply(b, root) for a, b in zip([*generator, 0], [0, *generator], strict=True)]
        root = multiply(root, 2)
    remainder = [*message, *bytes(count)]
    for at in range(len(message)):
        factor = remainder[at]
        for offset, coefficient in enumerate(generator):
            remainder[at + offset] ^= multiply(factor, coefficient)
    return bytes(remainder[-count:])


def whitening(octets: int) -> bytes:
    bits = [1] * 8
    while len(bits) < 8 * octets:
        bits.append(bits[-8] ^ bits[-5] ^ bits[-3] ^ bits[-1])
    return int("".join(map(str, bits[: 8 * octets])), 2).to_bytes(octets, "big")


def context_octets(context: StreamContext) -> bytes:
    callsign: int = sum(CALLSIGN_DIGITS.index(c) * 40**i for i, c in enumerate(context.callsign))
    size = (context.width_px - 1) << 14 | (context.height_px - 1) << 4
    return (
        bytes([context.sender])
        + context.epoch.to_bytes(3, "big")
        + context.model_hash
        + size.to_bytes(3, "big")
        + callsign.to_bytes(6, "big")
    )


def on_the_wire(packet: Packet, context: StreamContext, wire_format: WireFormat) -> bytes:
    header = 2 << 30 | packet.kind << 26 | packet.sender << 20 | packet.counter % 1024 << 10 | packet.tick
    payload_octets = wire_format.codeword_octets - wire_format.parity_octets - 8
    body = header.to_bytes(4, "big") + packet.payload.ljust(payload_octets, b"\0")
    message = body + zlib.crc32(context_octets(context) + body).to_bytes(4, "big")
    codeword = message + parity(message, wire_format.parity_octets)
    key = whitening(len(codeword))
    return wire_format.marker.to_bytes(3, "big") + bytes(a ^ b for a, b in zip(codeword, key, strict=True))


PACKETS = st.builds(
    Packet,
    kind=st.sampled_from([kind for kind in PacketKind if kind is not PacketKind.IDENT]),
    sender=st.integers(0, 63),
    counter=st.integers(0, (1 << 26) - 1),
    tick=st.integers(0, 1023),
    payload=st.binary(max_size=21),
)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(WIRE_FORMATS), PACKETS, st.text(CALLSIGN_DIGITS[1:], min_size=1, max_size=9))
def test_the_page_says_what_the_link_does(wire_format: WireFormat, packet: Packet, callsign: str) -> None:
    context = StreamContext(packet.sender, callsign, 0xFEDCBA, b"has", 1024, 1)
    assert on_the_wire(packet, context, wire_format) == frame_packet(packet, make_seal(context), wire_format)


def test_the_worked_example_is_what_the_link_sends(context: StreamContext) -> None:
    packet = Packet(PacketKind.SCENE, sender=5, counter=0x123, tick=0x242, payload=b"pantel")
    octets = frame_packet(packet, make_seal(context), wire_format(Preset.STANDARD, LengthClass.LIVE))
    assert f"\n{octets.hex()}\n" in PAGE


@pytest.mark.parametrize("each", WIRE_FORMATS, ids=lambda each: f"{each.preset}-{each.length_class}")
def test_the_table_of_formats_is_true(each: WireFormat) -> None:
    row = (
        f"| {each.preset} | {each.length_class} | `{each.marker:06x}` | {each.codeword_octets} | {each.parity_octets} "
        f"| {each.correctable_octets} | {each.payload_octets} | {960 * each.payload_octets / each.wire_octets:.0f}"
    )
    assert row in PAGE
