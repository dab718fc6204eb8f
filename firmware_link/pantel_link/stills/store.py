"""Symbols of unfinished stills on disk, so that a receiver that starts again goes on where it was.

A block is a file that grows by whole records, each the index of a symbol, the symbol and their CRC-32. Its name says
which block it is. A block that is done leaves an empty file, so that its stragglers are known as such.
"""

from __future__ import annotations

import logging
import re
import zlib
from pathlib import Path

from pantel_link.context import StreamContext
from pantel_link.errors import PacketError
from pantel_link.record_file import Trouble, append_whole
from pantel_link.stills.assembler import BlockKey

__all__ = ["StillStore"]

log = logging.getLogger(__name__)

_CHECK_OCTETS = 4
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
        """Return the blocks that are there, the one written last at the end; those that are done have no symbols.

        What a power cut left unfinished, and all behind it, is cut off.
        """
        found: list[tuple[float, BlockKey, dict[int, bytes]]] = []
        for path in list(self._folder.iterdir()) if self._folder.is_dir() else ():
            key = _key(path)
            if key is None:
                continue
            try:
                written_s = path.stat().st_mtime
                symbols = _whole_symbols(path, key.symbol_octets) if path.suffix == ".part" else {}
                if symbols or path.suffix == ".done":
                    found.append((written_s, key, symbols))
            except OSError as error:
                log.warning("cannot read part of a still path=%s reason=%s", path, error.strerror)
        found.sort(key=lambda each: each[0])
        return [(key, symbols) for _, key, symbols in found]

    def add(self, key: BlockKey, index: int, symbol: bytes) -> None:
        """Append a symbol to its block."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path(key, "part").open("ab", buffering=0) as file:
                append_whole(file, _record(index, symbol))
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


def _record(index: int, symbol: bytes) -> bytes:
    record = bytes([index]) + symbol
    return record + zlib.crc32(record).to_bytes(_CHECK_OCTETS, "big")


def _whole_symbols(path: Path, symbol_octets: int) -> dict[int, bytes]:
    """Return the symbols of a file up to the first record that is not whole, and cut off that and what follows.

    Else what is appended would not be where records are looked for. A file without any is removed.

    Raises:
        OSError: It cannot be read or changed.
    """
    octets = path.read_bytes()
    size = 1 + symbol_octets + _CHECK_OCTETS
    symbols: dict[int, bytes] = {}
    whole = 0
    while whole < len(octets):
        index, symbol = octets[whole], octets[whole + 1 : whole + 1 + symbol_octets]
        if octets[whole : whole + size] != _record(index, symbol):
            log.warning("part of a still is damaged path=%s octets=%d of=%d", path, whole, len(octets))
            break
        symbols[index] = symbol
        whole += size
    if not symbols:
        path.unlink()
    elif whole < len(octets):
        with path.open("r+b") as file:
            file.truncate(whole)
    return symbols
