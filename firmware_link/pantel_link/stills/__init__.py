"""Stills: a file cut into symbols, repaired by an erasure code, and put together again from any that arrive.

::

    | block 9 | symbols - 1 7 | index 8 |  symbol, as long as the packet allows  |
    |<----------- 3 octets ----------->|
"""

from pantel_link.stills.assembler import PartialStill, StillAssembler
from pantel_link.stills.block import StillBlock
from pantel_link.stills.erasure import rebuild, repair_symbol
from pantel_link.stills.fragment import Fragment
from pantel_link.stills.store import StillStore

__all__ = [
    "Fragment",
    "PartialStill",
    "StillAssembler",
    "StillBlock",
    "StillStore",
    "rebuild",
    "repair_symbol",
]
