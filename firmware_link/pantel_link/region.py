"""A part of the picture, as packets tell it: in an octet for each side."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REGION_STEPS", "Region"]

REGION_STEPS = 255  # an octet reaches from one edge of the picture to the other


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture, in shares of its width and height, 0 to 1; told in steps of 1/255."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError("a region lies within 0..1, its left and top below its right and bottom")

    @classmethod
    def from_steps(cls, left: int, top: int, right: int, bottom: int) -> Region:
        """Return the region of these sides [1/255].

        Raises:
            ValueError: There is nothing in it.
        """
        return cls(left / REGION_STEPS, top / REGION_STEPS, right / REGION_STEPS, bottom / REGION_STEPS)

    def to_steps(self) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom [1/255]: the smallest that hold all of it."""
        left, top = (int(side * REGION_STEPS) for side in (self.left, self.top))
        right, bottom = (-int(-side * REGION_STEPS // 1) for side in (self.right, self.bottom))
        return left, top, max(right, left + 1), max(bottom, top + 1)
