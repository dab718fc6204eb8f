"""The boot epoch: a number that is new at every start of a sender, even after a power cut.

Sequence numbers restart with the sender, so receivers tell its streams apart by the epoch, and reject old
recordings by it.
"""

from __future__ import annotations

import fcntl
import logging
import re
from pathlib import Path

from pantel_device.atomic_file import write_atomically
from pantel_device.command import CommandError
from pantel_device.wall_clock import known_utc_s, utc_s
from pantel_link import SenderKey
from pantel_link.context import EPOCH_BITS

__all__ = ["begin_epochs", "epoch_file", "next_boot_epoch", "next_epoch", "next_number", "read_epoch"]

log = logging.getLogger(__name__)

_FILE = "boot_epoch"
_LIMIT = 1 << EPOCH_BITS
_WHOLE = re.compile(rb"(\d{1,8})\n")  # without the end of the line digits may be missing before it
_BEGIN_S = 1_577_836_800  # 2020-01-01; minutes since then fit 24 bits until 2051


def next_epoch(state_dir: Path, key: SenderKey | None) -> int:
    """Return an epoch that no start before had; with a key, one that no start with that key had.

    With a key it must never come twice, or nonces would. So nothing is guessed there: the row of numbers has to be
    begun by `begin_epochs`, once for each key.

    Raises:
        CommandError: The epochs of the key have not begun here, or are damaged, or cannot be written.
    """
    if key is None:
        return next_boot_epoch(state_dir)
    path = epoch_file(state_dir, key)
    if not path.exists():
        raise CommandError(
            f"{path} is missing, so the epochs that this key has had are not known; if it was never used, run once: "
            f"pantel key begin; if it was, derive a new one"
        )
    if _read(path) is None:
        raise CommandError(f"{path} is damaged, so the epochs that this key has had are not known: derive a new key")
    return next_number(state_dir, path.name)


def begin_epochs(state_dir: Path, key: SenderKey, epoch: int | None = None) -> Path:
    """Begin the row of epochs of a key that was never used here.

    Args:
        state_dir: Of the sender.
        key: Of the sender.
        epoch: Where to begin; at the wall clock's minutes since 2020 by default.

    Returns:
        The file.

    Raises:
        CommandError: It has begun, or the clock is not set, or the folder cannot be written to.
    """
    path = epoch_file(state_dir, key)
    if path.exists():
        raise CommandError(f"{path} exists: the epochs of this key have begun")
    if epoch is None and known_utc_s() is None:
        raise CommandError("the clock is not set: set it, or give --epoch, higher than any that this sender has had")
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{_from_clock() if epoch is None else epoch}\n".encode())
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}; set state_dir to a folder that is yours") from error
    return path


def next_boot_epoch(state_dir: Path) -> int:
    """Return an epoch that no start of a sender without a key had before; see `next_number`.

    All senders of a machine that share the folder draw from one sequence.

    Raises:
        CommandError: The folder cannot be written to.
    """
    return next_number(state_dir, _FILE)


def next_number(state_dir: Path, name: str) -> int:
    """Return a number that was never returned before, 24 bits; the disk holds it before this returns.

    Where there is none yet, it begins at the wall clock's minutes since 2020, so that whose disk was replaced does not
    fall back behind the past.

    Args:
        state_dir: Folder of the file that holds the last number.
        name: Of the file.

    Raises:
        CommandError: The folder cannot be written to.
    """
    path = state_dir / name
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with (state_dir / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            last = _read(path)
            epoch = _from_clock() if last is None else last + 1
            if epoch >= _LIMIT:
                raise CommandError(f"{path} has reached its end: take a new key and remove it")
            write_atomically(path, f"{epoch}\n".encode())
    except OSError as error:
        what = name.replace("_", " ")
        raise CommandError(
            f"cannot keep the {what} in {state_dir}: {error.strerror}; set state_dir to a folder that is yours"
        ) from error
    return epoch


def epoch_file(state_dir: Path, key: SenderKey | None) -> Path:
    """Return where the last epoch of a key is kept; that of senders without one, with None."""
    return state_dir / (_FILE if key is None else f"{_FILE}-{key.fingerprint}")


def read_epoch(path: Path) -> int | None:
    """Return the last epoch; None where there is none yet.

    Raises:
        OSError: It may not be read.
        ValueError: It is damaged.
    """
    try:
        found = _WHOLE.fullmatch(path.read_bytes())
    except FileNotFoundError:
        return None
    if found is not None and int(found[1]) < _LIMIT:
        return int(found[1])
    raise ValueError(f"{path} is damaged")


def _from_clock() -> int:
    return max(0, utc_s() - _BEGIN_S) // 60


def _read(path: Path) -> int | None:
    """Return the last epoch, None where there is none, or none that can be read."""
    try:
        return read_epoch(path)
    except ValueError:
        log.warning("boot epoch damaged path=%s; begins again at the wall clock", path)
        return None
