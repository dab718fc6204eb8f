"""Reed-Solomon codes and whitening: golden octets and the limits of correction."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link.errors import CodewordError
from pantel_link.fec import ReedSolomon, reed_solomon
from pantel_link.whitening import whiten
from pantel_link.wire_format import WIRE_FORMATS, WireFormat

FORMATS = st.sampled_from(WIRE_FORMATS)


def test_golden_codeword() -> None:
    assert ReedSolomon(12, 6).encode(b"pantel").hex() == b"pantel".hex() + "5786a7a8568a"


def test_golden_whitening() -> None:
    assert whiten(bytes(10)).hex() == "ff480ec09a0d70bc8e2c"  # CCSDS 131.0-B
    assert whiten(b"") == b""


@given(st.binary(max_size=255))
def test_whitening_twice_changes_nothing(octets: bytes) -> None:
    assert whiten(whiten(octets)) == octets


@pytest.mark.parametrize("wire_format", WIRE_FORMATS, ids=lambda each: f"{each.preset}-{each.length_class}")
def test_padding_leaves_no_long_run_on_the_wire(wire_format: WireFormat) -> None:
    whitened = whiten(reed_solomon(wire_format).encode(bytes(wire_format.packet_octets)))
    bits = "".join(f"{octet:08b}" for octet in whitened)
    assert "0" * 12 not in bits
    assert "1" * 12 not in bits


@settings(max_examples=60, deadline=None)
@given(FORMATS, st.data())
def test_half_the_parity_is_corrected_and_counted(wire_format: WireFormat, data: st.DataObject) -> None:
    size = wire_format.packet_octets
    message = data.draw(st.binary(min_size=size, max_size=size))
    positions = data.draw(
        st.sets(st.integers(0, wire_format.codeword_octets - 1), max_size=wire_format.parity_octets // 2)
    )
    received = bytearray(reed_solomon(wire_format).encode(message))
    for position in positions:
        received[position] ^= 0x81
    corrected = reed_solomon(wire_format).decode(bytes(received))
    assert corrected.message == message
    assert corrected.corrected_octets == len(positions)
    assert corrected.corrected_bits == 2 * len(positions)


@settings(max_examples=60, deadline=None)
@given(FORMATS, st.integers(0, 2**32))
def test_noise_is_corrected_to_a_codeword_or_refused(wire_format: WireFormat, seed: int) -> None:
    received = random.Random(seed).randbytes(wire_format.codeword_octets)
    try:
        corrected = reed_solomon(wire_format).decode(received)
    except CodewordError:
        return
    assert corrected.corrected_octets <= wire_format.parity_octets // 2
    codeword = reed_solomon(wire_format).encode(corrected.message)
    assert sum(a != b for a, b in zip(codeword, received, strict=True)) == corrected.corrected_octets


def test_wrong_lengths_are_the_callers_fault() -> None:
    code = ReedSolomon(12, 6)
    with pytest.raises(ValueError, match="must have 6"):
        code.encode(b"short")
    with pytest.raises(ValueError, match="must have 12"):
        code.decode(b"short")
