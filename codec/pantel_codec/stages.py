"""The stages in which the cells of a block are coded: each knows the stages before it.

The coarsest group carries most of the bits at low rates and has no coarser one to learn from. So its cells are coded on
ever finer grids, where most of them stand between cells already known; the other groups take two halves of a
checkerboard (He et al., "Checkerboard context model for efficient learned image compression", 2021).

```
0 . 2 .  0 . 2 .     group 0: stage 0 is one cell in 16, and what is known lies two cells away until stage 2
. 3 . 3  . 3 . 3
2 . 1 .  2 . 1 .     dots: stage 4
. 3 . 3  . 3 . 3
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["REFINEMENT_STAGES", "Stage", "stages_of"]


@dataclass(frozen=True, slots=True)
class Stage:
    """The cells of one stage.

    Attributes:
        period: Cells repeat after so many rows and columns.
        places: (row, column) of the stage's cells within a period.
        dilation: Distance of the eight neighbours that serve as context, in cells.
    """

    period: int
    places: tuple[tuple[int, int], ...]
    dilation: int

    def mask(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """Return (rows, columns) bool: the cells of the stage."""
        tile = np.zeros((self.period, self.period), bool)
        for place in self.places:
            tile[place] = True
        repeats = (-(-rows // self.period), -(-columns // self.period))
        return np.tile(tile, repeats)[:rows, :columns]


_NESTED_GRIDS = (
    Stage(4, ((0, 0),), dilation=2),
    Stage(4, ((2, 2),), dilation=2),
    Stage(4, ((0, 2), (2, 0)), dilation=2),
    Stage(2, ((1, 1),), dilation=1),
    Stage(2, ((0, 1), (1, 0)), dilation=1),
)
REFINEMENT_STAGES = (Stage(2, ((0, 0), (1, 1)), dilation=1), Stage(2, ((0, 1), (1, 0)), dilation=1))
"""The two halves of a checkerboard: for the finer groups, and for cells of which a coarser version is known."""


def stages_of(group: int) -> tuple[Stage, ...]:
    """Return the stages of a channel group, in coding order; together they hold every cell once."""
    return _NESTED_GRIDS if group == 0 else REFINEMENT_STAGES
