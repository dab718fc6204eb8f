"""Symbols of unfinished stills on disk, so that a receiver that starts again goes on where it was.

A block is a file that grows by whole records, each the index of a symbol and the symbol. Its name says which block it
is. A block that is done leaves an empty file, so that its stragglers are known as such.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from pantel_link.context import StreamContext
from pantel_link.errors import PacketError
from pantel_link.record_file import Trouble, append_whole
from pantel_link.stills.assembler import BlockKey

__all__ = ["StillStore"]

log = logging.getLogger(__name__)

_NAME = re.compile(r"(?P<context>[0-9a-f]+)-(?P<block>\d+)-(?P<symbols>\d+)-(?P<octets>\d+)\.(?P<state>part|done)")


class StillStore:
    """A folder of blocks. What cannot be written is logged once and lost with a restart, no sooner.

    Args:
        folder: Made when the first symbol comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trouble = Trouble(str(folder))

    def load(self) -> list[tuple[BlockKey, dict[int, bytes]]]:
        """Return the blocks that are there, the one written last at the end; those that are done have no symbols."""
        found: list[tuple[float, BlockKey, dict[int, bytes]]] = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            key = _key(path)
            if key is None:
                continue
            try:
                symbols = _symbols(path.read_bytes(), key.symbol_octets) if path.suffix == ".part" else {}
                if symbols or path.suffix == ".done":
                    found.append((path.stat().st_mtime, key, symbols))
            except OSError as error:
                log.warning("cannot read part of a still path=%s reason=%s", path, error.strerror)
        found.sort(key=lambda each: each[0])
        return [(key, symbols) for _, key, symbols in found]

    def add(self, key: BlockKey, index: int, symbol: bytes) -> None:
        """Append a symbol to its block."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path(key, "part").open("ab", buffering=0) as file:
                append_whole(file, bytes([index]) + symbol)
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._trouble.end()

    def finish(self, key: BlockKey) -> None:
        """Replace a block by an empty file."""
        try:
            self._path(key, "done").touch()
            self._path(key, "part").unlink(missing_ok=True)
        except OSError as error:
            self._trouble.begin(error)

    def drop(self, key: BlockKey) -> None:
        """Remove a block."""
        try:
            for state in ("part", "done"):
                self._path(key, state).unlink(missing_ok=True)
        except OSError as error:
            self._trouble.begin(error)

    def _path(self, key: BlockKey, state: str) -> Path:
        context = key.context.to_bytes().hex()
        return self._folder / f"{context}-{key.block}-{key.content_symbols}-{key.symbol_octets}.{state}"


def _key(path: Path) -> BlockKey | None:
    """Return which block a file is; None for another program's."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    try:
        context = StreamContext.from_bytes(bytes.fromhex(name["context"]))
    except (PacketError, ValueError):
        return None
    return BlockKey(context, int(name["block"]), int(name["symbols"]), int(name["octets"]))


def _symbols(records: bytes, symbol_octets: int) -> dict[int, bytes]:
    """Return the symbols of a file; a record that a power cut left unfinished is skipped."""
    size = 1 + symbol_octets
    whole = len(records) // size * size
    return {records[start]: records[start + 1 : start + size] for start in range(0, whole, size)}
