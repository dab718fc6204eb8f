"""Somebody who knows all of this but no key: makes packets, and plays recordings of genuine ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.firmware_link.attacks.report import Report
from tests.firmware_link.attacks.station import MASTER, Mast, Station

from pantel_link import Keyring, LinkReceiver, MasterKey, Packet, PacketKind, Security, make_seal
from pantel_link.packet import HEADER_OCTETS
from pantel_link.seal import TRAILER_OCTETS

__all__ = ["attack_with_forgeries", "attack_with_jammed", "attack_with_recordings"]

_SECURITIES = (Security.AUTHENTICATED, Security.ENCRYPTED)
_SESSION = 1000
_HISTORY = 64
_INTRUDER = MasterKey(b"intruder" * 4)


def attack_with_forgeries(report: Report, count: int, generator: random.Random) -> None:
    """Try so many packets made without the key of their stream; genuine ones go on being heard."""
    for start in range(0, count, _SESSION):
        station = Station(generator, _SECURITIES[start // _SESSION % 2])
        for mast in station.masts:
            _speak(station, mast, PacketKind.IDENT, report)
            for _ in range(20):
                _speak(station, mast, None, report)
        for _ in range(min(_SESSION, count - start)):
            name, forge = generator.choice(_FORGERIES)
            forged = forge(generator, station)
            known = station.receiver.contexts, station.receiver.newest
            report.forged[name] += 1
            heard = station.hear(forged, report)
            report.forged_accepted[name] += bool(heard) or known != (station.receiver.contexts, station.receiver.newest)
            if generator.random() < 0.1:
                _speak(station, generator.choice(station.masts), None, report)
        station.close(report)


def _speak(station: Station, mast: Mast, kind: PacketKind | None, report: Report) -> None:
    packet = mast.next_packet(station.generator, kind)
    station.note(mast, packet)
    octets = packet.to_bytes(mast.seal)
    station.recent.append(octets)
    station.expect(mast, packet, station.hear(octets, report), report)


def _next_packet(generator: random.Random, station: Station) -> tuple[Mast, Packet]:
    """Return a packet as the intruder would like to send it: the next of a mast, with a content of his own."""
    mast = generator.choice(station.masts)
    twin = Mast(mast.context, mast.counter + generator.choice((0, 0, 1, 5, -3, 1024)))
    return mast, twin.next_packet(generator, generator.choice((PacketKind.IDENT, None, None)))


def _random_trailer(generator: random.Random, station: Station) -> bytes:
    mast, packet = _next_packet(generator, station)
    return packet.to_bytes(mast.seal)[:-TRAILER_OCTETS] + generator.randbytes(TRAILER_OCTETS)


def _copied_trailer(generator: random.Random, station: Station) -> bytes:
    mast, packet = _next_packet(generator, station)
    return packet.to_bytes(mast.seal)[:-TRAILER_OCTETS] + generator.choice(station.recent)[-TRAILER_OCTETS:]


def _own_master_key(generator: random.Random, station: Station) -> bytes:
    mast, packet = _next_packet(generator, station)
    return packet.to_bytes(Mast(mast.context, 0, _INTRUDER).seal)


def _stolen_key(generator: random.Random, station: Station) -> bytes:
    """Return what the thief of another mast can make: he has the key of that one."""
    mast, packet = _next_packet(generator, station)
    stolen = generator.choice((MASTER.sender_key(9, "DL1ABC"), MASTER.sender_key(5, "DL1ABD")))
    return packet.to_bytes(make_seal(mast.context, stolen.key))


def _checksum(generator: random.Random, station: Station) -> bytes:
    """Return a packet with the right CRC-32, of the stream or of one that claims to need no key."""
    mast, _ = _next_packet(generator, station)
    version = generator.choice((1, 2))
    claimed = replace(
        mast.context, security=Security.CHECKED, version=version, model_hash=mast.context.model_hash.ljust(5 - version)
    )
    twin = Mast(claimed, mast.counter)
    return twin.next_packet(generator, generator.choice((PacketKind.IDENT, None))).to_bytes(twin.seal)


def _changed_body(generator: random.Random, station: Station) -> bytes:
    """Return a genuine packet of which the header or the payload says something else."""
    octets = bytearray(generator.choice(station.recent))
    for _ in range(generator.randrange(1, 4)):
        at = generator.randrange(len(octets) - TRAILER_OCTETS)
        octets[at] = (octets[at] + generator.randrange(1, 256)) % 256
    return bytes(octets) if bytes(octets) not in station.recent else _random_trailer(generator, station)


def _new_epoch(generator: random.Random, station: Station) -> bytes:
    """Return an IDENT that would end the stream of a mast, were it believed."""
    mast, _ = _next_packet(generator, station)
    twin = Mast(replace(mast.context, epoch=mast.context.epoch + generator.randrange(1, 1000)), 0, _INTRUDER)
    trailer = generator.choice((generator.choice(station.recent)[-TRAILER_OCTETS:], generator.randbytes(4)))
    return twin.next_packet(generator, PacketKind.IDENT).to_bytes(twin.seal)[:-TRAILER_OCTETS] + trailer


def _other_header(generator: random.Random, station: Station) -> bytes:
    """Return the content of one genuine packet behind the header of another."""
    header, body = generator.sample(list(station.recent), 2)
    return header[:HEADER_OCTETS] + body[HEADER_OCTETS:]


_FORGERIES: tuple[tuple[str, Callable[[random.Random, Station], bytes]], ...] = (
    ("with a random trailer", _random_trailer),
    ("with the trailer of another packet", _copied_trailer),
    ("with a key of the intruder's own", _own_master_key),
    ("with the stolen key of another mast", _stolen_key),
    ("with a checksum", _checksum),
    ("with a changed content", _changed_body),
    ("of a new epoch", _new_epoch),
    ("with the header of another packet", _other_header),
)


class _Memory:
    """What survives a restart of the receiver."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[int, int]] = {}

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        return self._known.get((sender, callsign))

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        name = sender, callsign
        self._known[name] = max(self._known.get(name, (-1, 0)), (epoch, counter))


class _Eavesdropper:
    """Records all packets of a mast; of some he sees to it that the receiver does not hear them.

    Attributes:
        mast: The mast.
        receiver: Of its packets.
        heard: Recordings of packets that the receiver has heard.
        jammed: Recordings of those that it has not, with their counters.
    """

    def __init__(self, generator: random.Random, security: Security) -> None:
        self._generator = generator
        self._memory = _Memory()
        self.mast = Station(generator, security).masts[0]
        self.receiver = self._new_receiver()
        self.heard: list[bytes] = []
        self.jammed: list[tuple[int, bytes]] = []
        self.send(self.mast, generator.randrange(100, 400))

    @property
    def recordings(self) -> list[bytes]:
        """What is no late packet any more."""
        return self.heard + [octets for counter, octets in self.jammed if self.mast.counter - 1 - counter >= _HISTORY]

    def send(self, mast: Mast, count: int) -> None:
        """Let a mast send, and the receiver hear most of it, the first and the last packet among that."""
        for number in range(count):
            packet = mast.next_packet(self._generator, PacketKind.IDENT if number % 40 == 0 else None)
            octets = packet.to_bytes(mast.seal)
            if mast is self.mast and 0 < number < count - 1 and self._generator.random() < 0.3:
                self.jammed.append((packet.counter, octets))
                continue
            if not self.receiver.receive_packet(octets, packet.counter * 400_000_000):
                raise AssertionError("a genuine packet was not delivered")
            if mast is self.mast:
                self.heard.append(octets)

    def restart_receiver(self) -> None:
        """Let the receiver start again, with what it keeps over restarts."""
        self.receiver = self._new_receiver()

    def restart_mast(self) -> None:
        """Let the mast start again, with a new epoch, and be heard."""
        self.send(Mast(replace(self.mast.context, epoch=self.mast.context.epoch + 1), 0), 20)

    def play(self, recordings: list[bytes]) -> int:
        """Play recordings, those of IDENT packets first, which may help the others; return how many are delivered."""
        self._generator.shuffle(recordings)
        recordings.sort(key=lambda octets: octets[0] & 0x3C != 0)
        return sum(len(self.receiver.receive_packet(octets, 1 << 50)) for octets in recordings)

    def _new_receiver(self) -> LinkReceiver:
        return LinkReceiver(keyring=Keyring(MASTER), memory=self._memory)


def _at_once(_: _Eavesdropper) -> None:
    """Play what has just been heard."""


def _after_the_numbers(eavesdropper: _Eavesdropper) -> None:
    """Play when the sequence numbers, which are all that packets tell, are the same again."""
    eavesdropper.send(eavesdropper.mast, 1024 - 100)


def _after_a_restart(eavesdropper: _Eavesdropper) -> None:
    """Play to a receiver that has just started."""
    eavesdropper.restart_receiver()


def _after_another_epoch(eavesdropper: _Eavesdropper) -> None:
    """Play when the mast has started again; what was jammed may come late no longer."""
    eavesdropper.restart_mast()


def _after_both(eavesdropper: _Eavesdropper) -> None:
    """Play when both have started again."""
    eavesdropper.restart_mast()
    eavesdropper.restart_receiver()


def _among_many(eavesdropper: _Eavesdropper) -> None:
    """Play when so many others have been heard that the stream is none of those that the receiver follows."""
    for sender in range(10, 30):
        eavesdropper.send(Mast(replace(eavesdropper.mast.context, sender=sender), 7), 2)


OCCASIONS: dict[str, Callable[[_Eavesdropper], None]] = {
    "at once": _at_once,
    "when the numbers have come round": _after_the_numbers,
    "after a restart of the receiver": _after_a_restart,
    "after a restart of the mast": _after_another_epoch,
    "after a restart of both": _after_both,
    "when many others have been heard": _among_many,
}
"""When recordings are played. What came within 63 packets of the newest and was not heard yet is late, no recording."""
JAMMED = "after a restart of the mast, never heard before"


def attack_with_recordings(report: Report, count: int, generator: random.Random) -> None:
    """Play so many recordings, on all occasions."""
    number = 0
    while report.replayed.total() < count:
        name, wait = list(OCCASIONS.items())[number // 2 % len(OCCASIONS)]
        eavesdropper = _Eavesdropper(generator, _SECURITIES[number % 2])
        recordings = eavesdropper.recordings
        wait(eavesdropper)
        recordings = recordings[: count - report.replayed.total()]
        report.replayed[name] += len(recordings)
        report.replayed_accepted[name] += eavesdropper.play(recordings)
        number += 1


def attack_with_jammed(report: Report, count: int, generator: random.Random) -> None:
    """Play what a mast sent before it started again and what the receiver has never heard."""
    while report.replayed[JAMMED] < count:
        eavesdropper = _Eavesdropper(generator, generator.choice(_SECURITIES))
        eavesdropper.restart_mast()
        recordings = [octets for _, octets in eavesdropper.jammed][: count - report.replayed[JAMMED]]
        report.replayed[JAMMED] += len(recordings)
        report.replayed_accepted[JAMMED] += eavesdropper.play(recordings)
