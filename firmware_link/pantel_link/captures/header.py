"""The head of a capture: how the receiver was set, so that it can be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pantel_link.context import StreamContext
from pantel_link.errors import CaptureError, PacketError
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.packet import COUNTER_BITS

__all__ = ["HEADER_MARK", "CaptureHeader"]

HEADER_MARK = b'"pantel_capture"'
"""Stands in the comment of every section of ours."""

_VERSION = 1
_SHORTEST_INTERVAL_NS = 20_000_000  # ours is 100 ms; a replay looks at each instant, also in a minute of silence
_LONGEST_NS = 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class CaptureHeader:
    """How the receiver was set.

    Attributes:
        bitrate_bps: Rate at which the sender was taken to pace its octets.
        playout_delay_ns: Time from capture to show.
        picture_interval_ns: Pictures were drawn at multiples of it on the receiver's clock.
        clock_offset_ns: UTC less the receiver's monotonic clock when the capture began, 0 on a virtual clock.
        crossing_bps: Where packets arrive whole, how fast what they take on the wire crossed, 0 for at once; None for
            the bit rate, as in captures of before.
        contexts: Streams that were known beforehand, from their IDENT packets or otherwise.
        counters: Of those with a key, the newest counter that had been heard: without it nobody can read their packets
            before the next IDENT.
    """

    bitrate_bps: int = DEFAULT_BITRATE_BPS
    playout_delay_ns: int = 1_500_000_000
    picture_interval_ns: int = 100_000_000
    clock_offset_ns: int = 0
    crossing_bps: int | None = None
    contexts: tuple[StreamContext, ...] = ()
    counters: Mapping[StreamContext, int] = field(default_factory=dict)

    def to_comment(self) -> str:
        """Return all but the bit rate, for which pcapng has a field, as the comment of a section."""
        values: dict[str, object] = {
            "pantel_capture": _VERSION,
            "playout_delay_ns": self.playout_delay_ns,
            "picture_interval_ns": self.picture_interval_ns,
            "clock_offset_ns": self.clock_offset_ns,
            "contexts": [_name(context) for context in self.contexts],
            "counters": {_name(context): counter for context, counter in self.counters.items()},
        }
        if self.crossing_bps is not None:
            values["crossing_bps"] = self.crossing_bps
        return json.dumps(values)

    @classmethod
    def from_comment(cls, comment: str, bitrate_bps: int) -> CaptureHeader:
        """Return the header that `to_comment` described.

        Raises:
            CaptureError: It is another comment, of a newer version or damaged.
        """
        try:
            values = json.loads(comment)
            version = values["pantel_capture"]
            header = cls(
                bitrate_bps=bitrate_bps,
                playout_delay_ns=int(values["playout_delay_ns"]),
                picture_interval_ns=int(values["picture_interval_ns"]),
                clock_offset_ns=int(values["clock_offset_ns"]),
                crossing_bps=None if (crossing := values.get("crossing_bps")) is None else int(crossing),
                contexts=tuple(_context(text) for text in values["contexts"]),
                counters={_context(text): int(counter) for text, counter in values.get("counters", {}).items()},
            )
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
            PacketError,
        ) as error:
            raise CaptureError("its section has no head written by pantel") from error
        if version != _VERSION:
            raise CaptureError(f"it is a capture of version {version}; this program reads version {_VERSION}")
        delayed = 0 <= header.playout_delay_ns <= _LONGEST_NS
        counted = all(0 <= counter < 1 << COUNTER_BITS for counter in header.counters.values())
        crossed = header.crossing_bps is None or header.crossing_bps >= 0
        if (
            not delayed
            or not counted
            or not crossed
            or header.picture_interval_ns < _SHORTEST_INTERVAL_NS
            or bitrate_bps <= 0
        ):
            raise CaptureError("its head describes no possible receiver")
        return header


def _name(context: StreamContext) -> str:
    return context.to_bytes().hex()


def _context(name: str) -> StreamContext:
    return StreamContext.from_bytes(bytes.fromhex(name))
