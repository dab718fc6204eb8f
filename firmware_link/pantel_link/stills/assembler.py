"""Stills on their way in: symbols of many blocks, kept until a block is whole or too old."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from pantel_link.context import StreamContext
from pantel_link.stills.block import UTC_OCTETS
from pantel_link.stills.erasure import rebuild
from pantel_link.stills.fragment import Fragment

__all__ = ["BlockKey", "PartialStill", "StillAssembler", "SymbolStore"]

_MAX_BLOCKS = 128  # two of each sender that one callsign may have; the largest has 30 kB
_LONGEST_SILENCE_NS = 3600 * 1_000_000_000  # 512 blocks of a packet each take longer at 960 bit/s, so no number recurs


@dataclass(frozen=True, slots=True)
class BlockKey:
    """Which block a symbol belongs to.

    Attributes:
        context: The stream.
        block: Its number.
        content_symbols: K.
        symbol_octets: Length of its symbols; another one after the sender has changed its format.
    """

    context: StreamContext
    block: int
    content_symbols: int
    symbol_octets: int


@dataclass(frozen=True, slots=True)
class PartialStill:
    """What is known of a still.

    Attributes:
        context: The stream that it came with.
        block: Number of its block.
        data: The file, or what is certain of its beginning; zeros may follow a complete one.
        complete: All of it is there.
        symbols: How many different symbols have arrived.
        content_symbols: How many are needed.
        utc_s: When the picture was taken, in seconds since 1970; None when unknown.
    """

    context: StreamContext
    block: int
    data: bytes
    complete: bool
    symbols: int
    content_symbols: int
    utc_s: int | None


class SymbolStore(Protocol):
    """Keeps symbols over a restart. It must not raise."""

    def load(self) -> list[tuple[BlockKey, dict[int, bytes]]]:
        """Return the blocks that an earlier run left, the oldest first."""
        ...

    def add(self, key: BlockKey, index: int, symbol: bytes) -> None:
        """Keep a symbol."""
        ...

    def finish(self, key: BlockKey) -> None:
        """Keep only that a block is done with."""
        ...

    def drop(self, key: BlockKey) -> None:
        """Forget a block."""
        ...


@dataclass(slots=True)
class _Block:
    symbols: dict[int, bytes] = field(default_factory=dict)
    done: bool = False
    heard_ns: int = 0


class StillAssembler:
    """Puts stills together; keeps the 128 blocks heard last, and none that is silent for an hour.

    Who has a complete still in a safe place says so by `finish`; until then a restart brings it again, by `whole`.

    Args:
        store: Where symbols survive a restart; None if they shall not.
        now_ns: Monotonic time.
    """

    def __init__(self, store: SymbolStore | None = None, now_ns: int = 0) -> None:
        self._store = store
        self._blocks: OrderedDict[BlockKey, _Block] = OrderedDict()
        for key, symbols in store.load() if store is not None else ():
            self._blocks[key] = _Block(symbols, done=not symbols, heard_ns=now_ns)
        self._bound(now_ns)

    def whole(self) -> list[PartialStill]:
        """Return the stills that are complete and were never finished: those of an earlier run."""
        return [
            self._complete(key, block)
            for key, block in self._blocks.items()
            if len(block.symbols) >= key.content_symbols
        ]

    def finish(self, still: PartialStill) -> None:
        """Forget the symbols of a complete still; its stragglers are still known as such."""
        for key, block in self._blocks.items():
            if block.done and block.symbols and (key.context, key.block) == (still.context, still.block):
                block.symbols = {}
                if self._store is not None:
                    self._store.finish(key)

    def take(self, context: StreamContext, fragment: Fragment, now_ns: int) -> PartialStill | None:
        """Take a symbol; return the still if more of it is known now.

        Args:
            context: The stream that it came with.
            fragment: The symbol.
            now_ns: Monotonic time.
        """
        key = BlockKey(context, fragment.block, fragment.content_symbols, len(fragment.symbol))
        self._bound(now_ns)
        block = self._blocks.setdefault(key, _Block())
        self._blocks.move_to_end(key)
        block.heard_ns = now_ns
        if block.done or fragment.index in block.symbols:
            return None
        before = _prefix(block.symbols)
        block.symbols[fragment.index] = fragment.symbol
        if self._store is not None:
            self._store.add(key, fragment.index, fragment.symbol)
        self._bound(now_ns)
        if len(block.symbols) < key.content_symbols:
            prefix = _prefix(block.symbols)
            return _still(key, block, prefix, complete=False) if len(prefix) > len(before) else None
        return self._complete(key, block)

    def _complete(self, key: BlockKey, block: _Block) -> PartialStill:
        block.done = True
        return _still(key, block, rebuild(block.symbols, key.content_symbols), complete=True)

    def _bound(self, now_ns: int) -> None:
        """Forget what is too old or too much."""
        while self._blocks:
            key, oldest = next(iter(self._blocks.items()))
            if len(self._blocks) <= _MAX_BLOCKS and now_ns - oldest.heard_ns <= _LONGEST_SILENCE_NS:
                return
            del self._blocks[key]
            if self._store is not None:
                self._store.drop(key)


def _prefix(symbols: dict[int, bytes]) -> list[bytes]:
    """Return the content's symbols up to the first that is missing."""
    prefix: list[bytes] = []
    while (symbol := symbols.get(len(prefix))) is not None:
        prefix.append(symbol)
    return prefix


def _still(key: BlockKey, block: _Block, content: list[bytes], *, complete: bool) -> PartialStill:
    octets = b"".join(content)
    utc_s = int.from_bytes(octets[:UTC_OCTETS], "big") if len(octets) >= UTC_OCTETS else None
    return PartialStill(
        context=key.context,
        block=key.block,
        data=octets[UTC_OCTETS:],
        complete=complete,
        symbols=len(block.symbols),
        content_symbols=key.content_symbols,
        utc_s=utc_s or None,
    )
