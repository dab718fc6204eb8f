"""Files that appear whole or not at all."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pantel_device.command import UsageError
from pantel_device.wall_clock import utc_now

__all__ = ["check_outputs", "check_writable", "remove_leftovers", "replacing", "sync_to_disk", "write_atomically"]

log = logging.getLogger(__name__)

_BESIDE = re.compile(r"\..+\.(\d{1,7})\.part")
_LONGEST_WRITE_S = 60.0


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside a file's place; what the block leaves there takes that place when the block ends.

    No reader ever sees half of it, and neither does anyone after a power cut. A link keeps pointing to where it
    did. A block that raises leaves everything as it was.

    Raises:
        OSError: The file cannot be written; an older one is untouched.
    """
    place = path.resolve()
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        yield beside
        with _errors_name(path):
            sync_to_disk(beside)
            beside.replace(place)
            sync_to_disk(place.parent)
    finally:
        beside.unlink(missing_ok=True)


def remove_leftovers(*folders: Path) -> None:
    """Remove what programs that were killed while they wrote have left beside their files' places.

    Args:
        folders: Where to look; those that do not exist are left out.
    """
    for folder in folders:
        for path in folder.glob(".*.part"):
            found = _BESIDE.fullmatch(path.name)
            try:
                if found is not None and not _is_written(path, int(found[1])):
                    path.unlink()
                    log.info("removed what was never finished path=%s", path)
            except OSError as error:
                log.warning("cannot remove what was never finished path=%s reason=%s", path, error.strerror)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file as `replacing` does; a device or pipe is written to directly, because it cannot be replaced.

    Raises:
        OSError: The file cannot be written; an older one is untouched.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    with _errors_name(path), replacing(path) as beside:
        beside.write_bytes(data)


def sync_to_disk(path: Path) -> None:
    """Wait until the disk holds a file's content, or a folder's names.

    Raises:
        OSError: It cannot be written, or there is none.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Check before the work that its result will have a place.

    Raises:
        UsageError: The folder is missing or closed, or the path is a folder itself.
    """
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; name a file")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {folder}; make it or name another file")
    if not os.access(path if path.exists() and not path.is_file() else folder, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied; name a file in a folder that is yours")


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path] = ()) -> None:
    """Check before the work that each of its results will have a place of its own; None where none is wanted.

    Args:
        outputs: Files that will be written.
        inputs: Files that are read, which no result may take the place of.

    Raises:
        UsageError: One has no place, or two have the same, or it is that of something that is read.
    """
    places: set[Path] = set()
    read = {path.resolve() for path in inputs}
    for path in outputs:
        if path is None:
            continue
        check_writable(path)
        place = path.resolve()
        if place in read and place.is_file():
            raise UsageError(f"{path} is what is read, and would be overwritten; name another file")
        if place in places and (place.is_file() or not place.exists()):  # a device or pipe takes all of them
            raise UsageError(f"two results would go into one file, {path}; name another for one of them")
        places.add(place)


def _is_written(path: Path, writer: int) -> bool:
    """Whether a process may just be writing a file: another one of that number runs, and it was touched lately.

    After a power cut numbers are given anew, so one alone proves nothing; neither does a clock that is not set.
    """
    if writer == os.getpid() or abs(utc_now().timestamp() - path.stat().st_mtime) > _LONGEST_WRITE_S:
        return False
    with suppress(PermissionError):
        try:
            os.kill(writer, 0)
        except ProcessLookupError:
            return False
    return True


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Let errors name the file that the user knows."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
