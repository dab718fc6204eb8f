"""Packets through the data modes of codec2, modems for shortwave: a frame arrives whole or not at all.

Their frames have a size, so packets travel in them with their lengths before them. Both halves of the modem run in this
process; what passes between them are the samples of a sound card, unchanged.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pantel_link import (
    Identity,
    Keyring,
    LengthClass,
    LinkReceiver,
    MasterKey,
    Packet,
    PacketKind,
    PacketProfile,
    Security,
    StreamContext,
    make_seal,
)

LIBRARY = ctypes.util.find_library("codec2")
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(LIBRARY is None, reason="needs the Debian package libcodec2-1.0"),
]

DATAC1 = 10
CHECKSUM_OCTETS = 2
FRAMES = 10


class Modem:
    """Both halves of a data mode."""

    def __init__(self, mode: int) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self._library.freedv_open.restype = ctypes.c_void_p
        self._library.freedv_gen_crc16.restype = ctypes.c_ushort
        self._modem = ctypes.c_void_p(self._library.freedv_open(mode))
        assert self._modem
        self._library.freedv_set_frames_per_burst(self._modem, 1)
        self._frame_octets = self._library.freedv_get_bits_per_modem_frame(self._modem) // 8
        self.payload_octets = self._frame_octets - CHECKSUM_OCTETS
        self.samples_hz: int = self._library.freedv_get_modem_sample_rate(self._modem)
        self._samples = self._library.freedv_get_n_tx_modem_samples(self._modem)

    def close(self) -> None:
        self._library.freedv_close(self._modem)

    def speak(self, payload: bytes) -> bytes:
        """Return the samples of a frame: preamble, data, postamble, and silence in which the modem turns round."""
        assert len(payload) == self.payload_octets
        checksum = self._library.freedv_gen_crc16(payload, self.payload_octets)
        frame = payload + checksum.to_bytes(CHECKSUM_OCTETS, "big")
        samples = (ctypes.c_short * self._samples)()
        spoken = bytes(samples)[: 2 * self._library.freedv_rawdatapreambletx(self._modem, samples)]
        self._library.freedv_rawdatatx(self._modem, samples, frame)
        spoken += bytes(samples)
        postamble = self._library.freedv_rawdatapostambletx(self._modem, samples)
        return spoken + bytes(samples)[: 2 * postamble] + bytes(2 * self.samples_hz // 5)

    def hear(self, samples: bytes) -> Iterator[bytes]:
        """Yield the payloads of the frames that are found and whose checksum fits."""
        frame = ctypes.create_string_buffer(self._frame_octets)
        at = 0
        while at + 2 * (wanted := self._library.freedv_nin(self._modem)) <= len(samples):
            heard = (ctypes.c_short * wanted).from_buffer_copy(samples, at)
            at += 2 * wanted
            if octets := self._library.freedv_rawdatarx(self._modem, frame, heard):
                assert octets == self._frame_octets
                yield frame.raw[: self.payload_octets]


@pytest.fixture
def modem() -> Iterator[Modem]:
    modem = Modem(DATAC1)
    yield modem
    modem.close()


def packed(packets: list[bytes], frame_octets: int) -> list[bytes]:
    """Return frames: each packet behind its length, zeros after the last."""
    frames = [b""]
    for packet in packets:
        item = bytes([len(packet)]) + packet
        if len(frames[-1]) + len(item) > frame_octets:
            frames.append(b"")
        frames[-1] += item
    return [frame.ljust(frame_octets, b"\0") for frame in frames]


def unpacked(frame: bytes) -> Iterator[bytes]:
    while frame and frame[0]:
        yield frame[1 : 1 + frame[0]]
        frame = frame[1 + frame[0] :]


def test_packets_cross_a_modem_for_shortwave(context: StreamContext, modem: Modem) -> None:
    keyed, master = replace(context, security=Security.AUTHENTICATED), MasterKey(bytes(range(32)))
    seal = make_seal(keyed, master.sender_key(keyed.sender, keyed.callsign).key)
    profile = PacketProfile(128, len)
    introduction = Packet(PacketKind.IDENT, keyed.sender, 0, 0, Identity(keyed).to_payload())
    packets = [profile.frame(introduction, seal, LengthClass.LIVE)]
    generator = np.random.default_rng(1)
    while len(packed(packets, modem.payload_octets)) < FRAMES:
        still = len(packets) % 3 == 0
        kind, length_class = (PacketKind.STILL, LengthClass.STILL) if still else (PacketKind.SCENE, LengthClass.LIVE)
        payload = generator.bytes(profile.payload_octets(length_class))
        packet = Packet(kind, keyed.sender, len(packets), len(packets) * 16 % 1024, payload)
        packets.append(profile.frame(packet, seal, length_class))
    frames = packed(packets, modem.payload_octets)

    samples = bytes(2 * modem.samples_hz // 2) + b"".join(modem.speak(frame) for frame in frames)
    heard = list(modem.hear(samples + bytes(2 * modem.samples_hz)))

    assert modem.payload_octets == 510
    assert heard == frames
    receiver = LinkReceiver(keyring=Keyring(master))
    arrived = [packet for frame in heard for packet in unpacked(frame)]
    assert arrived == packets
    assert sum(len(receiver.receive_packet(packet, 0)) for packet in arrived) == len(packets)
