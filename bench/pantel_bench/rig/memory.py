"""How much memory a process has held."""

from __future__ import annotations

from pathlib import Path

__all__ = ["max_rss_mib"]


def max_rss_mib() -> float | None:
    """Return the largest resident set of this process (Linux), None where the system does not tell.

    Not ``getrusage``: its figure survives exec, so a child would report what its parent held.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else None
