"""Telemetry and text: golden octets, and no payload that upsets a reader."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.messages import MAX_TEXT_PARTS, Telemetry, TextAssembler, TextPart, text_parts
from pantel_link.messages.telemetry import TelemetryError
from pantel_link.messages.text import TextError

TELEMETRY = Telemetry(battery_v=12.6, temperature_c=-4.5, latitude_deg=52.5163, longitude_deg=-13.3777)


def test_golden_telemetry() -> None:
    payload = TELEMETRY.to_payload(33)
    assert payload.hex() == "013138" + "02ffd3" + "031f4d59f8" + "04f806b998"
    assert Telemetry.from_payload(payload + bytes(10)) == TELEMETRY
    assert TELEMETRY.known() == {
        "battery_v": 12.6,
        "temperature_c": -4.5,
        "latitude_deg": 52.5163,
        "longitude_deg": -13.3777,
    }


def test_what_does_not_fit_is_left_out_and_what_cannot_be_told_is_clipped() -> None:
    assert TELEMETRY.to_payload(8) == bytes.fromhex("01313802ffd3")
    extreme = Telemetry(battery_v=-1.0, altitude_m=1e9, uptime_s=1e12)
    assert Telemetry.from_payload(extreme.to_payload(33)) == Telemetry(
        battery_v=0.0, altitude_m=32767.0, uptime_s=4294967295.0
    )


def test_a_reader_stops_at_a_tag_that_it_does_not_know() -> None:
    payload = Telemetry(battery_v=1.0).to_payload(33) + bytes([99, 1, 2]) + Telemetry(uptime_s=1.0).to_payload(33)
    assert Telemetry.from_payload(payload) == Telemetry(battery_v=1.0)


@given(st.binary(max_size=40))
def test_noise_is_telemetry_or_its_one_error(noise: bytes) -> None:
    try:
        telemetry = Telemetry.from_payload(noise)
    except TelemetryError:
        return
    assert Telemetry.from_payload(telemetry.to_payload(100)) == telemetry


def test_golden_text() -> None:
    (part,) = text_parts(258, "Grüße\n", 33)
    assert part.to_payload().hex() == "0200" + "4772c3bcc39f6520"
    assert TextPart.from_payload(part.to_payload() + bytes(5)) == part


@given(st.text(max_size=300), st.integers(0, 1000), st.integers(10, 113), st.randoms(use_true_random=False))
def test_lines_arrive_once_in_any_order(text: str, message: int, octets: int, generator: random.Random) -> None:
    parts = text_parts(message, text, octets)
    assert all(len(part.to_payload()) <= octets for part in parts)
    assert len(parts) <= MAX_TEXT_PARTS
    arriving = [TextPart.from_payload(part.to_payload()) for part in parts * 2]
    generator.shuffle(arriving)
    assembler = TextAssembler()
    lines = [line for part in arriving if (line := assembler.take("mast", part)) is not None]
    printable = "".join(character if character.isprintable() else " " for character in text)
    expected = printable.encode()[: (octets - 2) * MAX_TEXT_PARTS].decode(errors="ignore")
    assert lines == [expected]
    assert assembler.take("other mast", arriving[0]) == (expected if len(parts) == 1 else None)


@given(st.lists(st.binary(max_size=10), max_size=100))
def test_noise_is_text_or_its_one_error(noise: list[bytes]) -> None:
    assembler = TextAssembler()
    for payload in noise:
        try:
            part = TextPart.from_payload(payload)
        except TextError:
            continue
        assembler.take(0, part)


def test_parts_beyond_the_last_are_refused() -> None:
    with pytest.raises(TextError, match="part 3 of 2 parts"):
        TextPart.from_payload(bytes([0, 0x13]))
