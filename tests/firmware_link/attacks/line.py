"""Noise and malice on the line: random, changed, cut, spliced and reordered packets and codewords."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from tests.firmware_link.attacks.report import Report
from tests.firmware_link.attacks.station import Station

from pantel_link import ReceivedPacket, Security
from pantel_link.fec import reed_solomon
from pantel_link.framing import announced_format, frame_packet
from pantel_link.packet import HEADER_OCTETS
from pantel_link.seal import TRAILER_OCTETS
from pantel_link.whitening import whiten
from pantel_link.wire_format import MARKER_OCTETS, WIRE_FORMATS

__all__ = ["attack_codewords", "attack_packets", "changed"]

_SESSION = 2000
_GENUINE_RATE = 0.12
_WHOLE_CODEWORD_RATE = 0.2
_MODES = ((Security.CHECKED, 2), (Security.AUTHENTICATED, 2), (Security.ENCRYPTED, 2), (Security.CHECKED, 1))


def attack_packets(report: Report, count: int, generator: random.Random) -> None:
    """Try so many packets on receivers of all kinds; genuine ones come in between."""
    for start in range(0, count, _SESSION):
        station = Station(generator, *_MODES[start // _SESSION % len(_MODES)])
        for _ in range(min(_SESSION, count - start)):
            report.inputs["packets"] += 1
            if generator.random() < _GENUINE_RATE:
                station.speak(report)
            else:
                station.hear(generator.choice(_PACKETS)(generator, station), report)
        station.close(report)


def attack_codewords(report: Report, count: int, generator: random.Random) -> None:
    """Try so many pieces of a stream of octets; the genuine codewords among them must be found."""
    for start in range(0, count, _SESSION):
        station = Station(generator, *_MODES[start // _SESSION % len(_MODES)])
        for _ in range(min(_SESSION, count - start)):
            report.inputs["codewords"] += 1
            if generator.random() < _GENUINE_RATE:
                _speak_codeword(generator, station, report)
                continue
            octets = generator.choice(_CODEWORDS)(generator, station)
            if generator.random() < _WHOLE_CODEWORD_RATE:
                _read(station, octets, report, partial(station.receiver.receive_codeword, octets, station.now_ns))
            else:
                _hear_stream(generator, station, octets, report)
        station.close(report)


def changed(generator: random.Random, octets: bytes) -> bytes:
    """Return octets of which something is different, missing, added or moved; now and then nothing is."""
    changed_octets = bytearray(octets)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        at = generator.randrange(len(changed_octets) + 1)
        length = generator.randrange(1, 5)
        match generator.randrange(6):
            case 0 | 1 if at < len(changed_octets):
                changed_octets[at] ^= 1 << generator.randrange(8)
            case 2 if at < len(changed_octets):
                changed_octets[at] = generator.randrange(256)
            case 3:
                del changed_octets[at : at + length]
            case 4:
                changed_octets[at:at] = generator.randbytes(length)
            case _:
                changed_octets[at:at] = changed_octets[generator.randrange(len(changed_octets) + 1) :][:length]
    return bytes(changed_octets)


def _noise(generator: random.Random, _: Station) -> bytes:
    return generator.randbytes(generator.randrange(260))


def _headed(generator: random.Random, station: Station) -> bytes:
    """Return a header as a mast would write it, and noise behind it."""
    mast = generator.choice(station.masts)
    kind, tick = generator.randrange(16), generator.randrange(1024)
    sequence = (mast.counter + generator.randrange(-80, 80)) % 1024
    header = mast.context.version << 30 | kind << 26 | mast.context.sender << 20 | sequence << 10 | tick
    return header.to_bytes(HEADER_OCTETS, "big") + generator.randbytes(generator.randrange(60))


def _old(generator: random.Random, station: Station) -> bytes:
    return generator.choice(station.recent)


def _changed(generator: random.Random, station: Station) -> bytes:
    return changed(generator, _old(generator, station))


def _flipped(generator: random.Random, station: Station) -> bytes:
    """Return a packet with a few wrong bits behind its header."""
    octets = bytearray(_old(generator, station))
    for _ in range(generator.randrange(1, 5)):
        octets[generator.randrange(HEADER_OCTETS, len(octets))] ^= 1 << generator.randrange(8)
    return bytes(octets)


def _cut(generator: random.Random, station: Station) -> bytes:
    octets = _old(generator, station)
    first, last = sorted(generator.choices(range(len(octets) + 1), k=2))
    return generator.choice((octets[first:], octets[:last], octets[first:last]))


def _spliced(generator: random.Random, station: Station) -> bytes:
    one, other = _old(generator, station), _old(generator, station)
    return one[: generator.randrange(len(one) + 1)] + other[generator.randrange(len(other) + 1) :]


def _retrailed(generator: random.Random, station: Station) -> bytes:
    """Return a packet with the trailer of another one, or with a random one."""
    trailer = generator.choice((_old(generator, station)[-TRAILER_OCTETS:], generator.randbytes(TRAILER_OCTETS)))
    return _old(generator, station)[:-TRAILER_OCTETS] + trailer


def _stranger(generator: random.Random, station: Station) -> bytes:
    return generator.choice(station.strangers)


_PACKETS: tuple[Callable[[random.Random, Station], bytes], ...] = (
    _noise,
    _headed,
    _old,
    _changed,
    _changed,
    _flipped,
    _flipped,
    _cut,
    _spliced,
    _retrailed,
    _stranger,
)


def _speak_codeword(generator: random.Random, station: Station, report: Report) -> None:
    wire_format = generator.choice(WIRE_FORMATS)
    mast, packet = station.next_packet(wire_format.payload_octets)
    station.note(mast, packet, wire_format.payload_octets)
    octets = frame_packet(packet, mast.seal, wire_format)
    station.recent.append(octets)
    station.expect(mast, packet, _hear_stream(generator, station, octets, report), report)


def _hear_stream(generator: random.Random, station: Station, octets: bytes, report: Report) -> list[ReceivedPacket]:
    """Let octets arrive in pieces of any size."""
    received = []
    while octets:
        size = generator.randrange(1, 64)
        read = partial(station.receiver.receive, octets[:size], station.now_ns)
        received += _read(station, octets[:size], report, read)
        octets = octets[size:]
    return received


def _read(
    station: Station, octets: bytes, report: Report, read: Callable[[], list[ReceivedPacket]]
) -> list[ReceivedPacket]:
    station.now_ns += 8 * len(octets) * 1_000_000_000 // 960
    before = station.keyring.checks
    received = report.attempt(octets, read) or []
    report.checked += station.keyring.checks > before
    station.judge(received, report)
    return received


def _with_errors(generator: random.Random, station: Station) -> bytes:
    """Return a codeword with wrong octets: a few, or more than any parity corrects."""
    octets = bytearray(_old(generator, station))
    for at in generator.sample(range(len(octets)), min(len(octets), generator.choice((1, 2, 3, 4, 6, 9, 18)))):
        octets[at] ^= generator.randrange(1, 256)
    return bytes(octets)


def _with_slips(generator: random.Random, station: Station) -> bytes:
    """Return a codeword that lost or gained octets, most of them near its end, where parity may still mend it."""
    octets = bytearray(_old(generator, station))
    at = max(0, len(octets) - generator.choice((1, 2, 4, 8, 40, 120)))
    if generator.random() < 0.5:
        del octets[at : at + generator.randrange(1, 5)]
    else:
        octets[at:at] = generator.randbytes(generator.randrange(1, 5))
    return bytes(octets)


def _with_good_parity(generator: random.Random, station: Station) -> bytes:
    """Return what error correction has nothing to say against."""
    octets = _old(generator, station)
    wire_format = announced_format(int.from_bytes(octets[:MARKER_OCTETS], "big"))
    if wire_format is None or generator.random() < 0.3:
        wire_format = generator.choice(WIRE_FORMATS)
        message = _headed(generator, station)
    else:
        message = changed(generator, whiten(octets[MARKER_OCTETS:])[: wire_format.packet_octets])
    message = message[: wire_format.packet_octets].ljust(wire_format.packet_octets, b"\0")
    return wire_format.marker.to_bytes(MARKER_OCTETS, "big") + whiten(reed_solomon(wire_format).encode(message))


_CODEWORDS: tuple[Callable[[random.Random, Station], bytes], ...] = (
    _noise,
    _old,
    _changed,
    _cut,
    _spliced,
    _with_errors,
    _with_slips,
    _with_good_parity,
    _with_good_parity,
)
