"""Packets through a KISS modem (TNC), by TCP or a serial line, wrapped in AX.25 unless the modem takes any octets."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from pantel_link.callsign import DEFAULT_CALLSIGN
from pantel_link.ports.ax25 import Ax25Error, UiFrame, hdlc_octets
from pantel_link.ports.base import PacketPort, Port
from pantel_link.ports.kiss import KissCommand, KissDecoder, KissFrame
from pantel_link.ports.serial_port import SerialPort
from pantel_link.ports.tcp import TcpPort
from pantel_link.ports.url_options import PortUrl

__all__ = ["KissPort", "KissSettings", "open_kiss_serial", "open_kiss_tcp"]

_OPTIONS = ("ax25", "txdelay_ms", "txtail_ms", "persistence", "slot_ms", "air_bps", "extra_octets")
_STEP_MS = 10
_TIMES_MS = range(255 * _STEP_MS + 1)

_TXDELAY_MS = 300
_TXTAIL_MS = 100
_AIR_BPS = 1200

_AX25_PACKET_OCTETS = 256  # what every TNC takes (N1 of AX.25)
_BARE_PACKET_OCTETS = 255  # what a LoRa radio's length octet can say
_LONGEST_FRAME_OCTETS = 1024  # other programs' frames may be longer than ours and are no damage

_READ_OCTETS = 4096
_READS = 16  # so that a babbling line cannot keep us for ever


@dataclass(frozen=True, slots=True)
class KissSettings:
    """What is asked of the modem, and what is charged for it; None leaves the modem's own setting, uncharged.

    Attributes:
        callsign: Source of the AX.25 frames; None for a modem that takes any octets, as a LoRa module does.
        txdelay_ms: From keying the transmitter until data may follow; KISS command 1.
        txtail_ms: From the end of the data until the transmitter is off; KISS command 4.
        persistence: Transmit into a free slot with probability (p + 1) / 256; KISS command 2.
        slot_ms: Length of a slot; KISS command 3.
        air_bps: Bit rate of the modem on the air, which says how many octets the two times are.
        extra_octets: What else the modem adds to each packet, such as check octets of FX.25 or LoRa's preamble.
    """

    callsign: str | None = DEFAULT_CALLSIGN
    txdelay_ms: int | None = _TXDELAY_MS
    txtail_ms: int | None = _TXTAIL_MS
    persistence: int | None = None
    slot_ms: int | None = None
    air_bps: int = _AIR_BPS
    extra_octets: int = 0

    @classmethod
    def parse(cls, url: PortUrl, callsign: str) -> Self:
        """Return the settings that the options of a URL say.

        Raises:
            PortError: One of them is impossible, or the callsign is no AX.25 address.
        """
        ax25 = bool(url.number("ax25", range(2), 1))
        if ax25:
            try:
                UiFrame(callsign, b"").to_bytes()
            except Ax25Error as error:
                raise url.error(f"callsign {error}; set ax25=0 if the modem takes any octets") from error
        return cls(
            callsign=callsign if ax25 else None,
            txdelay_ms=url.number("txdelay_ms", _TIMES_MS, _TXDELAY_MS if ax25 else None),
            txtail_ms=url.number("txtail_ms", _TIMES_MS, _TXTAIL_MS if ax25 else None),
            persistence=url.number("persistence", range(256), None),
            slot_ms=url.number("slot_ms", _TIMES_MS, None),
            air_bps=url.number("air_bps", range(1, 1_000_001), _AIR_BPS),
            extra_octets=url.number("extra_octets", range(1001), 0),
        )

    def commands(self) -> bytes:
        """Return the KISS commands that set the modem, times rounded up to its steps of 10 ms."""
        arguments = {
            KissCommand.TXDELAY: _steps(self.txdelay_ms),
            KissCommand.TXTAIL: _steps(self.txtail_ms),
            KissCommand.PERSISTENCE: self.persistence,
            KissCommand.SLOT_TIME: _steps(self.slot_ms),
        }
        frames = [KissFrame(command, bytes([each])) for command, each in arguments.items() if each is not None]
        return b"".join(frame.to_bytes() for frame in frames)

    def keying_octets(self) -> int:
        """Return what the modem could send while the transmitter is on without data, begun octets whole.

        The modem fills these times with flags at its own bit rate, and each octet of them counts on the link as
        any other. So if the modem is faster than the link, the charge is more than the time on the air.
        """
        steps = (_steps(self.txdelay_ms) or 0) + (_steps(self.txtail_ms) or 0)
        return -(-steps * _STEP_MS * self.air_bps // 8000)


class KissPort(PacketPort):
    """Packets on a line to a KISS modem.

    A packet costs what the dearer part of its way carries. On the air: flags, AX.25 header, packet, check
    sequence, stuffed bits, the octets of `KissSettings.keying_octets` for each packet (though a modem may send
    several packets at one keying) and the extra ones. On the line to the modem: the escaped KISS frame.

    Args:
        name: For messages.
        stream: The line; this port closes it.
        settings: What is asked of the modem.

    Attributes:
        foreign_frames: Frames that were no packets of ours: other programs' on the channel, or commands.
    """

    on_air = True

    def __init__(self, name: str, stream: Port, settings: KissSettings) -> None:
        self.name = name
        self.max_packet_octets = _BARE_PACKET_OCTETS if settings.callsign is None else _AX25_PACKET_OCTETS
        self.crossing_bps = settings.air_bps
        self.foreign_frames = 0
        self._stream = stream
        self._settings = settings
        self._decoder = KissDecoder(_LONGEST_FRAME_OCTETS)
        self._unsent = settings.commands()

    @property
    def bad_frames(self) -> int:
        """Frames from the modem that were damaged."""
        return self._decoder.bad_frames

    def read(self, max_octets: int) -> bytes:
        """Return the next packet that the modem has heard; see `PacketPort.read`."""
        self._check_open()
        self._flush()
        for _ in range(_READS):
            while (frame := self._decoder.pop()) is not None:
                packet = self._unwrap(frame)
                if len(packet) > max_octets:
                    self.dropped += 1
                elif packet:
                    return packet
            octets = self._stream.read(_READ_OCTETS)
            if not octets:
                break
            self._decoder.push(octets)
        return b""

    def write(self, octets: bytes) -> int:
        """Hand a packet to the modem, which tells nobody when it is full; 0 while the line is.

        What the line takes only in part is finished by later calls of `read` and `write`, before the next packet.
        """
        self._check_packet(octets)
        self._flush()
        if self._unsent:
            return 0
        self._unsent = self._frame(octets).to_bytes()
        self._flush()
        return len(octets)

    def wire_octets(self, packet: bytes) -> int:
        """Return the octets on the air or on the line to the modem, whichever are more; see the class."""
        frame = self._frame(packet)
        sent = len(frame.octets) if self._settings.callsign is None else hdlc_octets(frame.octets)
        return max(len(frame.to_bytes()), sent + self._settings.keying_octets() + self._settings.extra_octets)

    def _frame(self, packet: bytes) -> KissFrame:
        callsign = self._settings.callsign
        return KissFrame(KissCommand.DATA, packet if callsign is None else UiFrame(callsign, packet).to_bytes())

    def _unwrap(self, frame: KissFrame) -> bytes:
        """Return the packet in a frame; empty, and counted, if it is none of ours."""
        packet = b""
        if frame.command == KissCommand.DATA and frame.port == 0:
            with suppress(Ax25Error):  # what others say on the channel
                packet = frame.octets if self._settings.callsign is None else UiFrame.from_bytes(frame.octets).packet
        if not packet:
            self.foreign_frames += 1
        return packet

    def _flush(self) -> None:
        while self._unsent:
            accepted = self._stream.write(self._unsent)
            if not accepted:
                break
            self._unsent = self._unsent[accepted:]

    def _release(self) -> None:
        self._stream.close()


def open_kiss_tcp(url: str, baud_rate: int, callsign: str) -> KissPort:  # noqa: ARG001 - as all adapters
    """Open a modem program that serves KISS by TCP, such as direwolf on port 8001.

    Args:
        url: ``kiss+tcp://host:port``, with the options of `KissSettings`.
        baud_rate: Ignored.
        callsign: Source of the AX.25 frames.

    Raises:
        PortError: It cannot be opened.
    """
    parsed = PortUrl.parse(url, _OPTIONS)
    settings = KissSettings.parse(parsed, callsign)
    return KissPort(url, TcpPort(*parsed.host_and_port(), url), settings)


def open_kiss_serial(url: str, baud_rate: int, callsign: str) -> KissPort:
    """Open a modem on a serial line.

    Args:
        url: ``kiss+serial:/dev/ttyUSB0``, with the options of `KissSettings`.
        baud_rate: Rate of the line to the modem; the rate on the air is the option ``air_bps``.
        callsign: Source of the AX.25 frames.

    Raises:
        PortError: It cannot be opened.
    """
    parsed = PortUrl.parse(url, _OPTIONS)
    settings = KissSettings.parse(parsed, callsign)
    device = parsed.address.partition(":")[2]
    if not device:
        raise parsed.error("name a device, as in kiss+serial:/dev/ttyUSB0")
    return KissPort(url, SerialPort(device, baud_rate), settings)


def _steps(time_ms: int | None) -> int | None:
    return None if time_ms is None else -(-time_ms // _STEP_MS)
