"""Files that share a quota: the oldest of them make room for the newest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

__all__ = ["keep_within", "sizes_bytes"]

log = logging.getLogger(__name__)


def keep_within(files: Sequence[Path], room_bytes: int, *, keep: int = 0) -> None:
    """Remove files until the others take no more than there is room for; each is logged.

    Args:
        files: All that share the quota, the oldest first.
        room_bytes: What they may take together.
        keep: How many of the newest are never removed.

    Raises:
        OSError: One cannot be removed.
    """
    sizes = sizes_bytes(files)
    excess_bytes = sum(sizes) - room_bytes
    for path, size in list(zip(files, sizes, strict=True))[: max(len(files) - keep, 0)]:
        if excess_bytes <= 0:
            return
        path.unlink(missing_ok=True)
        excess_bytes -= size
        log.info("removed to make room path=%s bytes=%d", path, size)


def sizes_bytes(files: Sequence[Path]) -> list[int]:
    """Return the size of each file [byte], 0 for one that somebody has removed meanwhile."""
    sizes = []
    for path in files:
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            sizes.append(0)
    return sizes
