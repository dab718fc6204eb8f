"""The packet: golden octets, fields, and a trailer that no other stream's packet passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import Identity, Packet, PacketError, PacketKind, StreamContext
from pantel_link.bitfield import BitField, pack_fields, unpack_fields
from pantel_link.errors import ContextError, HeaderError, IdentityError, TrailerError

CONTEXTS = st.builds(
    StreamContext,
    sender=st.integers(0, 63),
    callsign=st.text("ABCXYZ0189-/.", min_size=1, max_size=9),
    epoch=st.integers(0, 0xFFFFFFFF),
    model_hash=st.binary(min_size=4, max_size=4),
    width_px=st.integers(1, 1024),
    height_px=st.integers(1, 1024),
)


def test_golden_packet(context: StreamContext) -> None:
    packet = Packet(PacketKind.SCENE, sender=5, sequence=0x123, tick=0x242, payload=b"pantel")
    #   version 01, kind 0001, sender 000101, sequence 0100100011, tick 1001000010
    assert packet.to_bytes(context).hex() == "44548e42" + "70616e74656c" + "e0edb670"


def test_golden_ident(context: StreamContext) -> None:
    payload = Identity(context, utc_s=0x6553F100).to_payload()
    #                        epoch      hash       319,239,0  N0CALL         UTC
    assert payload.hex() == "01020304" + "a1b2c3d4" + "4fcef0" + "000089ad6f80" + "6553f100"
    packet = Packet(PacketKind.IDENT, sender=5, sequence=0, tick=0, payload=payload)
    assert packet.to_bytes(context).hex() == "40500000" + payload.hex() + "7d8c1cc5"


def test_bit_fields_refuse_what_does_not_fit() -> None:
    layout = (BitField("low", 3), BitField("high", 5))
    assert unpack_fields(layout, pack_fields(layout, {"low": 5, "high": 9})) == {"low": 5, "high": 9}
    with pytest.raises(ValueError, match=r"low is 8 and must lie in 0\.\.7"):
        pack_fields(layout, {"low": 8, "high": 0})
    with pytest.raises(ValueError, match="1 octets expected, got 2"):
        unpack_fields(layout, b"ab")


@given(
    CONTEXTS,
    st.sampled_from(PacketKind),
    st.integers(0, 1023),
    st.integers(0, 1023),
    st.binary(max_size=117),
)
def test_packets_survive(context: StreamContext, kind: PacketKind, sequence: int, tick: int, payload: bytes) -> None:
    if kind is PacketKind.IDENT:
        payload = Identity(context).to_payload()
    packet = Packet(kind, context.sender, sequence, tick, payload)
    assert Packet.from_bytes(packet.to_bytes(context), [context]) == (packet, context)


@given(CONTEXTS, CONTEXTS, st.binary(max_size=40))
def test_a_packet_of_another_context_is_never_accepted(
    ours: StreamContext, theirs: StreamContext, payload: bytes
) -> None:
    octets = Packet(PacketKind.SCENE, theirs.sender, 1, 2, payload).to_bytes(theirs)
    if ours == theirs:
        return
    with pytest.raises((TrailerError, ContextError)):
        Packet.from_bytes(octets, [ours])


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_another_epoch_always_changes_the_trailer(one: int, other: int) -> None:
    context = StreamContext(0, "N0CALL", one, bytes(4), 320, 240)
    packet = Packet(PacketKind.SCENE, 0, 0, 0, b"same")
    same_trailer = packet.to_bytes(context) == packet.to_bytes(replace(context, epoch=other))
    assert same_trailer == (one == other)


@given(st.binary(max_size=140))
def test_noise_is_a_packet_error_and_nothing_else(noise: bytes) -> None:
    context = StreamContext(5, "N0CALL", 1, bytes(4), 320, 240)
    with pytest.raises(PacketError):
        Packet.from_bytes(noise, [context])


@given(st.binary(max_size=40), st.integers(0, 63))
def test_a_noisy_identity_is_refused_or_exact(noise: bytes, sender: int) -> None:
    try:
        identity = Identity.from_payload(sender, noise)
    except IdentityError:
        return
    assert identity.to_payload() == noise[:21]


def test_an_unknown_sender_is_told_from_noise(context: StreamContext) -> None:
    octets = Packet(PacketKind.SCENE, 5, 0, 0, b"").to_bytes(context)
    with pytest.raises(ContextError, match="sender 5 has not introduced itself"):
        Packet.from_bytes(octets, [replace(context, sender=6)])


@pytest.mark.parametrize("field", ["sequence", "tick"])
def test_header_values_that_do_not_fit_are_refused(context: StreamContext, field: str) -> None:
    packet = replace(Packet(PacketKind.SCENE, 5, 0, 0, b""), **{field: 1024})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"{field} is 1024 and must lie in 0\.\.1023"):
        packet.to_bytes(context)


def test_other_versions_and_kinds_are_refused(context: StreamContext) -> None:
    octets = bytearray(Packet(PacketKind.SCENE, 5, 0, 0, b"").to_bytes(context))
    with pytest.raises(HeaderError, match="version 2"):
        Packet.from_bytes(bytes([octets[0] ^ 0xC0]) + octets[1:], [context])
    with pytest.raises(HeaderError, match="kind 15"):
        Packet.from_bytes(bytes([octets[0] | 0x3C]) + octets[1:], [context])


@pytest.mark.parametrize(
    "change",
    [{"sender": 64}, {"epoch": 1 << 32}, {"model_hash": b"abc"}, {"width_px": 0}, {"height_px": 1025}],
)
def test_impossible_contexts_are_refused(context: StreamContext, change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))[:5]):
        replace(context, **change)  # type: ignore[arg-type]
