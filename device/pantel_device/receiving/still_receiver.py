"""Stills on their way in: put together, decoded as they grow, and handed on."""

from __future__ import annotations

from pantel_device.receiving.stills_in import StillSink, decode_partial
from pantel_link import StreamContext
from pantel_link.stills import Fragment, PartialStill, StillAssembler
from pantel_models import View

__all__ = ["StillReceiver"]

_INTERVAL_NS = 3_000_000_000
_MAX_WAITING = 128  # as many as are put together


class StillReceiver:
    """Takes symbols; decodes a still at most every 3 s, so that nobody can keep the pictures waiting by sending many.

    A complete still is not forgotten before the sink has it in a safe place, over a restart neither.

    Args:
        assembler: Puts symbols together.
        sink: Takes stills; None for nobody.
        view: Which generator paints them.
    """

    def __init__(
        self, assembler: StillAssembler | None = None, sink: StillSink | None = None, view: View = View.FAITHFUL
    ) -> None:
        self._assembler = assembler or StillAssembler()
        self._sink = sink
        self._view = view
        self._from_ns = 0
        # The newest of each block that was not decoded yet.
        self._waiting = {(still.context, still.block): still for still in self._assembler.whole()}

    def take(self, context: StreamContext, payload: bytes, now_ns: int) -> PartialStill | None:
        """Take the payload of a still packet; return the still if more of it is known now.

        Args:
            context: The stream that it came with.
            payload: Of the packet.
            now_ns: Monotonic time.

        Raises:
            FragmentError: It holds no symbol.
        """
        partial = self._assembler.take(context, Fragment.from_payload(payload), now_ns)
        if partial is not None:
            self._waiting.pop((context, partial.block), None)
            self._waiting[context, partial.block] = partial
            while len(self._waiting) > _MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
        return partial

    def advance(self, now_ns: int) -> None:
        """Decode a still if it is time for one; a complete one goes first."""
        if not self._waiting or now_ns < self._from_ns:
            return
        self._from_ns = now_ns + _INTERVAL_NS
        complete = [key for key, still in self._waiting.items() if still.complete]
        partial = self._waiting.pop(complete[0] if complete else next(iter(self._waiting)))
        kept = True
        if self._sink is not None and (still := decode_partial(partial, self._view)) is not None:
            kept = self._sink.on_still(still)
        if partial.complete and kept:
            self._assembler.finish(partial)
