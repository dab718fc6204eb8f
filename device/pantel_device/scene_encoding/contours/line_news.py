"""News of contours: elements that belong together, and what telling them brings."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_codec import MAX_CONTOUR_BITS, Element

__all__ = ["MOST_BITS", "LineNews"]

MOST_BITS = MAX_CONTOUR_BITS - 36.0
"""What an element with contours may be estimated to take; headers of rare classes and sizes take so much more."""


@dataclass(frozen=True, slots=True, eq=False)
class LineNews:
    """What could be said next of a drawing.

    Attributes:
        kind: `contours` (of the background), `outlines`, `poses` or `farewells`.
        elements: What to send.
        bits: About how many they take.
        gain_px: Expected error of lines that they remove, see `line_error`, weighted, in pixels of line.
        lasting_s: For how long that may be expected to stay removed.
        track_id: The object that they are about; None for the background.
        overdue: Whether a part of them was never told, or so long ago that it has to be told again, however little that
            brings.
    """

    kind: str
    elements: tuple[Element, ...]
    bits: float
    gain_px: float
    lasting_s: float
    track_id: int | None = None
    overdue: bool = False

    @property
    def worth(self) -> float:
        """What they are worth per bit."""
        return self.gain_px * self.lasting_s / self.bits
