"""Files that share a quota: the oldest of them make room for the newest, of whoever takes the most."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

__all__ = ["keep_within", "sizes_bytes"]

log = logging.getLogger(__name__)


def keep_within(
    files: Sequence[Path],
    room_bytes: int,
    *,
    keep: int = 0,
    owner: Callable[[Path], Hashable] = lambda _: None,
) -> None:
    """Remove files until the others take no more than there is room for; each is logged.

    The oldest of the owner that takes the most goes: so nobody pushes out what others need less room for.

    Args:
        files: All that share the quota, the oldest first.
        room_bytes: What they may take together.
        keep: How many of the newest are never removed.
        owner: Returns whose a file is; by default all are one owner's.

    Raises:
        OSError: One cannot be removed.
    """
    sizes = sizes_bytes(files)
    excess_bytes = sum(sizes) - room_bytes
    taken_bytes: defaultdict[Hashable, int] = defaultdict(int)
    removable: defaultdict[Hashable, deque[tuple[Path, int]]] = defaultdict(deque)
    for number, (path, size) in enumerate(zip(files, sizes, strict=True)):
        taken_bytes[owner(path)] += size
        if number < len(files) - keep:
            removable[owner(path)].append((path, size))
    while excess_bytes > 0 and removable:
        most = max(removable, key=lambda each: taken_bytes[each])
        path, size = removable[most].popleft()
        if not removable[most]:
            del removable[most]
        path.unlink(missing_ok=True)
        excess_bytes -= size
        taken_bytes[most] -= size
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
