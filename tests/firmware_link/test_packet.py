"""The packet: golden octets, fields, and a trailer that no other stream's packet passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import Identity, Keyring, Packet, PacketError, PacketKind, Security, StreamContext, make_seal
from pantel_link.bitfield import BitField, pack_fields, unpack_fields
from pantel_link.errors import ContextError, HeaderError, IdentityError, TrailerError
from pantel_link.packet import SealedPacket
from pantel_link.streams import KnownStreams

KEY = bytes(range(32))


@st.composite
def contexts(draw: st.DrawFn) -> StreamContext:
    version = draw(st.sampled_from([1, 2]))
    return StreamContext(
        sender=draw(st.integers(0, 63)),
        callsign=draw(st.text("ABCXYZ0189-/.", min_size=1, max_size=9)),
        epoch=draw(st.integers(0, (1 << (32 if version == 1 else 24)) - 1)),
        model_hash=draw(st.binary(min_size=5 - version, max_size=5 - version)),
        width_px=draw(st.integers(1, 1024)),
        height_px=draw(st.integers(1, 1024)),
        security=Security.CHECKED if version == 1 else draw(st.sampled_from(Security)),
        version=version,
    )


def checked(context: StreamContext) -> StreamContext:
    return replace(context, security=Security.CHECKED)


def opened(octets: bytes, known: Iterable[StreamContext]) -> Packet:
    return KnownStreams(known, Keyring(), None).open(octets)[0]


def test_golden_packet(context: StreamContext) -> None:
    packet = Packet(PacketKind.SCENE, sender=5, counter=0x123, tick=0x242, payload=b"pantel")
    #   version 10, kind 0001, sender 000101, sequence 0100100011, tick 1001000010
    assert packet.to_bytes(make_seal(context)).hex() == "84548e42" + "70616e74656c" + "e44592f4"


def test_golden_ident(context: StreamContext) -> None:
    payload = Identity(context, rollover=7, utc_s=0x6553F100).to_payload()
    #                        epoch    hash       319,239,0  N0CALL         roll    UTC
    assert payload.hex() == "010203" + "a1b2c3" + "4fcef0" + "000089ad6f80" + "0007" + "6553f100"
    packet = Packet(PacketKind.IDENT, sender=5, counter=7 << 10, tick=0, payload=payload)
    assert packet.to_bytes(make_seal(context)).hex() == "80500000" + payload.hex() + "14340b09"


def test_golden_seals(context: StreamContext) -> None:
    packet = Packet(PacketKind.SCENE, sender=5, counter=0x123, tick=0x242, payload=b"pantel")
    tagged = make_seal(replace(context, security=Security.AUTHENTICATED), KEY)
    hidden = make_seal(replace(context, security=Security.ENCRYPTED), KEY)
    assert packet.to_bytes(tagged).hex() == "84548e42" + "70616e74656c" + "80d00d4a"
    assert packet.to_bytes(hidden).hex() == "84548e42" + "d7c073f81d8bd28f6549"


def test_bit_fields_refuse_what_does_not_fit() -> None:
    layout = (BitField("low", 3), BitField("high", 5))
    assert unpack_fields(layout, pack_fields(layout, {"low": 5, "high": 9})) == {"low": 5, "high": 9}
    with pytest.raises(ValueError, match=r"low is 8 and must lie in 0\.\.7"):
        pack_fields(layout, {"low": 8, "high": 0})
    with pytest.raises(ValueError, match="1 octets expected, got 2"):
        unpack_fields(layout, b"ab")


@given(
    contexts(),
    st.sampled_from(PacketKind),
    st.integers(0, (1 << 26) - 1),
    st.integers(0, 1023),
    st.binary(max_size=117),
)
def test_packets_survive(context: StreamContext, kind: PacketKind, counter: int, tick: int, payload: bytes) -> None:
    if kind is PacketKind.IDENT:
        payload = Identity(context).to_payload()
    packet = Packet(kind, context.sender, counter, tick, payload)
    seal = make_seal(context, KEY)
    sealed = SealedPacket.from_bytes(packet.to_bytes(seal))
    assert sealed.sequence == packet.sequence
    assert sealed.open(seal, counter) == packet


@given(contexts(), st.binary(max_size=40))
def test_what_is_encrypted_cannot_be_read_and_an_identity_can(context: StreamContext, payload: bytes) -> None:
    seal = make_seal(replace(context, version=2, epoch=1, model_hash=b"abc", security=Security.ENCRYPTED), KEY)
    octets = Packet(PacketKind.SCENE, context.sender, 9, 2, b"secret" + payload).to_bytes(seal)
    assert b"secret" not in octets
    assert len(octets) == 4 + len(payload) + 6 + 4
    identity = Identity(seal.context).to_payload()
    introduction = Packet(PacketKind.IDENT, context.sender, 9, 2, identity).to_bytes(seal)
    assert SealedPacket.from_bytes(introduction).readable_payload == identity


@given(contexts(), contexts(), st.binary(max_size=40))
def test_a_packet_of_another_context_is_never_accepted(
    ours: StreamContext, theirs: StreamContext, payload: bytes
) -> None:
    ours, theirs = checked(ours), checked(theirs)
    octets = Packet(PacketKind.SCENE, theirs.sender, 1, 2, payload).to_bytes(make_seal(theirs))
    if ours == theirs:
        return
    with pytest.raises((TrailerError, ContextError)):
        opened(octets, [ours])


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_another_epoch_always_changes_the_trailer(one: int, other: int) -> None:
    context = StreamContext(0, "N0CALL", one, bytes(3), 320, 240)
    packet = Packet(PacketKind.SCENE, 0, 0, 0, b"same")
    same_trailer = packet.to_bytes(make_seal(context)) == packet.to_bytes(make_seal(replace(context, epoch=other)))
    assert same_trailer == (one == other)


@given(st.binary(max_size=140))
def test_noise_is_a_packet_error_and_nothing_else(noise: bytes) -> None:
    context = StreamContext(5, "N0CALL", 1, bytes(3), 320, 240)
    with pytest.raises(PacketError):
        opened(noise, [context])


@given(st.binary(max_size=40), st.integers(0, 63), st.sampled_from([1, 2]))
def test_a_noisy_identity_is_refused_or_exact(noise: bytes, sender: int, version: int) -> None:
    try:
        identity = Identity.from_payload(sender, noise, version=version)
    except IdentityError:
        return
    assert identity.to_payload() == noise[:21]
    assert StreamContext.from_bytes(identity.context.to_bytes()) == identity.context


def test_an_unknown_sender_is_told_from_noise(context: StreamContext) -> None:
    octets = Packet(PacketKind.SCENE, 5, 0, 0, b"").to_bytes(make_seal(context))
    with pytest.raises(ContextError, match="sender 5 has not introduced itself"):
        opened(octets, [replace(context, sender=6)])


@pytest.mark.parametrize(("field", "value"), [("counter", 1 << 26), ("tick", 1024)])
def test_header_values_that_do_not_fit_are_refused(context: StreamContext, field: str, value: int) -> None:
    packet = replace(Packet(PacketKind.SCENE, 5, 0, 0, b""), **{field: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"{field} is {value} and must lie in 0\.\.{value - 1}"):
        packet.to_bytes(make_seal(context))


def test_other_versions_and_kinds_are_refused(context: StreamContext) -> None:
    octets = bytearray(Packet(PacketKind.SCENE, 5, 0, 0, b"").to_bytes(make_seal(context)))
    with pytest.raises(HeaderError, match="version 3"):
        opened(bytes([octets[0] | 0xC0]) + octets[1:], [context])
    with pytest.raises(HeaderError, match="kind 15"):
        opened(bytes([octets[0] | 0x3C]) + octets[1:], [context])


@pytest.mark.parametrize(
    "change",
    [{"sender": 64}, {"epoch": 1 << 24}, {"model_hash": b"abcd"}, {"width_px": 0}, {"height_px": 1025}],
)
def test_impossible_contexts_are_refused(context: StreamContext, change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))[:5]):
        replace(context, **change)  # type: ignore[arg-type]
