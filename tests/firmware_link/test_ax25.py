"""AX.25: UI frames pinned by golden octets, everything else refused by one error, and the cost on the air."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.ports.ax25 import Ax25Error, UiFrame, frame_check_sequence, hdlc_octets

SOURCES = st.from_regex(r"\A[A-Z0-9]{1,6}(-([1-9]|1[0-5]))?\Z")
GOLDEN = "a082 9ca88a98 e0 8898 6286ac40 6f 03f0 50616e".replace(" ", "")


def test_golden_frame() -> None:
    frame = UiFrame("DL1CV-7", b"Pan")
    assert frame.to_bytes().hex() == GOLDEN
    assert UiFrame.from_bytes(bytes.fromhex(GOLDEN)) == frame


@given(SOURCES, st.binary(max_size=256))
def test_frames_come_back(source: str, packet: bytes) -> None:
    frame = UiFrame(source, packet)
    assert UiFrame.from_bytes(frame.to_bytes()) == frame
    assert len(frame.to_bytes()) == 16 + len(packet)


@given(st.binary(max_size=40))
def test_noise_is_one_error_and_no_other(noise: bytes) -> None:
    refused_or_same(noise)


@given(st.integers(0, 16 * 8 - 1), st.integers(0, 16 * 8 - 1))
def test_damaged_headers_are_one_error_and_no_other(first: int, second: int) -> None:
    damaged = int.from_bytes(bytes.fromhex(GOLDEN)[:16], "big") ^ (1 << first) ^ (1 << second)
    refused_or_same(damaged.to_bytes(16, "big") + b"Pan")


def refused_or_same(octets: bytes) -> None:
    try:
        frame = UiFrame.from_bytes(octets)
    except Ax25Error:
        return
    again = UiFrame.from_bytes(frame.to_bytes())
    assert again == frame
    assert octets.endswith(frame.packet)


def test_the_command_bits_do_not_matter() -> None:
    octets = bytearray.fromhex(GOLDEN)
    octets[6] &= 0x7F
    octets[13] |= 0x80
    assert UiFrame.from_bytes(bytes(octets)) == UiFrame("DL1CV-7", b"Pan")


@pytest.mark.parametrize(
    "callsign", ["", "DL1ABCD", "dl1abc", "PA/DL1A", "DL1ABC-16", "DL1ABC-", "DL1ABC-07", "DL 1A", "-1"]
)
def test_impossible_callsigns_are_refused(callsign: str) -> None:
    with pytest.raises(Ax25Error, match="is no AX"):
        UiFrame(callsign, b"").to_bytes()


def test_an_explicit_station_of_zero_is_none() -> None:
    assert UiFrame("N0CALL-0", b"x").to_bytes() == UiFrame("N0CALL", b"x").to_bytes()


@pytest.mark.parametrize(
    ("position", "octet", "words"),
    [
        (0, 0x82, "goes to AANTEL"),
        (6, 0xE2, "goes to PANTEL-1"),
        (0, 0xA1, "ends too early"),
        (6, 0xE1, "exactly two addresses"),
        (13, 0x6E, "exactly two addresses"),  # a digipeater follows
        (14, 0x13, "unnumbered information"),  # poll bit
        (15, 0xCF, "unnumbered information"),  # NET/ROM
        (7, 0x40, "no AX.25 address"),  # begins with a blank
    ],
)
def test_other_frames_say_what_is_wrong(position: int, octet: int, words: str) -> None:
    octets = bytearray.fromhex(GOLDEN)
    octets[position] = octet
    with pytest.raises(Ax25Error, match=words):
        UiFrame.from_bytes(bytes(octets))


def test_the_check_sequence_is_that_of_the_catalogue() -> None:
    assert frame_check_sequence(b"123456789").hex() == "6e90"  # CRC-16/IBM-SDLC: check 0x906e
    assert frame_check_sequence(b"").hex() == "0000"


@given(st.binary(max_size=300))
def test_the_cost_is_that_of_stuffing_bit_by_bit(frame: bytes) -> None:
    bits = ones = 0
    for octet in frame + frame_check_sequence(frame):
        for position in range(8):
            ones = ones + 1 if octet >> position & 1 else 0
            bits += 1
            if ones == 5:
                bits += 1
                ones = 0
    assert hdlc_octets(frame) == 2 + -(-bits // 8)


def test_golden_costs_on_the_air() -> None:
    assert hdlc_octets(bytes(10)) == 14  # two flags, frame, check sequence
    assert hdlc_octets(b"\xff" * 100) == 124  # and 160 stuffed bits
