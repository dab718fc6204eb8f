"""News: elements that belong together, and what telling them is worth."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_codec import Element
from pantel_device.frame import Box
from pantel_device.scene_encoding.objects.look_search import LookDraft
from pantel_models.thumbnails import Look

__all__ = ["News", "lasting_s"]

_SHORTEST_S = 0.4  # about the time to the next payload
_LONGEST_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """What could be said next.

    Attributes:
        kind: `cells`, `seeds`, `sprites`, `poses`, `farewells` or `tone`.
        elements: What to send.
        bits: About how many they take.
        worth: Expected squared error, over 0..1 values, that they remove, times the seconds that it stays removed and
            its weight, per bit.
        track_id: The object that they are about; None if they are about none.
        look: How the object then looks; None if they do not say.
        draft: The thumbnail among them, if other symbols may be searched for.
        box: Where in the newest frame the object is then shown; None if they do not say.
    """

    kind: str
    elements: tuple[Element, ...]
    bits: float
    worth: float
    track_id: int | None = None
    look: Look | None = None
    draft: LookDraft | None = None
    box: Box | None = None


def lasting_s(age_ns: int) -> float:
    """Return how long news may be expected to serve: as long as those before it took to go out of date [s].

    That what has lasted will last as long again is the expectation under a Pareto law of lifetimes.
    """
    return min(max(age_ns / 1e9, _SHORTEST_S), _LONGEST_S)
