from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.callsign import check_callsign, decode_callsign, encode_callsign
from pantel_link.errors import CallsignError

CALLSIGNS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/.", min_size=1, max_size=9)


def test_golden_callsign() -> None:
    # A=11 and B=12 in base 40, first character least significant
    assert encode_callsign("AB") == 11 + 40 * 12


@given(CALLSIGNS)
def test_callsigns_survive_the_wire(callsign: str) -> None:
    number = encode_callsign(callsign)
    assert number < 1 << 48
    assert decode_callsign(number) == callsign


@given(st.integers(0, (1 << 48) - 1))
def test_any_number_is_a_callsign_or_refused(number: int) -> None:
    try:
        callsign = decode_callsign(number)
    except CallsignError:
        return
    assert encode_callsign(callsign) == number


@pytest.mark.parametrize("callsign", ["", "TOOLONG123", "dl1abc", "DL1 ABC", "DL1\0", "É"])
def test_malformed_callsigns_are_refused(callsign: str) -> None:
    with pytest.raises(CallsignError, match="must be 1 to 9 characters"):
        check_callsign(callsign, on_air=False)


def test_the_default_stays_off_the_air() -> None:
    check_callsign("N0CALL", on_air=False)
    check_callsign("DL1ABC", on_air=True)
    with pytest.raises(CallsignError, match="set your own"):
        check_callsign("N0CALL", on_air=True)
