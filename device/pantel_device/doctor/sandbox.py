"""What a service cannot see or write, although its account could: systemd keeps it from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["SANDBOX_PROPERTIES", "Sandbox"]

# Folders that systemd makes for a service, and where they lie.
_OWN_FOLDERS = {
    "StateDirectory": "/var/lib",
    "RuntimeDirectory": "/run",
    "CacheDirectory": "/var/cache",
    "LogsDirectory": "/var/log",
}
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - what PrivateTmp= hides
_DEVICES = ("/dev", "/proc", "/sys")  # ProtectSystem=strict leaves them to other settings

SANDBOX_PROPERTIES = ("ProtectSystem", "ProtectHome", "PrivateTmp", "ReadWritePaths", *_OWN_FOLDERS)
"""Properties of a unit that `Sandbox.of` reads."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The walls around a service.

    Attributes:
        own: Folders that systemd makes for it.
        hidden: Folders of others that it does not see.
        writable: Folders to which it may write at most; None for no such limit.
    """

    own: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    writable: tuple[str, ...] | None = None

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Self:
        """Return the walls that the properties of a unit make."""
        own = tuple(
            f"{parent}/{name.partition(':')[0]}"
            for key, parent in _OWN_FOLDERS.items()
            for name in properties.get(key, "").split()
        )
        homes = _HOMES if properties.get("ProtectHome") in {"yes", "tmpfs"} else ()
        temporary = _TEMPORARY if properties.get("PrivateTmp") not in {None, "", "no"} else ()
        writable = None
        if properties.get("ProtectSystem") == "strict":
            named = (path.lstrip("-+") for path in properties.get("ReadWritePaths", "").split())
            writable = (*own, *_DEVICES, *named)
        return cls(own, (*homes, *temporary), writable)

    def makes(self, path: Path) -> bool:
        """Whether systemd makes a folder, or one above it, for the service."""
        return _below(path, self.own)

    def hides(self, path: Path) -> bool:
        """Whether the service does not see a file."""
        return _below(path, self.hidden)

    def lets_write(self, path: Path) -> bool:
        """Whether the service may write below a folder, as far as its account may."""
        return self.writable is None or _below(path, self.writable)


def _below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
