"""Who will use a file, and whether they may: a service runs under another account than whoever asks the doctor."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Account", "group_name", "own_account", "service_account"]

_BITS = ((os.R_OK, stat.S_IROTH), (os.W_OK, stat.S_IWOTH), (os.X_OK, stat.S_IXOTH))


@dataclass(frozen=True, slots=True)
class Account:
    """A user with groups.

    Attributes:
        name: Of the user.
        uid: Number of the user.
        gids: Numbers of all its groups.
        is_own: Whether it is that of this process.
    """

    name: str
    uid: int
    gids: frozenset[int]
    is_own: bool

    def may(self, path: Path, wanted: int) -> bool:
        """Whether it can use a file as it is; of other accounts than one's own access lists are not looked at.

        Args:
            path: An existing file or folder.
            wanted: `os.R_OK`, `os.W_OK`, `os.X_OK` or several of them.
        """
        if self.is_own:
            return os.access(path, wanted)
        folders = path.resolve().parents
        return self._has(path, wanted) and all(self._has(folder, os.X_OK) for folder in folders)

    def _has(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        if self.uid == 0:
            return True
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid in self.gids else 0
        return all(status.st_mode >> shift & bit for want, bit in _BITS if wanted & want)


def own_account() -> Account:
    """Return that of this process."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, frozenset({os.getegid(), *os.getgroups()}), is_own=True)


def service_account(user: str, groups: Iterable[str] = ()) -> Account | None:
    """Return that of a service; None if there is no such user.

    Args:
        user: Its name.
        groups: Names of the groups that the service gives it besides its own.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    gids = set(os.getgrouplist(user, entry.pw_gid))
    for group in groups:
        with suppress(KeyError):
            gids.add(grp.getgrnam(group).gr_gid)
    own = entry.pw_uid == os.geteuid()
    return own_account() if own else Account(user, entry.pw_uid, frozenset(gids), is_own=False)


def group_name(gid: int) -> str:
    """Return the name of a group, its number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
