"""Telemetry, text and alarms: golden octets, and no payload that upsets a reader."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.messages import MAX_TEXT_PARTS, Alarm, Telemetry, TextAssembler, TextPart, text_parts
from pantel_link.messages.alarm import AlarmError
from pantel_link.messages.telemetry import TelemetryError
from pantel_link.messages.text import TextError
from pantel_link.region import Region

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


ALARM = Alarm(200, began=True, class_id=1, age_s=2.3, region=Region.from_steps(51, 102, 68, 255), zone="Tür")
_SIDE = st.tuples(st.integers(0, 255), st.integers(0, 255)).filter(lambda side: side[0] < side[1])
REGIONS = st.builds(lambda x, y: Region.from_steps(x[0], y[0], x[1], y[1]), _SIDE, _SIDE)
ALARMS = st.builds(
    Alarm,
    number=st.integers(0, 255),
    began=st.booleans(),
    class_id=st.integers(0, 127),
    age_s=st.integers(0, 4095).map(lambda steps: steps / 10),
    region=REGIONS,
    zone=st.text(max_size=40),
)


def test_golden_alarm() -> None:
    payload = ALARM.to_payload(33)
    assert payload.hex() == "c8" + "81" + "0170" + "336644ff" + "54c3bc72"
    assert Alarm.from_payload(payload + bytes(10)) == ALARM
    left = replace(ALARM, began=False, class_id=0, zone="")
    assert left.to_payload(33).hex() == "c8" + "00" + "0170" + "336644ff"


@given(ALARMS, st.integers(8, 48))
def test_alarms_arrive_with_as_much_of_the_name_as_fits(alarm: Alarm, octets: int) -> None:
    payload = alarm.to_payload(octets)
    assert len(payload) <= octets
    read = Alarm.from_payload(payload.ljust(octets, b"\0"))
    assert replace(read, zone=alarm.zone) == alarm
    shown = "".join(character if character.isprintable() else " " for character in alarm.zone)
    assert shown.startswith(read.zone)
    rest = shown[len(read.zone) :]
    assert rest == "" or len(payload) + len(rest[0].encode()) > octets


@given(st.binary(max_size=40))
def test_noise_is_an_alarm_or_its_one_error(noise: bytes) -> None:
    try:
        alarm = Alarm.from_payload(noise)
    except AlarmError:
        return
    assert alarm.zone.isprintable()
    assert Alarm.from_payload(alarm.to_payload(200)) == alarm


@pytest.mark.parametrize(("age_s", "told_s"), [(-0.3, 0.0), (0.04, 0.0), (0.06, 0.1), (409.5, 409.5), (1e6, 409.5)])
def test_ages_are_told_in_tenths_of_a_second_and_not_beyond_their_field(age_s: float, told_s: float) -> None:
    assert Alarm.from_payload(replace(ALARM, age_s=age_s).to_payload(33)).age_s == told_s


def test_what_is_reserved_is_not_read() -> None:
    payload = bytearray(ALARM.to_payload(33))
    payload[3] |= 15
    assert Alarm.from_payload(bytes(payload)) == ALARM


@pytest.mark.parametrize("octets", ["c881017033664400", "c8810170ff6644ff", "c8810170336644", ""])
def test_alarms_about_no_place_are_refused(octets: str) -> None:
    with pytest.raises(AlarmError):
        Alarm.from_payload(bytes.fromhex(octets))


def test_a_region_is_told_by_the_smallest_that_holds_it() -> None:
    assert Region(0.5, 0.0, 0.501, 1.0).to_steps() == (127, 0, 128, 255)
    with pytest.raises(ValueError, match="a region lies within"):
        Region.from_steps(4, 0, 4, 255)


@given(REGIONS)
def test_regions_of_whole_steps_are_told_exactly(region: Region) -> None:
    assert Region.from_steps(*region.to_steps()) == region
