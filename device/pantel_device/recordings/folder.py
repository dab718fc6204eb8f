"""The folder that recordings share: their names, their quota, and what a power cut has left there."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
from datetime import datetime
from io import FileIO
from pathlib import Path

from pantel_device.recordings.names import next_name, recordings_in
from pantel_device.recordings.repair import is_complete, repair
from pantel_link.disk_quota import keep_within, sizes_bytes
from pantel_link.record_file import Trouble

__all__ = ["RecordingFolder"]

log = logging.getLogger(__name__)

# Whoever fills the disk to the last byte keeps the next start from writing its boot epoch. Of a small disk a share.
_RESERVE_BYTES = 100_000_000
_RESERVE_SHARE = 0.05
_FILES = 8


class RecordingFolder:
    """Recordings of any number of senders; the oldest of the one that takes the most make room for the newest.

    They take no more than their quota, and of the disk no more than leaves a little free: then they make room for other
    programs, too. Files with other names stay. What a power cut has left is cut to what can be played, or removed.

    Args:
        folder: Made when missing.
        quota_bytes: What all recordings may take.
        patient: Whether the folder is looked at no sooner than somebody wants to write there, or calls `begin_to_use`:
            its disk may be missing, and come later.

    Attributes:
        file_bytes: How large one file may become, so that the quota leaves more than one.
        trouble: With writing there.

    Raises:
        OSError: The folder cannot be made or read, and nobody is patient.
    """

    def __init__(self, folder: Path, quota_bytes: int, *, patient: bool = False) -> None:
        self._folder = folder
        self._quota_bytes = quota_bytes
        self._open: dict[FileIO, Path] = {}
        self._file_system: int | None = None
        self.file_bytes = quota_bytes // _FILES
        self.trouble = Trouble(str(folder))
        if not patient:
            self._prepare()

    def begin_to_use(self) -> None:
        """Look at the folder, and log it if there is none; `make_room` looks again."""
        try:
            self._prepare()
        except OSError as error:
            self.trouble.begin(error)

    def begin(self, callsign: str, number: int, begins_utc: datetime | None) -> FileIO:
        """Return a new file, opened without a buffer, for a recording.

        Args:
            callsign: Of the sender.
            number: Of the sender.
            begins_utc: When it begins; None if no clock tells.

        Raises:
            OSError: It cannot be made.
        """
        path = self._folder / next_name(self._folder, callsign, number, begins_utc)
        file = path.open("x+b", buffering=0)
        self._open[file] = path
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def make_room(self, octets: int) -> None:
        """Remove recordings until so many octets more have room: the oldest of the sender that takes the most.

        Raises:
            OSError: They have none, with all others removed that nobody is writing, or there is no folder.
        """
        self._prepare()
        recordings = recordings_in(self._folder)
        files = [each.path for each in recordings]
        senders = {each.path: each.sender for each in recordings}
        older = [path for path in files if path not in self._open.values()]
        older_bytes, all_bytes = sum(sizes_bytes(older)), sum(sizes_bytes(files))
        disk = shutil.disk_usage(self._folder)
        free_bytes = disk.free - min(_RESERVE_BYTES, round(_RESERVE_SHARE * disk.total))
        excess_bytes = octets - min(self._quota_bytes - all_bytes, free_bytes)
        if excess_bytes > older_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if excess_bytes > 0:
            keep_within(older, older_bytes - excess_bytes, owner=senders.get)

    def end(self, file: FileIO) -> None:
        """Close a file; an empty one is removed.

        Raises:
            OSError: The disk fails.
        """
        path = self._open.pop(file)
        try:
            if file.seek(0, os.SEEK_END) == 0:
                path.unlink()
            os.fsync(file.fileno())
        finally:
            file.close()

    def _prepare(self) -> None:
        """Make the folder if it is missing, and repair what is there, once on each file system that comes there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file_system = self._folder.stat().st_dev
        if file_system != self._file_system:
            self.file_bytes = min(self._quota_bytes, shutil.disk_usage(self._folder).total) // _FILES
            self._repair()
            self._file_system = file_system

    def _repair(self) -> None:
        for each in recordings_in(self._folder):
            try:
                if not is_complete(each.path):
                    repair(each.path)
            except OSError as error:
                log.warning("cannot repair a recording path=%s reason=%s", each.path, error.strerror)
