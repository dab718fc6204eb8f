"""The deframer: whatever comes before or after, a packet whose own octets arrive is found."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import Packet, PacketError, PacketKind, ReceiverStatistics, StreamContext, make_seal
from pantel_link.framing import Codeword, Deframer, correct, frame_packet
from pantel_link.packet import SealedPacket
from pantel_link.wire_format import (
    MAX_WIRE_OCTETS,
    WIRE_FORMATS,
    LengthClass,
    Preset,
    WireFormat,
    wire_format,
)

CONTEXT = StreamContext(5, "N0CALL", 0x010203, bytes.fromhex("a1b2c3"), 320, 240)
SEAL = make_seal(CONTEXT)
LIVE = wire_format(Preset.STANDARD, LengthClass.LIVE)


def packet(sequence: int = 0, payload: bytes = b"payload") -> Packet:
    return Packet(PacketKind.SCENE, CONTEXT.sender, sequence, 0, payload)


def opened(codeword: Codeword) -> Packet:
    sealed = SealedPacket.from_bytes(correct(codeword.octets, codeword.wire_format).message)
    return sealed.open(SEAL, sealed.sequence)


def framed(sequence: int, wire_format: WireFormat = LIVE) -> bytes:
    return frame_packet(packet(sequence), SEAL, wire_format)


class Ear:
    """A deframer and what it understood."""

    def __init__(self) -> None:
        self.statistics = ReceiverStatistics()
        self.deframer = Deframer(self.statistics)
        self.sequences: list[int] = []
        self.failed = 0

    def hear(self, octets: bytes) -> list[int]:
        self.deframer.push(octets)
        while (codeword := self.deframer.pop()) is not None:
            try:
                found = opened(codeword)
            except PacketError:
                self.failed += 1
                continue
            self.deframer.accept(codeword)
            self.sequences.append(found.sequence)
        return self.sequences


def test_golden_live_packet_on_the_wire() -> None:
    golden = Packet(PacketKind.SCENE, sender=5, counter=0x123, tick=0x242, payload=b"pantel")
    assert frame_packet(golden, SEAL, LIVE).hex() == (
        "c8d2677b1c8082ea6c1ec8eb4093ada7b746ce5a977dcc32a2bf3e0a10f18894cdeab1fe901d81344ba1b08db3c92562"
    )


def test_a_long_payload_is_refused() -> None:
    with pytest.raises(ValueError, match="payload has 34 octets; 33 fit"):
        frame_packet(packet(payload=bytes(34)), SEAL, LIVE)


@pytest.mark.parametrize("wire_format", WIRE_FORMATS, ids=lambda each: f"{each.preset}-{each.length_class}")
def test_every_format_is_told_by_its_marker(wire_format: WireFormat) -> None:
    ear = Ear()
    ear.deframer.push(framed(7, wire_format))
    codeword = ear.deframer.pop()
    assert codeword is not None
    assert codeword.wire_format is wire_format
    found = opened(codeword)
    assert found == replace(packet(7), payload=b"payload".ljust(wire_format.payload_octets, b"\0"))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(WIRE_FORMATS), st.binary(max_size=30)), max_size=6),
    st.integers(1, 300),
)
def test_formats_mix_and_pieces_may_have_any_size(pieces: list[tuple[WireFormat, bytes]], step: int) -> None:
    stream = b"".join(noise + framed(k, each) for k, (each, noise) in enumerate(pieces))
    ear = Ear()
    for start in range(0, len(stream), step):
        ear.hear(stream[start : start + step])
    assert ear.sequences == list(range(len(pieces)))


def test_three_wrong_bits_in_the_marker_are_forgiven() -> None:
    octets = bytearray(framed(1))
    octets[0] ^= 0x81
    octets[2] ^= 0x10
    assert Ear().hear(bytes(octets)) == [1]
    octets[1] ^= 0x01
    assert Ear().hear(bytes(octets)) == []


@settings(deadline=None)
@given(st.integers(0, 47), st.booleans(), st.integers(0, 255))
def test_a_slip_costs_one_packet_and_no_other(position: int, insert: bool, octet: int) -> None:
    slipped = bytearray(framed(1))
    if insert:
        slipped.insert(position, octet)
    else:
        del slipped[position]
    sequences = Ear().hear(framed(0) + slipped + framed(2))
    assert sequences[0] == 0
    assert sequences[-1] == 2
    assert set(sequences) <= {0, 1, 2}


@pytest.mark.parametrize("wire_format", WIRE_FORMATS, ids=lambda each: f"{each.preset}-{each.length_class}")
def test_a_packet_cut_short_hides_nothing_behind_it(wire_format: WireFormat) -> None:
    """Even if the code takes the next packet's first octets for errors and corrects them."""
    whole, following = framed(1, wire_format), framed(2) + framed(3)
    corrected = 0
    for kept in range(len(whole)):
        wrong = sum(a != b for a, b in zip(whole[kept:], following, strict=False))
        if wrong <= wire_format.correctable_octets < len(whole) - kept:
            continue  # by chance an octet of the next packet is what was cut off, so one more is explained
        sequences = Ear().hear(whole[:kept] + following)
        assert sequences[-2:] == [2, 3]
        corrected += sequences[0] == 1
    assert corrected == wire_format.correctable_octets


def test_an_imitated_still_marker_does_not_delay_live_packets() -> None:
    still_marker = wire_format(Preset.HEAVY, LengthClass.STILL).marker.to_bytes(3, "big")
    ear = Ear()
    assert ear.hear(still_marker + framed(1)) == [1]
    assert ear.statistics.markers == 2
    assert ear.statistics.markers_overlapped == 1
    assert ear.failed == 0


def test_markers_inside_a_payload_are_explained_by_it() -> None:
    """A live marker that a still packet happens to carry, whitened, is dismissed with it."""
    still = wire_format(Preset.LIGHT, LengthClass.STILL)
    plain = frame_packet(packet(0, b""), SEAL, still)
    marker = LIVE.marker.to_bytes(3, "big")
    at = 100
    carried = bytes(a ^ b for a, b in zip(marker, plain[at : at + 3], strict=True))
    octets = frame_packet(packet(0, bytes(at - 7) + carried), SEAL, still)
    assert octets[at : at + 3] == marker
    ear = Ear()
    assert ear.hear(octets + framed(1)) == [0, 1]
    assert ear.statistics.markers_overlapped == 1


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2000))
def test_noise_is_counted_and_never_raises(seed: int, size: int) -> None:
    noise = random.Random(seed).randbytes(size)
    ear = Ear()
    assert ear.hear(noise) == []
    assert ear.statistics.wire_octets == size
    assert ear.hear(framed(9)) == [9]


@settings(deadline=None)
@given(st.lists(st.sampled_from([each.marker.to_bytes(3, "big") for each in WIRE_FORMATS]), max_size=200))
def test_a_stream_of_nothing_but_markers_keeps_memory_bounded(markers: list[bytes]) -> None:
    ear = Ear()
    for marker in markers:
        ear.hear(marker)
        assert len(ear.deframer._octets) <= MAX_WIRE_OCTETS
    assert ear.hear(framed(1)) == [1]


def test_mutated_packets_are_accepted_only_unchanged() -> None:
    """3,000 packets with random damage: whatever is accepted is what was sent."""
    generator = random.Random(1865)
    accepted = 0
    for trial in range(3000):
        sequence = trial % 1024
        octets = bytearray(framed(sequence))
        for _ in range(generator.randrange(8)):
            octets[generator.randrange(len(octets))] ^= 1 << generator.randrange(8)
        sequences = Ear().hear(bytes(octets))
        assert sequences in ([], [sequence])
        accepted += len(sequences)
    assert 1000 < accepted < 2500
