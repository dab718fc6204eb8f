"""Who is drawn when more is wanted than the processor can draw: everybody in turn, and the port in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_device.receiving.heard_streams import HeardStream
from pantel_device.receiving.sink import Sink
from pantel_link import StreamContext
from pantel_models import View

__all__ = ["Turns", "Wanted"]

_AT_FIRST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A picture that is taken, and by whom."""

    stream: HeardStream
    view: View
    takers: Sequence[Sink]


class Turns:
    """Chooses what is drawn at a time: what has waited longest.

    How many are drawn follows from how punctually the receiver is asked, so the core needs no clock, and a replay,
    which is always asked in time, draws all. One more at each instant as long as all is in time; half as many as were
    drawn when it is not.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[StreamContext, View]] = []  # what was drawn last at the end
        self._most = _AT_FIRST
        self._drawn = 0
        self._more_wanted = False

    def note(self, *, late: bool) -> None:
        """Take note of whether what was drawn last has left the time for what is due now."""
        if late and self._drawn:
            self._most = max(1, self._drawn // 2)
        elif not late and self._more_wanted:
            self._most += 1

    def choose(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Return what to draw now; of what was not drawn lately, because beginning takes longest, one.

        Else a few packets that announce many large scenes would keep the receiver from its port for half a minute.
        """
        by_key = {(each.stream.context, each.view): each for each in wanted}
        begun = [key for key, each in by_key.items() if each.view in each.stream.drawn_ns]
        waiting = [key for key in self._waiting if key in begun]
        waiting += [key for key in begun if key not in waiting]
        new = [key for key in by_key if key not in begun][:1]
        chosen = [*new, *waiting][: self._most]
        self._waiting = [*(key for key in waiting if key not in chosen), *chosen]
        self._drawn, self._more_wanted = len(chosen), len(wanted) > self._most
        return [by_key[key] for key in chosen]
