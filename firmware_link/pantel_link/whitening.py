"""Whitening: codewords are XORed with a fixed pseudo-random sequence.

Payloads end in zeros, and long runs of equal bits starve the clock recovery of an FSK modem. The sequence is
that of CCSDS 131.0-B (the "pseudo-randomizer"): a shift register x^8 + x^7 + x^5 + x^3 + 1 that starts at all
ones, 0xFF 0x48 0x0E 0xC0 0x9A ..., restarted for each codeword, so whitening twice changes nothing.
"""

from __future__ import annotations

from functools import cache

__all__ = ["whiten"]


@cache
def _sequence(size_octets: int) -> int:
    """Return the first octets of the sequence as one big-endian number."""
    register = 0xFF  # bit 7 is the next output
    sequence = 0
    for _ in range(8 * size_octets):
        sequence = sequence << 1 | register >> 7
        feedback = (register >> 7 ^ register >> 4 ^ register >> 2 ^ register) & 1
        register = (register << 1 | feedback) & 0xFF
    return sequence


def whiten(codeword: bytes) -> bytes:
    """Return the codeword XORed with the sequence."""
    size_octets = len(codeword)
    whitened = int.from_bytes(codeword, "big") ^ _sequence(size_octets)
    return whitened.to_bytes(size_octets, "big")
