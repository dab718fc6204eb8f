"""A new pseudo-terminal: we hold one end, and any program opens the other as if it were a serial device."""

from __future__ import annotations

import os
import tty
from contextlib import suppress
from pathlib import Path

from pantel_link.errors import PortError, PortGone
from pantel_link.ports.base import Port

__all__ = ["PtyPort"]


class PtyPort(Port):
    """Our end of a pseudo-terminal in raw mode.

    It has no bit rate: the kernel takes 20 to 32 kB at once and then accepts nothing until the other end
    reads. This end stays open when programs at the other end come and go.

    Args:
        url: ``pty:``, or ``pty:/path/of/a/link`` to have a symbolic link made that names the other end.
        baud_rate: Ignored.

    Attributes:
        path: What the other side opens: the link, or the device itself.

    Raises:
        PortError: No pseudo-terminal can be had, or the link's path is taken.
    """

    def __init__(self, url: str = "pty:", baud_rate: int = 0) -> None:  # noqa: ARG002 - as all adapters
        link = url.partition(":")[2]
        try:
            self._ours, self._theirs = os.openpty()
        except OSError as error:
            raise PortError(f"cannot open a pseudo-terminal: {error}") from error
        self.device = Path(os.ttyname(self._theirs))
        self._link = Path(link) if link else None
        self.path = self._link or self.device
        self.name = f"pty:{self.path}"
        try:
            tty.setraw(self._theirs)
            os.set_blocking(self._ours, False)
            if self._link is not None:
                _point(self._link, self.device)
        except OSError as error:
            self._close_descriptors()
            raise PortError(f"cannot open port {url}: {error}") from error

    def read(self, max_octets: int) -> bytes:
        """Return what the other end wrote; see `Port.read`."""
        self._check_open()
        try:
            return os.read(self._ours, max_octets)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise PortGone(f"port {self.name} is gone: {error}") from error

    def write(self, octets: bytes) -> int:
        """Hand octets to the kernel; 0 when nobody has read its 20 to 32 kB."""
        self._check_open()
        try:
            return os.write(self._ours, octets)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortGone(f"port {self.name} is gone: {error}") from error

    def _release(self) -> None:
        if self._link is not None and self._link.is_symlink() and self._link.readlink() == self.device:
            with suppress(OSError):
                self._link.unlink()
        self._close_descriptors()

    def _close_descriptors(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)


def _point(link: Path, device: Path) -> None:
    """Make the link; one that an earlier run left behind is replaced, anything else is in the way."""
    if link.is_symlink() and link.readlink().is_relative_to("/dev/pts"):
        link.unlink()
    link.symlink_to(device)
