"""What can be known of a picture's quality without its source: how much of the scene was told, and how old that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pantel_codec import NEVER, Outline, Scene, Sprite
from pantel_device.rendering.layers import told_ns

__all__ = ["SceneQuality"]


@dataclass(slots=True, eq=False)
class SceneQuality:
    """Sums over the looks at a sender's scene, one every 10 s while its content is fresh.

    Attributes:
        samples: How many looks.
        known_share: Sum of the shares of the picture's cells of which the background tells something.
        fine_share: Of those held at full resolution, of a background that stands still.
        levels: Of the refinement levels held of these.
        fine_samples: Looks at which there were any.
        age_s: Of the median age of the cells that are known [s].
        known_samples: Looks at which there were any.
        objects: Of the objects in the picture.
    """

    samples: int = 0
    known_share: float = 0.0
    fine_share: float = 0.0
    levels: float = 0.0
    fine_samples: int = 0
    age_s: float = 0.0
    known_samples: int = 0
    objects: int = 0

    def take(self, scene: Scene, time_ns: int) -> None:
        """Look at a scene as it was at a time."""
        size_px = scene.width_px, scene.height_px
        told = told_ns(scene.mosaics.sight(scene.background, time_ns), size_px)
        known = told > NEVER
        finest = scene.background.scales[0].level
        fine = finest > 0
        self.samples += 1
        self.known_share += float(known.mean())
        self.fine_share += float(fine.mean())
        if fine.any():
            self.fine_samples += 1
            self.levels += float(finest[fine].mean())
        if known.any():
            self.known_samples += 1
            self.age_s += float(np.median(np.maximum(time_ns - told[known], 0))) / 1e9
        objects: dict[int, Sprite | Outline] = {**scene.outlines, **scene.sprites}
        self.objects += sum(each.trajectory.at(time_ns) is not None for each in objects.values())

    def means(self) -> dict[str, int | float | None]:
        """Return the columns of a row."""
        return {
            "quality_samples": self.samples,
            "cells_known_share": _mean(self.known_share, self.samples),
            "cells_fine_share": _mean(self.fine_share, self.samples),
            "cell_levels_mean": _mean(self.levels, self.fine_samples),
            "cell_age_mean_s": _mean(self.age_s, self.known_samples),
            "objects_mean": _mean(self.objects, self.samples),
        }


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None
