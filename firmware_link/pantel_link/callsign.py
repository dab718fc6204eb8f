"""Callsigns: which are allowed, and how nine characters travel in six octets."""

from __future__ import annotations

from pantel_link.errors import CallsignError

__all__ = [
    "CALLSIGN_BITS",
    "DEFAULT_CALLSIGN",
    "MAX_CALLSIGN_CHARACTERS",
    "check_callsign",
    "decode_callsign",
    "encode_callsign",
]

DEFAULT_CALLSIGN = "N0CALL"
MAX_CALLSIGN_CHARACTERS = 9
CALLSIGN_BITS = 48

# Base 40, as SSDV packs callsigns; digit 0 means "no character", and 40^9 < 2^48.
_ALPHABET = "\0" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/."


def encode_callsign(callsign: str) -> int:
    """Return the callsign as a base-40 number below 2^48, first character least significant.

    Raises:
        CallsignError: It is empty, too long, or has other characters than A-Z, 0-9, ``-``, ``/`` and ``.``.
    """
    if not 1 <= len(callsign) <= MAX_CALLSIGN_CHARACTERS or any(c not in _ALPHABET[1:] for c in callsign):
        raise CallsignError(
            f"callsign {callsign!r} must be 1 to {MAX_CALLSIGN_CHARACTERS} characters of A-Z, 0-9, - / ."
        )
    number = 0
    for character in reversed(callsign):
        number = number * 40 + _ALPHABET.index(character)
    return number


def decode_callsign(number: int) -> str:
    """Return the callsign of a base-40 number.

    Raises:
        CallsignError: No callsign is encoded so.
    """
    characters = []
    rest = number
    while rest:
        rest, digit = divmod(rest, 40)
        characters.append(_ALPHABET[digit])
    callsign = "".join(characters)
    encode_callsign(callsign)  # refuses gaps and excess length
    return callsign


def check_callsign(callsign: str, *, on_air: bool) -> None:
    """Refuse a callsign that must not be sent.

    Args:
        callsign: The operator's callsign.
        on_air: Whether the port leads out of this machine (`Port.on_air`).

    Raises:
        CallsignError: It is malformed, or it is the default one and the port is a real one.
    """
    encode_callsign(callsign)
    if on_air and callsign == DEFAULT_CALLSIGN:
        raise CallsignError(f"callsign {DEFAULT_CALLSIGN} is only the default: set your own to transmit on a real port")
