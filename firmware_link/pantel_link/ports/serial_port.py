"""Serial devices and everything else that pyserial opens by URL; the only module that imports pyserial."""

from __future__ import annotations

import errno
import io
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pantel_link.errors import PortError, PortGone, PortNameError
from pantel_link.ports.base import Port

__all__ = ["SerialPort"]

# An unplugged port raises SerialException (an OSError), a bare OSError, or termios.error, which is no OSError.
_DRIVER_ERRORS = (OSError, termios.error)

_REMEDIES = {
    errno.ENOENT: "there is no such device: check the cable, and the name under /dev/serial/by-id",
    errno.EACCES: "permission denied: add your user to the group dialout and log in again",
    errno.EPERM: "permission denied: add your user to the group dialout and log in again",
    errno.EBUSY: "another program uses it: stop that one first",
    errno.EAGAIN: "another program uses it: stop that one first",
    errno.EISDIR: "this is a directory: name a serial device",
}

_LOOPBACK_OCTETS = 4096
_BITS_PER_OCTET = 10  # 8N1
_AHEAD_S = 0.25
_LEAST_AHEAD_OCTETS = 16


class SerialPort(Port):
    """A serial device, or a pyserial URL.

    Args:
        url: Device path or URL.
        baud_rate: Line rate [Bd], 8 data bits, no parity, 1 stop bit.
        keys: Whether RTS keys a transmitter: then it is off from the start, and `key` switches it.

    Raises:
        PortError: It cannot be opened, or should key and has no RTS.
    """

    def __init__(self, url: str, baud_rate: int, *, keys: bool = False) -> None:
        import serial

        is_device = "://" not in url
        self.name = url
        try:
            self._serial = serial.serial_for_url(
                url,
                baudrate=baud_rate,
                timeout=0,
                write_timeout=0,
                exclusive=True if is_device else None,  # advisory, but it stops a second Pantel
                do_not_open=True,
            )
            if keys:
                self._serial.rts = False  # as early as can be; the kernel itself raises it for a moment
            self._serial.open()
        except _DRIVER_ERRORS as error:
            never = getattr(error, "errno", None) == errno.EISDIR
            raise (PortNameError if never else PortError)(f"cannot open port {url}: {_remedy(error)}") from error
        except (ValueError, KeyError) as error:  # its own message about URL options fails with KeyError
            raise PortNameError(f"cannot open port {url}: {error}; name a device or a pyserial URL") from error
        if keys:
            self._check_keys(url)
        self._ahead_octets = max(_LEAST_AHEAD_OCTETS, round(_AHEAD_S * baud_rate / _BITS_PER_OCTET))
        self._descriptor = _descriptor(self._serial)
        if self._descriptor is None:
            self._serial.write_timeout = None  # loop:// takes 0 for an impossible deadline
        self.on_air = not (url.startswith("loop://") or (is_device and _is_pseudo_terminal(url)))

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived; see `Port.read`."""
        self._check_open()
        with self._gone_on_driver_error():
            return bytes(self._serial.read(max_octets))

    def write(self, octets: bytes) -> int:
        """Hand octets to the driver; 0 while it holds a quarter of a second, as when a modem holds CTS down.

        A line that is only a little slower than the pace, because two quartzes differ, would else fill the driver's
        4096 octets in the course of days, and everything would arrive half a minute late. Drivers that do not tell
        what they hold, such as pseudo-terminals, take octets until they are full.
        """
        self._check_open()
        with self._gone_on_driver_error():
            # pyserial's non-blocking write spins for ever on a full buffer, so ask first.
            if self._held_octets() >= self._ahead_octets or not self._has_room(len(octets)):
                return 0
            return self._serial.write(octets) or 0

    def key(self, *, on: bool) -> None:
        """Switch the transmitter, if RTS keys one.

        Raises:
            PortGone: The port has disappeared.
        """
        self._check_open()
        with self._gone_on_driver_error():
            self._serial.rts = on

    def unsent_octets(self) -> int:
        """Return how many octets the driver still holds; not all drivers know, and adapters hold some more.

        Raises:
            PortGone: The port has disappeared.
        """
        self._check_open()
        if self._descriptor is None:
            return 0  # a network does not know, and a loop's octets have arrived
        with self._gone_on_driver_error():
            return int(self._serial.out_waiting)

    def _check_keys(self, url: str) -> None:
        """Refuse a port whose RTS does not exist, with the port closed."""
        try:
            if url.startswith("socket://"):
                raise OSError(errno.ENOTTY, "a network connection has no modem lines")
            self._serial.rts = False
        except _DRIVER_ERRORS as error:
            self._release()
            raise PortError(
                f"cannot open port {url}: it has no RTS to key a radio ({error.args[-1]}): name a real serial device, "
                "or leave ptt=rts away"
            ) from error

    def _has_room(self, octets: int) -> bool:
        if self._descriptor is None:
            return getattr(self._serial, "out_waiting", 0) + octets <= _LOOPBACK_OCTETS
        return bool(select.select([], [self._descriptor], [], 0)[1])

    def _held_octets(self) -> int:
        """Return how many octets the driver holds; 0 where it does not tell: who is gone says so when written to."""
        if self._descriptor is None:
            return 0
        with suppress(*_DRIVER_ERRORS):
            return int(getattr(self._serial, "out_waiting", 0))
        return 0

    def _release(self) -> None:
        with suppress(*_DRIVER_ERRORS):
            self._serial.close()

    @contextmanager
    def _gone_on_driver_error(self) -> Iterator[None]:
        try:
            yield
        except _DRIVER_ERRORS as error:
            raise PortGone(f"port {self.name} is gone: {error}") from error


def _descriptor(port: io.RawIOBase) -> int | None:
    """Return the file descriptor to wait on; loop:// and rfc2217:// have none."""
    try:
        return port.fileno()
    except io.UnsupportedOperation:
        return None


def _is_pseudo_terminal(path: str) -> bool:
    return Path(path).resolve().is_relative_to("/dev/pts")


def _remedy(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return _REMEDIES.get(number, str(error)) if number is not None else str(error)
