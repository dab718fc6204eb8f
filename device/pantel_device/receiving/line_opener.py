"""Opens the lines of a receiver as its configuration wants them, also those whose ports come later."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from pantel_device.capture_file import open_capture
from pantel_device.command import UsageError, used_wrongly
from pantel_device.config import ReceiverConfig
from pantel_device.config.line import LineConfig
from pantel_device.daemon import Core
from pantel_device.receiving.line import Line
from pantel_device.receiving.opening import Opening
from pantel_device.receiving.receiver import PICTURE_INTERVAL_NS
from pantel_device.service import ServiceSession
from pantel_link import Clock, LinkReceiver, PluginError, Port, PortError, PortNameError, open_port
from pantel_link.captures import CaptureHeader
from pantel_link.ports import PacketPort, reconnecting
from pantel_link.streams import KnownStreams

__all__ = ["MAX_PACKETS_PER_S", "LateLines", "LineOpener", "MissingLine", "OpenLine"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_RETRY_NS = 4 * _NS_PER_S
MAX_PACKETS_PER_S = 300
"""How many packets that arrive whole are looked at on a port: a sender makes 3 a second, and 64 may share it."""

# Where keys are used, that many chances would let a forger of 4 octets succeed within months; so it takes 6 years.
_MAX_UNPROVED_PER_S = 20


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line whose port is open.

    Attributes:
        port: Of the line.
        link: Makes packets of what it brings.
        bitrate_bps: Of the line.
    """

    port: Port
    link: LinkReceiver
    bitrate_bps: int


@dataclass(slots=True, eq=False)
class MissingLine:
    """A line whose port is missing.

    Attributes:
        config: Of the line.
        line: What the receiver has of it.
        opening: Opens its port.
        reason: Why it could not be opened.
    """

    config: LineConfig
    line: Line
    opening: Opening
    reason: str


class LineOpener:
    """Opens port, capture and link of each line; all share the streams that they know.

    Args:
        config: Of the receiver.
        clock: Its monotonic clock.
        streams: Which streams are known.
        stack: Closes what was opened.
    """

    def __init__(self, config: ReceiverConfig, clock: Clock, streams: KnownStreams, stack: ExitStack) -> None:
        self._config = config
        self._clock = clock
        self._streams = streams
        self._stack = stack

    def open_all(self, session: ServiceSession) -> tuple[list[OpenLine], list[MissingLine]]:
        """Open all lines; who is patient waits until there is one, and for the others later.

        Args:
            session: Waits, and tells for what.

        Raises:
            UsageError: A capture's place is taken by another file, or there can be no such port.
            PortError: A port cannot be opened, and nobody is patient.
        """
        lines = self._config.all_lines
        what = f"port {lines[0].port}" if len(lines) == 1 else "any of the ports"
        return session.open(what, partial(self._open_some, patient=session.patient), PortError)

    def open(self, line: LineConfig, opening: Opening | None = None) -> OpenLine:
        """Open a line.

        Args:
            line: Which.
            opening: Opens its port beside the loop; None to wait for it.

        Raises:
            UsageError: The capture's place is taken by another file, or there can be no such port.
            PortError: The port cannot be opened.
        """
        open_now = self._open_port(line)
        with used_wrongly(PortNameError):
            first = (opening or open_now)()
        open_again = opening or (self._opening(line) if len(self._config.all_lines) > 1 else open_now)
        with ExitStack() as opened:
            port = opened.enter_context(reconnecting(first, open_again, self._clock))
            header = CaptureHeader(
                bitrate_bps=line.bitrate_bps,
                playout_delay_ns=round(self._config.playout_delay_s * _NS_PER_S),
                picture_interval_ns=PICTURE_INTERVAL_NS,
            )
            most = _MAX_UNPROVED_PER_S if self._config.key_file else MAX_PACKETS_PER_S
            link = LinkReceiver(
                bitrate_bps=line.bitrate_bps,
                listener=open_capture(line, port, self._clock, header, opened, callsign=self._config.callsign),
                streams=self._streams,
                max_packets_per_s=most if isinstance(port, PacketPort) else None,
            )
            self._stack.enter_context(opened.pop_all())
        return OpenLine(port, link, line.bitrate_bps)

    def _open_port(self, line: LineConfig) -> Callable[[], Port]:
        return partial(open_port, line.port, baud_rate=line.baud_rate, callsign=self._config.callsign)

    def _opening(self, line: LineConfig, reason: str = "it is gone") -> Opening:
        """Return what opens a port and keeps no other line waiting."""
        opening = Opening(self._open_port(line), reason)
        self._stack.callback(opening.close)
        return opening

    def _open_some(self, *, patient: bool) -> tuple[list[OpenLine], list[MissingLine]]:
        opened: list[OpenLine] = []
        failed: list[tuple[LineConfig, PortError]] = []
        for line in self._config.all_lines:
            try:
                opened.append(self.open(line))
            except PortError as error:
                failed.append((line, error))
                if not patient:
                    break
        if failed and not (patient and opened):
            raise failed[0][1]
        return opened, [self._missing(line, str(error)) for line, error in failed]

    def _missing(self, line: LineConfig, reason: str) -> MissingLine:
        log.warning("waiting for port %s reason=%s", line.port, reason)
        return MissingLine(line, Line(line.port, line.bitrate_bps), self._opening(line, reason), reason)


class LateLines:
    """Advances a core, and opens the missing lines of its receiver as soon as their ports are there.

    Args:
        core: What to advance.
        opener: Opens lines.
        missing: Those that are missing.
        opened: Called with each that has been opened.
    """

    def __init__(
        self,
        core: Core,
        opener: LineOpener,
        missing: list[MissingLine],
        opened: Callable[[OpenLine], None],
    ) -> None:
        self._core = core
        self._opener = opener
        self._missing = missing
        self._opened = opened
        self._next_ns = 0

    def advance(self, now_ns: int) -> int:
        """Advance the core; see `Core`."""
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + _RETRY_NS
            self._missing = [each for each in self._missing if not self._open(each)]
        return self._core.advance(now_ns)

    def _open(self, missing: MissingLine) -> bool:
        try:
            opened = self._opener.open(missing.config, missing.opening)
        except (UsageError, PluginError, PortError) as error:
            if str(error) != missing.reason:
                missing.reason = str(error)
                log.warning("waiting for port %s reason=%s", missing.config.port, error)
            return False
        log.info("there is port %s", missing.config.port)
        missing.line.connect(opened.port, opened.link)
        self._opened(opened)
        return True
