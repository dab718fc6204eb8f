"""Slices: channels of a group that are predicted together.

A group may be cut into slices. In each stage they are coded one after another, and a slice knows those before it in
its own cells: whether the mean brightness of a cell is as expected tells much about its contours (Minnen and Singh,
"Channel-wise autoregressive entropy models for learned image compression", 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pantel_codec.errors import SymbolError

__all__ = ["ChannelSlices"]


@dataclass(frozen=True, slots=True)
class ChannelSlices:
    """How the channels of all groups are cut.

    Attributes:
        sizes: Channels of each slice, in coding order.
        groups: Index of the group of each slice.
    """

    sizes: tuple[int, ...]
    groups: tuple[int, ...]

    @classmethod
    def of(cls, groups: Sequence[int], sizes: Sequence[int]) -> ChannelSlices:
        """Cut groups into slices.

        Args:
            groups: Channels of each group.
            sizes: Channels of each slice; those of a group are as many as it has.

        Raises:
            SymbolError: They are not.
        """
        ends = [sum(groups[: group + 1]) for group in range(len(groups))]
        own_ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
        if min(sizes, default=0) < 1 or not set(ends) <= set(own_ends) or own_ends[-1:] != ends[-1:]:
            raise SymbolError(f"slices of {tuple(sizes)} channels do not cut groups of {tuple(groups)}")
        return cls(tuple(sizes), tuple(sum(end > group_end for group_end in ends) for end in own_ends))

    def channels(self, index: int) -> slice:
        """Return the channels of a slice."""
        start = sum(self.sizes[:index])
        return slice(start, start + self.sizes[index])

    def of_group(self, group: int) -> range:
        """Return the slices of a group."""
        first = self.groups.index(group)
        return range(first, first + self.groups.count(group))
