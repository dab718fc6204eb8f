"""A new pseudo-terminal: we hold one end, and any program opens the other as if it were a serial device."""

from __future__ import annotations

import errno
import os
import socket
import tty
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from pantel_link.errors import PortError, PortGone, PortNameError
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
        PortError: No pseudo-terminal can be had, the link's folder is missing, or another process holds the link.
        PortNameError: The link's path is taken by something else.
    """

    def __init__(self, url: str = "pty:", baud_rate: int = 0) -> None:  # noqa: ARG002 - as all adapters
        link = url.partition(":")[2]
        claim = _claim(url, Path(link)) if link else None
        try:
            self._ours, self._theirs = os.openpty()
        except OSError as error:
            if claim is not None:
                claim.close()
            raise PortError(f"cannot open a pseudo-terminal: {error}") from error
        self._claim = claim
        self.device = Path(os.ttyname(self._theirs))
        self._link = Path(link) if link else None
        self.path = self._link or self.device
        self.name = f"pty:{self.path}"
        try:
            tty.setraw(self._theirs)
            os.set_blocking(self._ours, False)
            if self._link is not None:
                _point(self._link, self.device)
        except FileExistsError as error:
            self._close_descriptors()
            raise PortNameError(
                f"cannot open port {url}: it exists and is no pseudo-terminal: name another place, or remove it"
            ) from error
        except OSError as error:
            self._close_descriptors()
            raise PortError(f"cannot open port {url}: {error.strerror}: name another place") from error

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
        if self._claim is not None:
            self._claim.close()


def _claim(url: str, link: Path) -> socket.socket:
    """Return what keeps other processes from a link while it is open; the kernel closes it when this one ends.

    A lock on the device would be in the way of programs that lock it themselves, and whether there is such a device
    says nothing: the next program that opens a pseudo-terminal may have been given its number.

    Raises:
        PortError: Another process has it, or there is no such folder.
    """
    try:
        folder = link.parent.stat()
    except OSError as error:
        raise PortError(
            f"cannot open port {url}: there is no folder {link.parent}: make it, or name another"
        ) from error
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0pantel pty {folder.st_dev}:{folder.st_ino} {sha256(os.fsencode(link.name)).hexdigest()[:32]}")
    except OSError as error:
        claim.close()
        reason = "another pantel uses it: stop that one" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortError(f"cannot open port {url}: {reason}, or name another place") from error
    return claim


def _point(link: Path, device: Path) -> None:
    """Make the link; one that an earlier run left behind is replaced, anything else is in the way."""
    if link.is_symlink() and link.readlink().is_relative_to("/dev/pts"):
        link.unlink()
    link.symlink_to(device)
