"""A line for services in a booted Debian: two pseudo-terminals that are joined."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HOME_PORT", "MAST_PORT", "add_line"]

MAST_PORT, HOME_PORT = "/run/line/mast", "/run/line/home"
# The shell holds them open, so that they outlive whoever is killed.
_UNIT = f"""
[Service]
RuntimeDirectory=line
ExecStart=/bin/sh -c '\\
    socat pty,rawer,link={MAST_PORT},group=dialout,mode=660 pty,rawer,link={HOME_PORT},group=dialout,mode=660 & \\
    until test -e {MAST_PORT} -a -e {HOME_PORT}; do sleep 0.1; done; \\
    exec 3<>{MAST_PORT} 4<>{HOME_PORT}; wait'
"""


def add_line(root: Path) -> None:
    """Give a system a service `line`, which is the line while it runs."""
    (root / "etc/systemd/system/line.service").write_text(_UNIT)
